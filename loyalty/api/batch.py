"""POST terminal/batch: what a till kept without a connection, answered item by item."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import exception_handler, problem
from core.api.parsers import PatientJSONParser, is_storable, require_storable
from core.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from core.error_pages import ServerError
from core.errors import ValidationFailed
from core.idempotency import LEFT_OUT, MAX_KEY, Answer
from core.money import MAX_MINOR_UNITS
from core.web import client_address, user_agent
from loyalty.api.base import STORE
from loyalty.api.operation_serializers import CardInput, PointsAnswer, PointsInput, StampAnswer, StampInput
from loyalty.rules.stamps import MAX_QUANTITY
from loyalty.services import batches
from loyalty.services.batches import Item, Sender
from stores.api.base import StoreAPIView

OPERATIONS = ("stamp", "points")
YEARS = range(2000, 2200)


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field):
    """An instant as RFC 3339 text with its offset; a time without one could be anybody's."""

    default_error_messages = {"invalid": _("Write a time such as 2026-11-21T09:30:00Z.")}

    def to_internal_value(self, data: Any) -> datetime:
        """Read it."""
        try:
            found = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            found = None
        if found is None or found.tzinfo is None or found.year not in YEARS:
            self.fail("invalid")
        return found.astimezone(UTC)


class _Kept(CardInput):
    """What every kept operation carries besides its own fields."""

    key = StrictCharField(max_length=MAX_KEY)
    op = serializers.ChoiceField(choices=OPERATIONS)
    occurred_at = InstantField()

    def validate_key(self, value: str) -> str:
        """Refuse a key that a header could not carry."""
        if not value.isascii() or not value.isprintable():
            raise serializers.ValidationError(_("A key has 1 to 128 printable characters."))
        return value

    def item(self) -> Item:
        """Return what was sent as an item of the batch."""
        data, own = self.validated_data, ("key", "op", "occurred_at")
        body = {name: value for name, value in self.initial_data.items() if name not in own and name not in LEFT_OUT}
        return Item(
            key=data["key"], op=data["op"], occurred_at=data["occurred_at"], card=self.card(), body=body,
            staff=self.proof(), quantity=data.get("quantity", 1), cents=data.get("purchase_amount_cents", 0),
            currency=data.get("currency", ""), order_reference=data.get("order_reference", ""),
        )  # fmt: skip


class KeptStamp(_Kept, StampInput):
    """A stamp that was given without a connection."""


class KeptPoints(_Kept, PointsInput):
    """A purchase that was booked without a connection."""


class KeptOperation(_Kept):
    """For the document: a stamp or a purchase."""

    quantity = StrictIntegerField(required=False, default=1, min_value=1, max_value=MAX_QUANTITY)
    purchase_amount_cents = StrictIntegerField(required=False, min_value=1, max_value=MAX_MINOR_UNITS)
    currency = StrictCharField(required=False, default="", max_length=3, min_length=3)
    order_reference = StrictCharField(required=False, default="", allow_blank=True, max_length=64)


class _Anything(serializers.Field):
    """An item as it came: what is wrong with it is its own affair."""

    def to_internal_value(self, data: Any) -> Any:
        """Return it."""
        return data


class BatchInput(StrictSerializer):
    """The whole batch; what is in it is read item by item."""

    operations = serializers.ListField(child=_Anything(allow_null=True), max_length=batches.MOST, allow_empty=True)


class BatchDocument(StrictSerializer):
    """For the document: the batch with its items."""

    operations = KeptOperation(many=True)


class BatchResult(serializers.Serializer):
    """The answer of one item: as the operation's, or its problem."""

    key = serializers.CharField(allow_null=True)
    status = serializers.IntegerField()
    body = serializers.JSONField(
        help_text=f"As {StampAnswer.__name__}, {PointsAnswer.__name__}, or a problem document (see `status`)."
    )


class BatchAnswer(serializers.Serializer):
    """The answers in the order of the items."""

    results = BatchResult(many=True)


class BatchView(StoreAPIView):
    """POST terminal/batch."""

    in_scope = False
    parser_classes = [PatientJSONParser]

    @extend_schema(
        operation_id="terminal_batch", request=BatchDocument, responses={200: BatchAnswer}, parameters=[STORE],
        tags=["store"],
        description=(
            "Up to 100 operations that a till kept without a connection, in the order in which they were done. Each is "
            "judged by the rules at its `occurred_at`, at most 72 h ago, and answered by itself; `key` is its "
            "idempotency key. What is refused for good is kept for review (`reviews`)."
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Book a batch."""
        sender = Sender(
            credential=self.credential, store_code=self.store_code, at=timezone.now(), device=self.device,
            ip=client_address(request), user_agent=user_agent(request),
        )  # fmt: skip
        sender = batches.require_sender(sender)
        body = BatchInput(data=_around(request.data))
        body.is_valid(raise_exception=True)
        sent = body.validated_data["operations"]
        read = [_read(raw) for raw in sent]
        outcomes = iter(batches.run(sender, [found for found in read if isinstance(found, Item)]))
        answers = [next(outcomes) if isinstance(found, Item) else found for found in read]
        return Response({"results": [_result(_key(raw), answer) for raw, answer in zip(sent, answers, strict=True)]})


def _around(data: Any) -> Any:
    """Return the body; raises ValidationFailed where a text beside the items cannot be stored."""
    items = data.get("operations") if isinstance(data, dict) else None
    require_storable({**data, "operations": None} if isinstance(items, list) else data)
    return data


def _read(raw: Any) -> Item | Exception:
    """Read an item, or return what is wrong with it."""
    try:
        require_storable(raw)
    except ValidationFailed as refusal:
        return refusal
    if not isinstance(raw, dict):
        return ValidationFailed.of("non_field_errors", "invalid", _("Send an object with fields."))
    form = KeptPoints(data=raw) if raw.get("op") == "points" else KeptStamp(data=raw)
    try:
        form.is_valid(raise_exception=True)
    except serializers.ValidationError as refusal:
        return refusal
    return form.item()


def _key(raw: Any) -> str | None:
    key = raw.get("key") if isinstance(raw, dict) else None
    return key[:MAX_KEY] if isinstance(key, str) and is_storable(key) else None


def _result(key: str | None, outcome: Any) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        return {"key": key, "status": outcome.status, "body": outcome.body}
    answer = exception_handler(outcome, {})
    if answer is None:
        fault = ServerError()
        return {"key": key, "status": fault.status, "body": problem(fault)}
    return {"key": key, "status": answer.status_code, "body": answer.data}
