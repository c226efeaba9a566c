"""The customer's API about themselves: profile, consents, and the way back to a card."""

from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import idempotency, tenancy
from core.api.throttling import StorefrontThrottle
from core.web import counted_address
from customers.models import Customer
from customers.queries import people
from customers.services import consents
from loyalty.api.storefront import KEY, STORE_CODE, StorefrontAPIView, face_of, find_store
from loyalty.api.storefront_people_serializers import (
    ConsentInSerializer,
    ConsentListSerializer,
    ConsentSerializer,
    ProfileInSerializer,
    ProfileSerializer,
    RecoverSerializer,
)
from loyalty.services import limits, links, profiles


class ProfileView(StorefrontAPIView):
    """What the merchant holds of the customer."""

    @extend_schema(
        tags=["storefront"], operation_id="storefront_profile_get", summary="The own profile",
        parameters=[STORE_CODE], responses=ProfileSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the profile and the consents as they stand."""
        with tenancy.scope(self.holder.merchant_id):
            return Response(shown(face_of(self.holder).card.customer))

    @extend_schema(
        tags=["storefront"], operation_id="storefront_profile_update", summary="Change the own profile",
        parameters=[STORE_CODE], request=ProfileInSerializer, responses=ProfileSerializer,
        description="Change what is sent; null or empty text clears a field. A new e-mail address stands in "
        "`pending_email` until the link mailed to it is used, if another one is confirmed; that one counts until then. "
        "The answer never tells whether an address is known.",
    )  # fmt: skip
    def patch(self, request: Request) -> Response:
        """Change the profile."""
        holder = self.holder
        form = ProfileInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if form.validated_data.get("email"):
            limits.count_address(card_id=holder.card_id)
        with tenancy.scope(holder.merchant_id):
            card = face_of(holder).card
            customer = profiles.change(
                merchant_id=holder.merchant_id, card_id=card.pk, changes=form.validated_data, at=timezone.now()
            )  # fmt: skip
            return Response(shown(customer))


class ConsentsView(StorefrontAPIView):
    """What the customer agreed to; one decision per purpose and channel counts, the newest."""

    @extend_schema(
        tags=["storefront"], operation_id="storefront_consents_list", summary="The own consents",
        parameters=[STORE_CODE], responses=ConsentListSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the newest decision of each kind."""
        with tenancy.scope(self.holder.merchant_id):
            return Response({"results": shown_consents(face_of(self.holder).card.customer)})

    @extend_schema(
        tags=["storefront"], operation_id="storefront_consents_create", summary="Agree or withdraw",
        parameters=[STORE_CODE, KEY], request=ConsentInSerializer, responses={201: ConsentSerializer},
        description="Write a decision as evidence. By e-mail it counts once the address is confirmed (double opt-in).",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Write the decision."""
        holder = self.holder
        form = ConsentInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        # The card is part of what is asked: a key of one customer must not replay another one's answer.
        about = f"{request.path}#{holder.card_id}"
        asked = idempotency.request(request.headers.get("Idempotency-Key"), "consents", about, request.data)
        answer = idempotency.once(holder.merchant_id, asked, lambda: self._decide(form.validated_data))
        headers = {idempotency.REPLAY: "true"} if answer.replayed else None
        return Response(answer.body, status=answer.status, headers=headers)

    def _decide(self, data: dict[str, Any]) -> tuple[int, Any, Any]:
        card = face_of(self.holder).card
        row = profiles.decide(
            merchant_id=self.holder.merchant_id, card_id=card.pk, **data, at=timezone.now(),
            language=get_language() or card.customer.language,
        )  # fmt: skip
        body = consent_body(row, card.customer)
        return 201, body, body


class RecoverView(APIView):
    """The way back to a card after a lost phone. The answer is the same for everybody."""

    authentication_classes = []
    throttle_classes = [StorefrontThrottle]

    @extend_schema(
        tags=["storefront"], operation_id="storefront_recover", summary="The way back to a card",
        request=RecoverSerializer, responses={202: None}, auth=[],
        description="Mail a link to the card, if somebody is known by the address or the number. Always 202.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Say that a link is on its way, if we know the address."""
        form = RecoverSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        merchant_id, store_id = find_store(data["store_code"])
        limits.count_recovery(address=counted_address(request))
        links.recover(
            merchant_id=merchant_id, store_id=store_id, email=data.get("email") or "", phone=data.get("phone") or ""
        )  # fmt: skip
        return Response(status=202)


def shown(customer: Customer) -> dict[str, Any]:
    """Return a profile as the API answers it; in an open scope."""
    born = ""
    if customer.birth_day and customer.birth_month:
        born = f"{customer.birth_month:02}-{customer.birth_day:02}"
        born = f"{customer.birth_year:04}-{born}" if customer.birth_year else born
    return {
        "id": str(customer.pk),
        "name": customer.name or None,
        "email": customer.email or None,
        "email_confirmed": customer.confirmed_at is not None and bool(customer.email),
        "pending_email": customer.pending_email or None,
        "phone": customer.phone or None,
        "birthday": born or None,
        "language": customer.language,
        "consents": shown_consents(customer),
    }


def shown_consents(customer: Customer) -> list[dict[str, Any]]:
    """Return the newest decision of each kind."""
    return [consent_body(row, customer) for row in people.consents_of(customer.pk)]


def consent_body(row: Any, customer: Customer) -> dict[str, Any]:
    """Return a decision; `confirmed` tells whether a granted one is proven by its address."""
    body = ConsentSerializer(row).data
    return {**body, "confirmed": row.granted and consents.is_confirmed(row, customer)}
