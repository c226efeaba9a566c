"""Staff and PINs over the store API."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency, tenancy
from core.api import query
from core.api.keyset import KeysetPagination
from core.api.serializers import NothingSerializer
from core.errors import PermissionDenied
from merchants.permissions import EARN, MANAGE, READ, REDEEM
from stores.api.base import TERMINAL_HEADER, StoreAPIView
from stores.api.merchant import KEY
from stores.api.serializers import (
    NewPinSerializer,
    PinChangeSerializer,
    PinInputSerializer,
    PinSerializer,
    StaffSerializer,
    StaffSessionSerializer,
    VerifyInputSerializer,
    stores_by_reference,
)
from stores.models import StaffPin
from stores.queries import access as access_queries
from stores.queries import pins as pin_queries
from stores.services import pins, staff


class ByName(KeysetPagination):
    """Pages as large as they get: a terminal shows everybody."""

    page_size = 100


class PinView(StoreAPIView):
    """What all views of PINs share: no store needed, for managers only, but a script may read."""

    store_needed = False
    scope_required: ClassVar = {"GET": READ}

    @property
    def needed_scope(self) -> str:
        """A manager's right; `read` is enough for a key, not for a till and its staff."""
        credential = getattr(self, "credential", None)
        by_key = credential is not None and credential.kind == "api_key"
        return super().needed_scope if by_key else MANAGE

    @property
    def actor_id(self) -> UUID | None:
        """The person who acts, None for a script."""
        return self.credential.id if self.credential.kind == "user" else None

    def once(self, operation: str, run: Any) -> HttpResponse:
        """Run a write once per Idempotency-Key; the stored answer has no PIN."""
        asked = idempotency.request(self.idempotency_key, operation, self.request.path, self.request.data)
        answer = idempotency.once(self.credential.merchant_id, asked, run)
        return self.answer(answer)

    def show(self, row: StaffPin, pin: str | None = None, *, status: int = 200) -> tuple[int, Any, Any]:
        """Return status, body and the body to keep: with a made PIN null."""
        fresh = pin_queries.all_staff().get(pk=row.pk)
        body = PinSerializer(fresh).data
        return status, {**body, "pin": pin}, {**body, "pin": None}


class PinListView(PinView):
    """The merchant's staff."""

    pagination_class = ByName
    ordering = ("name", "id")

    @extend_schema(
        tags=["store"], operation_id="pins_list", summary="List staff", responses=PinSerializer(many=True),
        parameters=[OpenApiParameter("is_active", bool, description="Only active (true) or revoked (false) staff.")],
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the merchant's staff by name."""
        rows = pin_queries.all_staff()
        wanted = query.flag(request, "is_active")
        if wanted is not None:
            rows = rows.filter(is_active=wanted)
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(PinSerializer(page, many=True).data)

    @extend_schema(
        tags=["store"], operation_id="pins_create", summary="Add a staff member with a PIN", request=PinInputSerializer,
        parameters=[KEY], responses={201: NewPinSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Add a staff member; without a PIN six digits are made and shown this once."""
        data = _read(PinInputSerializer, request)

        def run() -> tuple[int, Any, Any]:
            made = staff.create(
                merchant_id=self.credential.merchant_id, name=data["name"], pin=data.get("pin"), at=timezone.now(),
                stores=stores_by_reference(data.get("stores")), external_id=data.get("external_id", ""),
                actor_id=self.actor_id,
            )  # fmt: skip
            return self.show(made.staff, made.pin, status=201)

        return self.once("pins.create", run)


class PinDetailView(PinView):
    """One staff member."""

    @extend_schema(
        tags=["store"], operation_id="pins_update", summary="Change a staff member", request=PinChangeSerializer,
        parameters=[KEY], responses=NewPinSerializer,
    )  # fmt: skip
    def patch(self, request: Request, staff_id: UUID) -> HttpResponse:
        """Change name, stores or PIN; a new PIN ends the sessions made with the old one."""
        pin_queries.require(staff_id)
        data = _read(PinChangeSerializer, request)

        def run() -> tuple[int, Any, Any]:
            ids: dict[str, Any] = {
                "merchant_id": self.credential.merchant_id, "staff_id": staff_id, "at": timezone.now(),
                "actor_id": self.actor_id,
            }  # fmt: skip
            row = staff.update(**ids, **_changes(data))
            made = staff.rotate(**ids) if data.get("rotate") else None
            return self.show(row, made.pin if made else None)

        return self.once("pins.update", run)

    @extend_schema(
        tags=["store"], operation_id="pins_delete", summary="Revoke a staff member's PIN", responses={204: None}
    )
    def delete(self, request: Request, staff_id: UUID) -> HttpResponse:
        """Revoke the PIN and end its sessions at once."""
        staff.revoke(
            merchant_id=self.credential.merchant_id, staff_id=staff_id, at=timezone.now(), actor_id=self.actor_id
        )
        return Response(status=204)


class PinUnlockView(PinView):
    """The lock of one staff member."""

    @extend_schema(
        tags=["store"], operation_id="pins_unlock", summary="Lift a lock", parameters=[KEY], request=None,
        responses=PinSerializer, description="Lift the lock before its time and forget the wrong tries. Takes no body.",
    )  # fmt: skip
    def post(self, request: Request, staff_id: UUID) -> HttpResponse:
        """Lift the lock before its time and forget the wrong tries."""
        pin_queries.require(staff_id)
        _read(NothingSerializer, request)

        def run() -> tuple[int, Any, Any]:
            row = staff.unlock(
                merchant_id=self.credential.merchant_id, staff_id=staff_id, at=timezone.now(), actor_id=self.actor_id
            )
            body = PinSerializer(pin_queries.all_staff().get(pk=row.pk)).data
            return 200, body, body

        return self.once("pins.unlock", run)


class StaffView(StoreAPIView):
    """Who may work at this store's till."""

    scope_required: ClassVar = {"GET": READ}
    pagination_class = ByName
    ordering = ("name", "id")

    @extend_schema(
        tags=["store"], operation_id="staff_list", summary="List who works here", responses=StaffSerializer(many=True)
    )
    def get(self, request: Request) -> HttpResponse:
        """List the active staff of the store by name."""
        paginator = self.pagination_class()
        rows = pin_queries.working_at(self.access.store_or_refuse().id)
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(StaffSerializer(page, many=True).data)


class PinVerifyView(StoreAPIView):
    """A PIN turned into a short session."""

    in_scope = False
    scope_required: ClassVar = {"POST": EARN}

    @extend_schema(
        tags=["store"], operation_id="pins_verify", summary="Check a PIN and open a PIN session",
        request=VerifyInputSerializer, responses=StaffSessionSerializer,
        parameters=[
            OpenApiParameter(TERMINAL_HEADER, str, OpenApiParameter.HEADER, description="The till, for a POS key.")
        ],
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Check a PIN; the session stands for it for 15 minutes on this terminal or key."""
        merchant_id, at = self.credential.merchant_id, timezone.now()
        with tenancy.scope(merchant_id):
            access = access_queries.load(self.credential, self.store_code)
            if not access.scopes & {EARN, REDEEM, MANAGE}:
                raise PermissionDenied(required_scope=EARN)
            store = access.store_or_refuse()
        data = _read(VerifyInputSerializer, request)
        subject = pins.Subject(self.credential.kind, self.credential.id, self.device)
        verified = pins.verify(
            merchant_id=merchant_id, store_id=store.id, subject=subject, pin=data["staff_pin"],
            staff_id=data.get("staff_id"), at=at,
        )  # fmt: skip
        token, expires_at = pins.start_session(staff=verified, merchant_id=merchant_id, subject=subject, at=at)
        body = {"staff_session": token, "expires_at": expires_at, "staff": verified}
        return Response(StaffSessionSerializer(body).data)


def _read(serializer_class: Any, request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _changes(data: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: data[name] for name in data if name in ("name", "pin", "external_id")}
    return {**changes, "stores": stores_by_reference(data["stores"])} if "stores" in data else changes
