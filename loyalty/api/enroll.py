"""POST cards/enroll: staff or a till make a card for a customer, without any consent on their behalf."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core import idempotency
from core.api.serializers import StrictCharField, StrictSerializer
from core.errors import NotFound
from core.web import client_address, user_agent
from loyalty.api.card_serializers import CardSerializer
from loyalty.api.operations import KEY, STORE
from loyalty.queries import card_faces
from loyalty.services import cards
from merchants.permissions import EARN
from stores.api.base import StoreAPIView

FIELDS = ("name", "email", "phone", "birthday", "language")


class StaffEnrollSerializer(StrictSerializer):
    """What the customer told the staff; everything is optional, and there is no consent to give."""

    name = StrictCharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    email = StrictCharField(max_length=254, required=False, allow_blank=True, allow_null=True)
    phone = StrictCharField(max_length=40, required=False, allow_blank=True, allow_null=True)
    birthday = StrictCharField(
        max_length=10, required=False, allow_blank=True, allow_null=True, help_text="`MM-DD` or `YYYY-MM-DD`"
    )
    language = StrictCharField(max_length=10, required=False, allow_blank=True, allow_null=True)


class StaffEnrollView(StoreAPIView):
    """Makes a card at the till."""

    scope_required = {"POST": EARN}

    @extend_schema(
        operation_id="cards_enroll", request=StaffEnrollSerializer, responses={201: CardSerializer},
        parameters=[KEY, STORE], tags=["store"],
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Make a customer and a card in the store's program."""
        form = StaffEnrollSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = idempotency.request(self.idempotency_key, "cards_enroll", request.path, request.data)
        answer = idempotency.once(
            self.credential.merchant_id, asked, lambda: self._enroll(request, form.validated_data)
        )
        return self.answer(answer)

    def _enroll(self, request: Request, data: dict[str, Any]) -> tuple[int, Any, Any]:
        now = timezone.now()
        person: dict[str, str] = {name: data.get(name) or "" for name in FIELDS}
        made = cards.enroll(
            merchant_id=self.credential.merchant_id, store_id=self.access.store_or_refuse().id, at=now, source="staff",
            actor=cards.Actor.of(self.credential), idempotency_key=self.idempotency_key,
            ip=client_address(request), user_agent=user_agent(request), name=person["name"], email=person["email"],
            phone=person["phone"], birthday=person["birthday"], language=person["language"],
        )  # fmt: skip
        face = card_faces.face(made.card.pk, now)
        if face is None:
            raise NotFound
        body = CardSerializer(face).data
        return 201, body, body
