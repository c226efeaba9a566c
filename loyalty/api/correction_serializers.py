"""What a manager's corrections take and answer: adjust, freeze, merge and their ways back."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer, StrictUUIDField
from loyalty.api.card_serializers import CardSerializer
from loyalty.api.operation_serializers import OperationAnswer, StaffInput
from loyalty.models import CardMerge
from loyalty.rules.points import MAX_POINTS
from loyalty.rules.stamps import MAX_QUANTITY

MAX_REASON = 200


class ReasonInput(StrictSerializer):
    """Why; managers read it beside the card."""

    reason = StrictCharField(max_length=MAX_REASON)


class MergeInput(ReasonInput):
    """POST cards/{id}/merge. into: the id of the card that goes on, of the same program."""

    into = StrictUUIDField()


class AdjustInput(StaffInput):
    """POST cards/{id}/adjust: at least one of the two is not zero."""

    stamps_delta = StrictIntegerField(required=False, default=0, min_value=-MAX_QUANTITY, max_value=MAX_QUANTITY)
    points_delta = StrictIntegerField(required=False, default=0, min_value=-MAX_POINTS, max_value=MAX_POINTS)
    reason = StrictCharField(max_length=MAX_REASON)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse an adjustment of nothing."""
        if attrs["stamps_delta"] == 0 and attrs["points_delta"] == 0:
            text = _("Write how many stamps or points to add or take off.")
            raise serializers.ValidationError({"stamps_delta": [text]}, code="nothing_to_do")
        return attrs


class AdjustAnswer(OperationAnswer):
    """The card after an adjustment."""

    stamp_count = serializers.IntegerField()
    stamps_target = serializers.IntegerField()
    stamps_until_reward = serializers.IntegerField()
    reward_earned = serializers.BooleanField()
    points_balance = serializers.IntegerField()
    points_debt = serializers.IntegerField()
    debt_paid = serializers.IntegerField()


class CardNameSerializer(serializers.Serializer):
    """A card by id and number."""

    card_id = serializers.UUIDField(source="pk")
    card_number = serializers.CharField()


class MovedSerializer(serializers.Serializer):
    """What a merge brought to the target; rewards: those that were ready."""

    stamps = serializers.IntegerField()
    points = serializers.IntegerField()
    debt = serializers.IntegerField()
    rewards = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField())
    def get_rewards(self, moved: dict[str, Any]) -> int:
        """Return how many ready rewards went along."""
        return len(moved["rewards"])


class BackSerializer(serializers.Serializer):
    """What went back to the source; missing_*: what it had brought and what is not there any more.

    cancelled: rewards of the target that gave their stamps back, since those of the source were in them.
    """

    stamps = serializers.IntegerField()
    points = serializers.IntegerField()
    debt = serializers.IntegerField()
    rewards = serializers.IntegerField()
    missing_stamps = serializers.IntegerField()
    missing_points = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class MergeSerializer(serializers.Serializer):
    """A merge. card: the one that goes on, after an un-merge the one that came back."""

    id = serializers.UUIDField()
    source = CardNameSerializer()  # type: ignore[assignment]
    target = CardNameSerializer()
    reason = serializers.CharField()
    moved = MovedSerializer()
    back = serializers.SerializerMethodField()
    merged_at = serializers.DateTimeField()
    undo_until = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)
    card = serializers.SerializerMethodField()

    @extend_schema_field(BackSerializer(allow_null=True))
    def get_back(self, merge: CardMerge) -> Any:
        """Return what went back, null while the merge stands."""
        back = merge.moved.get("back")
        return BackSerializer(back).data if back else None

    @extend_schema_field(CardSerializer)
    def get_card(self, _merge: CardMerge) -> Any:
        """Return the card to go on with."""
        return CardSerializer(self.context["face"]).data
