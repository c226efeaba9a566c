"""The base of every view of the merchant API: a person who manages, or a key of scope `manage`; no store is needed."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.errors import PermissionDenied
from merchants import permissions
from stores.api.base import STORE_HEADER, StoreAPIView
from stores.queries import devices

TAG = "merchant"
MERCHANT = OpenApiParameter(
    STORE_HEADER, str, OpenApiParameter.HEADER,
    description="A store's code: names the merchant for a person who works for several.",
)  # fmt: skip
KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="1–128 characters, optional.")


class MerchantAPIView(StoreAPIView):
    """A view under /api/v1/merchant: every method, reads too, needs the right to manage.

    It runs inside the merchant's scope with `self.access` loaded. `right` names the part of the API it belongs to
    (merchants.permissions.RIGHTS says which roles may use it) and is checked before the handler runs.
    """

    store_needed = False
    scope_required: ClassVar[dict[str, str]] = {}
    right: ClassVar[str] = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the right on top of the scope."""
        super().initial(request, *args, **kwargs)
        if self.right:
            self.require_right(self.right)

    @property
    def merchant_id(self) -> UUID:
        """The merchant."""
        return self.credential.merchant_id

    @property
    def actor_id(self) -> UUID | None:
        """The person who acts, None for a script."""
        return self.credential.id if self.credential.kind == "user" else None

    @property
    def acting_role(self) -> str:
        """The role of the person who acts; a key acts in that of the person it goes back to."""
        return self.access.role if self.credential.kind == "user" else devices.role_behind_key(self.credential.id)

    @property
    def maker_id(self) -> UUID | None:
        """The person whom something new goes back to: who acts, or who made the key; None behind the platform's key."""
        return self.actor_id or devices.maker_of_key(self.credential.id)

    @property
    def bound_store_id(self) -> UUID | None:
        """The store that the calling key is bound to."""
        return devices.store_of_key(self.credential.id) if self.credential.kind == "api_key" else None

    def store_shown(self, wanted: UUID | None) -> UUID | None:
        """Return the store that an answer is limited to: the wanted one, else the key's own; None for all.

        Raises PermissionDenied when a key that is bound to a store wants another one.
        """
        bound = self.bound_store_id
        if bound is not None and wanted not in (None, bound):
            raise PermissionDenied
        return wanted or bound

    def require_right(self, right: str) -> None:
        """Raise PermissionDenied unless the caller has a right of merchants.permissions."""
        if self.credential.kind == "user":
            allowed = permissions.has_right(self.access.role, right)
        else:
            # The look-up is made for the few rights only that depend on whose key it is.
            rare = right in permissions.RIGHTS_OF_OWNERS_KEYS
            behind = self.acting_role if rare else ""
            allowed = permissions.key_has_right(behind, right)
        if not allowed:
            raise PermissionDenied(required_right=right)

    def read(self, serializer_class: Any, **options: Any) -> dict[str, Any]:
        """Return the body as a strict serializer reads it; raises a validation error."""
        serializer = serializer_class(data=self.request.data, **options)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def once(self, operation: str, run: Callable[[], tuple[int, Any, Any]]) -> HttpResponse:
        """Run a write once per Idempotency-Key: `run` returns status, body and the body to keep, without secrets."""
        asked = idempotency.request(self.idempotency_key, operation, self.request.path, self.request.data)
        answer = idempotency.once(self.merchant_id, asked, run)
        return self.answer(answer)

    def page(self, request: Request, rows: Any, serializer_class: Any, **options: Any) -> HttpResponse:
        """Answer a page of a list; the view names `pagination_class` and `ordering`."""
        paginator = self.pagination_class()  # type: ignore[attr-defined] # the view's own
        shown = paginator.paginate_queryset(rows, request, view=self)
        answer: Response = paginator.get_paginated_response(serializer_class(shown, many=True, **options).data)
        return answer
