"""The platform's administrators over the API: programs and figures of all merchants, read only, no personal data."""

from contextlib import ExitStack
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import authentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import tenancy
from core.api import query
from core.api.keyset import KeysetPagination
from core.errors import NotAuthenticated, NotFound, PermissionDenied
from core.middleware_admin import is_platform_staff
from dashboard.api.admin_serializers import (
    PlatformFiguresSerializer,
    PlatformProgramSerializer,
    ProgramFiguresSerializer,
)
from dashboard.queries import platform
from loyalty.enums import ProgramStatus
from loyalty.models import Program

TAG = "admin"


class PlatformAuthentication(authentication.SessionAuthentication):
    """The session of an administrator; the second factor is asked for by PlatformAdminMiddleware."""


class PlatformScheme(OpenApiAuthenticationExtension):
    """How the API document describes an administrator."""

    target_class = PlatformAuthentication
    name = "administrator"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the cookie."""
        return {
            "type": "apiKey", "in": "cookie", "name": "sessionid",
            "description": "The session of the platform's staff, with a second factor.",
        }  # fmt: skip


class PlatformAPIView(APIView):
    """A read by the platform's staff, in a scope that sees every merchant."""

    authentication_classes = [PlatformAuthentication]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let administrators in and open the scope."""
        super().initial(request, *args, **kwargs)
        if not getattr(request.user, "is_authenticated", False):
            raise NotAuthenticated
        if not is_platform_staff(request._request):
            raise PermissionDenied
        self._stack.enter_context(tenancy.platform(reason=f"admin API: {request.method} {request.path}"))

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the handler; the scope that `initial` opened ends with it."""
        with ExitStack() as self._stack:
            return super().dispatch(request, *args, **kwargs)


class PlatformProgramsView(PlatformAPIView):
    """The programs of all merchants."""

    ordering = ("-id",)
    pagination_class = KeysetPagination

    @extend_schema(
        tags=[TAG], operation_id="admin_programs_list", summary="Programs of all merchants",
        parameters=[
            OpenApiParameter("search", str, description="Part of the program's or the merchant's name."),
            OpenApiParameter("status", str, enum=ProgramStatus.values),
            OpenApiParameter("merchant", str, description="A merchant's id or short name."),
        ],
        responses=PlatformProgramSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List programs, the newest first."""
        rows = platform.programs(
            search=query.text(request, "search"),
            status=query.choice(request, "status", ProgramStatus.values),
            merchant=query.text(request, "merchant"),
        )
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(PlatformProgramSerializer(page, many=True).data)


class PlatformProgramView(PlatformAPIView):
    """One program."""

    @extend_schema(
        tags=[TAG], operation_id="admin_programs_get", summary="One program", responses=PlatformProgramSerializer
    )
    def get(self, request: Request, program_id: UUID) -> Response:
        """Return the program with its merchant."""
        return Response(PlatformProgramSerializer(_program(program_id)).data)


class PlatformProgramStatsView(PlatformAPIView):
    """The figures of one program."""

    @extend_schema(
        tags=[TAG], operation_id="admin_programs_stats", summary="Figures of a program",
        responses=ProgramFiguresSerializer,
    )  # fmt: skip
    def get(self, request: Request, program_id: UUID) -> Response:
        """Return what the program gave and what is outstanding."""
        found = platform.of_program(_program(program_id), timezone.now())
        return Response(ProgramFiguresSerializer(found).data)


class PlatformStatsView(PlatformAPIView):
    """The platform's totals."""

    @extend_schema(
        tags=[TAG], operation_id="admin_stats", summary="Totals of the platform", responses=PlatformFiguresSerializer
    )
    def get(self, request: Request) -> Response:
        """Return the totals; a minute old at most, `as_of` says how old."""
        return Response(PlatformFiguresSerializer(platform.totals(timezone.now())).data)


def _program(program_id: UUID) -> Program:
    program = platform.programs().filter(pk=program_id).first()
    if program is None:
        raise NotFound
    return program
