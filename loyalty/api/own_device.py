"""POST /stamp/{store_code} and /points/{store_code} as JSON: staff give on the customer's own phone."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import idempotency, money, tenancy
from core.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer, StrictUUIDField
from core.api.throttling import StorefrontThrottle
from core.errors import NotAuthenticated, NotFound
from core.web import client_address, counted_address, user_agent
from loyalty import card_cookie
from loyalty.api import authentication
from loyalty.api.authentication import CardAuthentication, CardHolder
from loyalty.api.operation_serializers import PointsAnswer, StampAnswer
from loyalty.api.storefront import KEY, find_store
from loyalty.queries import cards, storefronts
from loyalty.queries.storefronts import Storefront
from loyalty.services import own_device
from loyalty.services.own_device import OwnDeviceOff, Phone

PATH = OpenApiParameter("store_code", str, OpenApiParameter.PATH)
CARD: Any = [{"cardSecret": []}]


@extend_schema_field(OpenApiTypes.STR)
class AmountField(serializers.Field):
    """An amount in the program's currency, a JSON number or a text, read exactly; becomes minor units."""

    default_error_messages = {"invalid": _("Write an amount such as 12.50.")}

    def to_internal_value(self, data: Any) -> int:
        """Read it."""
        if isinstance(data, bool) or not isinstance(data, (str, int, Decimal)):
            self.fail("invalid")
        try:
            cents = money.parse(data if isinstance(data, str) else f"{data:f}", self.context["currency"])
        except ValueError:
            self.fail("invalid")
        if cents < 1:
            self.fail("invalid")
        return cents


class OwnStampInput(StrictSerializer):
    """POST /stamp/{store_code}; pass_id is the card's id."""

    pass_id = StrictUUIDField()
    staff_pin = StrictCharField(max_length=16, write_only=True)
    confirm = StrictBooleanField(required=False, default=False)


class OwnPointsInput(OwnStampInput):
    """POST /points/{store_code}."""

    amount = AmountField()


class StoreCardAuthentication(CardAuthentication):
    """As the customer's API; of several cookies the one of the program that runs in the store of the address counts."""

    def _from_cookies(self, request: Request) -> CardHolder | None:
        context = request.parser_context or {}
        merchant_id, store_id = find_store(context["kwargs"]["store_code"])
        with tenancy.scope(merchant_id):
            program = storefronts.load(store_id).program
        secret = card_cookie.read(request._request, program.pk) if program is not None else None
        holder = authentication.holder_of(secret) if secret else None
        if holder is not None:
            authentication.enforce_csrf(request)
        return holder


class OwnDeviceView(APIView):
    """The caller holds the card that `pass_id` names; what is refused is refused in the order of all operations."""

    authentication_classes = [StoreCardAuthentication]
    throttle_classes = [StorefrontThrottle]
    http_method_names = ["post", "options"]
    input_class: type[OwnStampInput]

    def read(self, request: Request, store_code: str) -> tuple[Phone, dict[str, Any]]:
        """Return who asks and the body; raises what comes before the PIN."""
        if not isinstance(request.auth, CardHolder):
            raise NotAuthenticated
        holder = request.auth
        with tenancy.scope(holder.merchant_id):
            place = self._place(holder, store_code)
            if not place.store.own_device_enabled:
                raise OwnDeviceOff
            currency = place.program.currency if place.program else place.merchant.currency
            body = self.input_class(data=request.data, context={"currency": currency})
            body.is_valid(raise_exception=True)
            data = dict(body.validated_data)
            if cards.by_reference("card_id", data["pass_id"]) != holder.card_id:
                raise NotFound
        phone = Phone(
            merchant_id=holder.merchant_id, card_id=holder.card_id, store_code=place.store.code, at=timezone.now(),
            address=counted_address(request), ip=client_address(request), user_agent=user_agent(request),
        )  # fmt: skip
        return phone, data

    def _place(self, holder: CardHolder, store_code: str) -> Storefront:
        merchant_id, store_id = find_store(store_code)
        if UUID(str(merchant_id)) != holder.merchant_id:
            raise NotFound
        return storefronts.load(store_id)

    def asked(self, request: Request, operation: str) -> idempotency.Request:
        """Describe the request for its key."""
        return idempotency.request(request.headers.get("Idempotency-Key"), operation, request.path, request.data)

    def respond(self, answer: idempotency.Answer) -> Response:
        """Make the response."""
        headers = {idempotency.REPLAY: "true"} if answer.replayed else None
        return Response(answer.body, status=answer.status, headers=headers)


class OwnStampApi(OwnDeviceView):
    """POST /stamp/{store_code}."""

    input_class = OwnStampInput

    @extend_schema(
        tags=["storefront"], operation_id="own_device_stamp", parameters=[PATH, KEY], request=OwnStampInput,
        responses={201: StampAnswer}, auth=CARD,
    )  # fmt: skip
    def post(self, request: Request, store_code: str) -> Response:
        """Give a stamp."""
        phone, data = self.read(request, store_code)
        asked = self.asked(request, "stamp")
        return self.respond(own_device.stamp(phone, asked, pin=data["staff_pin"], confirm=data["confirm"]))


class OwnPointsApi(OwnDeviceView):
    """POST /points/{store_code}."""

    input_class = OwnPointsInput

    @extend_schema(
        tags=["storefront"], operation_id="own_device_points", parameters=[PATH, KEY], request=OwnPointsInput,
        responses={201: PointsAnswer}, auth=CARD,
    )  # fmt: skip
    def post(self, request: Request, store_code: str) -> Response:
        """Grant the points of a purchase."""
        phone, data = self.read(request, store_code)
        asked = self.asked(request, "points")
        answer = own_device.earn(
            phone, asked, cents=data["amount"], pin=data["staff_pin"], confirm=data["confirm"]
        )  # fmt: skip
        return self.respond(answer)


def add_to_document(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[tuple[str, str, str, Any]]:
    """Name both addresses in the OpenAPI document (a hook of drf-spectacular): a page answers there, too."""
    own = (("/stamp/{store_code}", OwnStampApi), ("/points/{store_code}", OwnPointsApi))
    return endpoints + [(path, path, "POST", view.as_view()) for path, view in own]
