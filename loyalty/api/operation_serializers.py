"""What the operations take: a card by one reference, staff by PIN or session, and the operation's own fields."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)
from core.money import MAX_MINOR_UNITS
from loyalty.queries import cards
from loyalty.queries.hot import CardRef
from loyalty.rules.stamps import MAX_QUANTITY
from loyalty.services.operations import StaffProof

REFERENCES = ("qr_code", "card_number", "card_id")


class StaffInput(StrictSerializer):
    """Who works: a PIN (better with the person's id), or the session that a PIN opened."""

    staff_pin = StrictCharField(required=False, max_length=16, write_only=True)
    staff_session = StrictCharField(required=False, max_length=1000, write_only=True)
    staff_id = StrictUUIDField(required=False)

    def proof(self) -> StaffProof:
        """Return what the staff member proves themselves with; a PIN that was typed goes before a session."""
        data = self.validated_data
        return StaffProof(data.get("staff_pin"), data.get("staff_session"), data.get("staff_id"))


class CardInput(StaffInput):
    """A card by exactly one of qr_code (the code or its address), card_number or card_id."""

    qr_code = StrictCharField(required=False, max_length=300)
    card_number = StrictCharField(required=False, max_length=40)
    card_id = StrictUUIDField(required=False)
    confirm = StrictBooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one reference."""
        given = [name for name in REFERENCES if name in attrs]
        if len(given) != 1:
            text = _("Name the card by one of qr_code, card_number or card_id.")
            raise serializers.ValidationError({given[1] if given else "qr_code": [text]}, code="card_reference")
        return attrs

    def card(self) -> CardRef:
        """Return the reference."""
        data = self.validated_data
        if "qr_code" in data:
            return CardRef("qr_code", cards.code_of(data["qr_code"]))
        if "card_number" in data:
            return CardRef("card_number", cards.number_of(data["card_number"]))
        card_id: UUID = data["card_id"]
        return CardRef("card_id", card_id)


class StampInput(CardInput):
    """POST stamp."""

    quantity = StrictIntegerField(required=False, default=1, min_value=1, max_value=MAX_QUANTITY)


class PointsInput(CardInput):
    """POST points."""

    purchase_amount_cents = StrictIntegerField(min_value=1, max_value=MAX_MINOR_UNITS)
    currency = StrictCharField(required=False, default="", max_length=3, min_length=3)
    order_reference = StrictCharField(required=False, default="", allow_blank=True, max_length=64)


class PointsRedeemInput(CardInput):
    """POST points/redeem."""

    reward_id = StrictUUIDField()


class VoidInput(StaffInput):
    """POST transactions/{id}/void."""

    reason = StrictCharField(required=False, default="", allow_blank=True, max_length=300)


class RefundInput(VoidInput):
    """POST transactions/{id}/refund."""

    amount_cents = StrictIntegerField(min_value=1, max_value=MAX_MINOR_UNITS)


class PreviewInput(CardInput):
    """POST preview: an operation's fields and which one; redeem with reward_id is the points one."""

    op = serializers.ChoiceField(choices=["stamp", "points", "redeem"])
    quantity = StrictIntegerField(required=False, default=1, min_value=1, max_value=MAX_QUANTITY)
    purchase_amount_cents = StrictIntegerField(required=False, min_value=1, max_value=MAX_MINOR_UNITS)
    currency = StrictCharField(required=False, default="", max_length=3, min_length=3)
    order_reference = StrictCharField(required=False, default="", allow_blank=True, max_length=64)
    reward_id = StrictUUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for the amount of a purchase."""
        attrs = super().validate(attrs)
        if attrs["op"] == "points" and "purchase_amount_cents" not in attrs:
            raise serializers.ValidationError({"purchase_amount_cents": [_("Enter the amount.")]}, code="required")
        return attrs


class OperationAnswer(serializers.Serializer):
    """What every operation answers."""

    transaction_id = serializers.UUIDField()
    card_id = serializers.UUIDField()
    card_number = serializers.CharField()
    rewards_available = serializers.IntegerField()


class StampAnswer(OperationAnswer):
    """The card after stamps."""

    stamps_added = serializers.IntegerField()
    stamp_count = serializers.IntegerField()
    stamps_target = serializers.IntegerField()
    stamps_until_reward = serializers.IntegerField()
    reward_earned = serializers.BooleanField()
    reward_description = serializers.CharField()
    stamps_today = serializers.IntegerField()
    stamps_remaining_today = serializers.IntegerField(allow_null=True)
    next_stamp_available_at = serializers.DateTimeField(allow_null=True)
    void_until = serializers.DateTimeField(allow_null=True)
    welcome_bonus_points = serializers.IntegerField(required=False)
    points_balance = serializers.IntegerField(required=False)


class RewardName(serializers.Serializer):
    """A reward by id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class StampRedeemAnswer(OperationAnswer):
    """The reward that was handed out, and the card after it."""

    stamps_redeemed = serializers.IntegerField()
    stamp_count = serializers.IntegerField()
    stamps_target = serializers.IntegerField()
    stamps_until_reward = serializers.IntegerField()
    reward_description = serializers.CharField()
    reward = RewardName()
    redeemed_at = serializers.DateTimeField()
    void_until = serializers.DateTimeField(allow_null=True)


class HybridStamp(serializers.Serializer):
    """Whether a hybrid sale brought its stamp, and why not; with the stamp's own figures when it did."""

    given = serializers.BooleanField()
    code = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    stamps_added = serializers.IntegerField(required=False)
    stamp_count = serializers.IntegerField(required=False)
    stamps_target = serializers.IntegerField(required=False)
    stamps_until_reward = serializers.IntegerField(required=False)
    reward_earned = serializers.BooleanField(required=False)
    reward_description = serializers.CharField(required=False)
    stamps_today = serializers.IntegerField(required=False)
    stamps_remaining_today = serializers.IntegerField(allow_null=True, required=False)
    next_stamp_available_at = serializers.DateTimeField(allow_null=True, required=False)


class PointsAnswer(OperationAnswer):
    """What a purchase granted."""

    points_earned = serializers.IntegerField()
    points_balance = serializers.IntegerField()
    points_debt = serializers.IntegerField()
    debt_paid = serializers.IntegerField()
    welcome_bonus_points = serializers.IntegerField()
    purchase_amount_cents = serializers.IntegerField()
    currency = serializers.CharField()
    explanation = serializers.CharField()
    to_next_point_cents = serializers.IntegerField(allow_null=True)
    void_until = serializers.DateTimeField(allow_null=True)
    stamp = HybridStamp(required=False)


class PointsRedeemAnswer(OperationAnswer):
    """The reward that points bought."""

    points_redeemed = serializers.IntegerField()
    points_balance = serializers.IntegerField()
    reward = RewardName()
    reward_description = serializers.CharField()
    redeemed_at = serializers.DateTimeField()
    void_until = serializers.DateTimeField(allow_null=True)


class ReversalAnswer(OperationAnswer):
    """The reversal, and the card after it."""

    reverses = serializers.UUIDField()
    points_balance = serializers.IntegerField()
    points_debt = serializers.IntegerField()


class VoidAnswer(ReversalAnswer):
    """What was undone."""

    stamp_count = serializers.IntegerField()
    stamps_target = serializers.IntegerField()


class RefundAnswer(ReversalAnswer):
    """What a refund took back."""

    refunded_cents = serializers.IntegerField()
    net_amount_cents = serializers.IntegerField()
    currency = serializers.CharField()
    points_taken_back = serializers.IntegerField()
    points_due = serializers.IntegerField()
