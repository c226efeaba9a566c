"""The store's program over the API."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.base import KEY, STORE, LoyaltyAPIView
from loyalty.api.program_serializers import ChangedProgramSerializer, ProgramInputSerializer, ProgramSerializer
from loyalty.models import Program
from loyalty.services import programs
from merchants.permissions import READ


class ProgramView(LoyaltyAPIView):
    """The program that the store runs: its own, else the merchant's default."""

    scope_required: ClassVar = {"GET": READ}

    @extend_schema(
        tags=["store"], operation_id="program_get", summary="The store's program", parameters=[STORE],
        responses=ProgramSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Return the program."""
        return Response(ProgramSerializer(self.store_program()).data)

    @extend_schema(
        tags=["store"], operation_id="program_create", summary="Make a program for the store", parameters=[STORE, KEY],
        request=ProgramInputSerializer, responses={201: ChangedProgramSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Make a program that this store runs from now on; the merchant's first is the default of all its stores."""

        def run() -> tuple[int, Any]:
            program = programs.create(
                merchant_id=self.merchant_id, store_id=self.access.store_or_refuse().id, data=request.data,
                user_id=self.actor_id, at=timezone.now(),
            )  # fmt: skip
            return 201, _shown(program)

        return self.once(request, "program.create", run)

    @extend_schema(
        tags=["store"], operation_id="program_update", summary="Change the store's program", parameters=[STORE, KEY],
        request=ProgramInputSerializer(partial=True), responses=ChangedProgramSerializer,
    )  # fmt: skip
    def patch(self, request: Request) -> HttpResponse:
        """Change some fields; `effects` says for each from when on the new value counts."""
        program_id = self.store_program().pk

        def run() -> tuple[int, Any]:
            changed = programs.update(
                merchant_id=self.merchant_id, program_id=program_id, data=request.data, user_id=self.actor_id,
                at=timezone.now(),
            )  # fmt: skip
            return 200, _shown(changed.program, changed.effects)

        return self.once(request, "program.update", run)


def _shown(program: Program, effects: tuple[programs.Effect, ...] = ()) -> Any:
    return ChangedProgramSerializer(program, context={"effects": effects}).data
