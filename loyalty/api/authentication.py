"""How a customer proves a card: its access secret, in a header for clients or in the signed cookie of a browser."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from core import tenancy
from core.errors import NotAuthenticated, NotFound, PermissionDenied
from loyalty import card_cookie
from loyalty.queries import access, programs
from stores.queries.access import StoreRequired

SCHEME = "card"


@dataclass(frozen=True, slots=True)
class CardHolder:
    """A proven customer: the card that the secret opens, ids only."""

    merchant_id: UUID
    card_id: UUID
    secret: str


class CardAuthentication(BaseAuthentication):
    """`Authorization: Card <secret>`, else the browser's cookie, with CSRF for everything that writes.

    A browser with cards of several programs names one of them by `?store_code=`.
    """

    def authenticate(self, request: Request) -> tuple[None, CardHolder] | None:
        """Return the card's holder, None without a secret; raises NotAuthenticated for one that opens nothing."""
        holder = from_header(request)
        if holder is None:
            holder = self._from_cookies(request)
        return (None, holder) if holder is not None else None

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a missing secret is 401."""
        return "Card"

    def _from_cookies(self, request: Request) -> CardHolder | None:
        found = [holder for secret in card_cookie.read_all(request._request) if (holder := holder_of(secret))]
        if not found:
            return None
        enforce_csrf(request)
        return found[0] if len(found) == 1 else _chosen(found, request.query_params.get("store_code", ""))


def from_header(request: Request) -> CardHolder | None:
    """Return the holder named by the header, None without such a header."""
    scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != SCHEME:
        return None
    holder = holder_of(secret.strip())
    if holder is None:
        raise NotAuthenticated
    return holder


def holder_of(secret: str) -> CardHolder | None:
    """Return whose card a secret opens, None when it opens nothing."""
    found = access.card_of(secret) if secret else None
    return CardHolder(*found, secret=secret) if found else None


def enforce_csrf(request: Request) -> None:
    """Refuse a write that another site may have sent with the browser's cookie."""

    def nothing(_request: HttpRequest) -> None:
        return None

    check = CSRFCheck(nothing)  # type: ignore[arg-type]
    check.process_request(request._request)
    if check.process_view(request._request, nothing, (), {}):  # type: ignore[arg-type]
        raise PermissionDenied


def _chosen(found: list[CardHolder], store_code: str) -> CardHolder:
    """Return the card that is valid at the named store."""
    if not store_code:
        raise StoreRequired
    for merchant_id, store_id in tenancy.lookup("store", store_code.replace("\x00", "")):
        with tenancy.scope(merchant_id):
            program = programs.for_store(store_id)
        for holder in found:
            if program is not None and _is_in(holder, program.pk):
                return holder
    raise NotFound


def _is_in(holder: CardHolder, program_id: UUID) -> bool:
    with tenancy.scope(holder.merchant_id):
        return access.is_in_program(holder.card_id, program_id)


class CardScheme(OpenApiAuthenticationExtension):
    """Describes the header in the OpenAPI document."""

    target_class = "loyalty.api.authentication.CardAuthentication"
    name = "cardSecret"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Card <access_secret>`, as answered by the enrolment.",
        }
