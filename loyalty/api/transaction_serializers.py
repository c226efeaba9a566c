"""A ledger row as every API answers it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.card_serializers import CardStoreSerializer
from loyalty.enums import Channel, TransactionType
from loyalty.queries.history import Entry


class NamedSerializer(serializers.Serializer):
    """Something by its id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class TransactionSerializer(serializers.Serializer):
    """A ledger row from its Entry; `explanation` is in the caller's language."""

    id = serializers.UUIDField(source="row.id")
    type = serializers.ChoiceField(TransactionType.choices, source="row.type")
    stamps_delta = serializers.IntegerField(source="row.stamps_delta")
    points_delta = serializers.IntegerField(source="row.points_delta")
    debt_delta = serializers.IntegerField(source="row.debt_delta")
    stamps_after = serializers.IntegerField(source="row.stamps_after")
    points_after = serializers.IntegerField(source="row.points_after")
    purchase_amount_cents = serializers.IntegerField(source="row.purchase_amount_cents", allow_null=True)
    currency = serializers.CharField(source="row.currency")
    order_reference = serializers.SerializerMethodField()
    reward = NamedSerializer(allow_null=True)
    reverses = serializers.UUIDField(source="row.reverses_id", allow_null=True)
    reversed_by = serializers.UUIDField(allow_null=True)
    program_version = serializers.IntegerField(source="row.program_version")
    store = serializers.SerializerMethodField()
    staff = serializers.SerializerMethodField()
    channel = serializers.ChoiceField(Channel.choices, source="row.channel")
    explanation = serializers.CharField()
    idempotency_key = serializers.CharField(allow_null=True)
    occurred_at = serializers.DateTimeField(source="row.occurred_at")
    recorded_at = serializers.DateTimeField(source="row.recorded_at")

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_order_reference(self, entry: Entry) -> str | None:
        """Return the till's own number of the sale."""
        return entry.row.order_reference or None

    @extend_schema_field(CardStoreSerializer(allow_null=True))
    def get_store(self, entry: Entry) -> dict[str, Any] | None:
        """Return where it happened."""
        store = entry.row.store
        return {"code": store.code, "name": store.name} if store is not None else None

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_staff(self, entry: Entry) -> dict[str, Any] | None:
        """Return who did it with a PIN."""
        staff = entry.row.staff_pin
        return {"id": str(staff.pk), "name": staff.name} if staff is not None else None
