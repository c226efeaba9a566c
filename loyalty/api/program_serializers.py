"""Programs, rewards and figures as the API answers them, and what it takes.

The input serializers describe; what is wrong with a value is found by the services, so that a page and a script are
told the same. A test holds both together.
"""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import pictures
from loyalty.enums import FullCard, LoyaltyType, ProgramStatus, Rounding, Shortfall
from loyalty.models import Program, Reward
from loyalty.rules import programs as rules
from loyalty.services import rewards

RATE = {
    "oneOf": [
        {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": rules.MAX_RATE},
        {"type": "string", "description": "A decimal number or a fraction a/b.", "example": "1/50"},
    ]
}
TERMS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": rules.TERMS_LENGTH}}


def _number(name: str, **kwargs: Any) -> serializers.IntegerField:
    low, high = {**rules.LIMITS, **rewards.LIMITS}[name]
    return serializers.IntegerField(min_value=low, max_value=high, **kwargs)


@extend_schema_field(RATE)
class RateField(serializers.Field):
    """Points per unit of currency."""


@extend_schema_field(TERMS)
class TermsField(serializers.JSONField):
    """Terms by language."""


class ProgramInputSerializer(serializers.Serializer):
    """The fields of a program; each can be set alone."""

    name = serializers.CharField(max_length=rules.LENGTHS["name"])
    loyalty_type = serializers.ChoiceField(LoyaltyType.choices)
    status = serializers.ChoiceField(ProgramStatus.choices, required=False)
    stamps_target = _number("stamps_target", required=False)
    stamps_reward_description = serializers.CharField(
        max_length=rules.LENGTHS["stamps_reward_description"], required=False
    )
    stamps_reward_valid_days = _number("stamps_reward_valid_days", required=False, allow_null=True)
    full_card = serializers.ChoiceField(FullCard.choices, required=False)
    points_per_euro = RateField(required=False)
    rounding = serializers.ChoiceField(Rounding.choices, required=False)
    welcome_bonus_points = _number("welcome_bonus_points", required=False)
    minimum_purchase_cents = _number("minimum_purchase_cents", required=False)
    minimum_redemption_points = _number("minimum_redemption_points", required=False)
    points_expiration_days = _number("points_expiration_days", required=False)
    cooldown_minutes = _number("cooldown_minutes", required=False)
    max_daily_stamps = _number("max_daily_stamps", required=False)
    require_staff_pin = serializers.BooleanField(required=False)
    void_window_minutes = _number("void_window_minutes", required=False)
    refund_shortfall = serializers.ChoiceField(Shortfall.choices, required=False)
    card_color = serializers.RegexField(r"^(#[0-9a-fA-F]{6})?$", required=False, allow_blank=True)
    terms = TermsField(required=False)
    ends_on = serializers.DateField(required=False, allow_null=True)


class EffectSerializer(serializers.Serializer):
    """A changed field, and from when on the new value counts."""

    field = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)
    applies_to = serializers.ChoiceField([rules.NOW, rules.NEW_CYCLES, rules.NEW_SALES])


class ProgramSerializer(serializers.ModelSerializer[Program]):
    """A program as it stands."""

    points_per_euro = serializers.SerializerMethodField()
    card_color = serializers.SerializerMethodField()
    terms = TermsField()

    class Meta:
        model = Program
        fields: tuple[str, ...] = (
            "id", "name", "status", "version", "loyalty_type", "currency", "stamps_target",
            "stamps_reward_description", "stamps_reward_valid_days", "full_card", "points_per_euro", "rounding",
            "welcome_bonus_points", "minimum_purchase_cents", "minimum_redemption_points", "points_expiration_days",
            "cooldown_minutes", "max_daily_stamps", "require_staff_pin", "void_window_minutes", "refund_shortfall",
            "card_color", "terms", "ends_on", "is_default",
        )  # fmt: skip

    def get_points_per_euro(self, program: Program) -> str:
        """Return the rate in lowest terms: "10", "1/50"."""
        return rules.show_rate(program.points_per_euro_num, program.points_per_euro_den)

    def get_card_color(self, program: Program) -> str:
        """Return the colour of the cards: the program's own, else the merchant's."""
        return str(program.card_color or program.merchant.card_color)


class ChangedProgramSerializer(ProgramSerializer):
    """A program after a change, with what the change means; context `effects` holds it."""

    effects = serializers.SerializerMethodField()

    class Meta(ProgramSerializer.Meta):
        fields = (*ProgramSerializer.Meta.fields, "effects")

    @extend_schema_field(EffectSerializer(many=True))
    def get_effects(self, _program: Program) -> Any:
        """Return the changed fields."""
        return EffectSerializer(self.context.get("effects", ()), many=True).data


class RewardInputSerializer(serializers.Serializer):
    """The fields of a reward."""

    name = serializers.CharField(max_length=rewards.LENGTHS["name"])
    description = serializers.CharField(max_length=rewards.LENGTHS["description"], required=False, allow_blank=True)
    points_cost = _number("points_cost")
    is_active = serializers.BooleanField(required=False)
    position = _number("position", required=False)
    valid_days = _number("valid_days", required=False, allow_null=True)


class RewardSerializer(serializers.ModelSerializer[Reward]):
    """A reward that points buy."""

    image_url = serializers.SerializerMethodField()

    class Meta:
        model = Reward
        fields = ("id", "name", "description", "points_cost", "image_url", "is_active", "position", "valid_days")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_image_url(self, reward: Reward) -> str | None:
        """Return the complete address of the picture, null when there is none."""
        return f"{settings.SITE_URL}{pictures.url(reward.image.name)}" if reward.image else None


class FiguresSerializer(serializers.Serializer):
    """What was given and what is there."""

    members = serializers.IntegerField()
    active_cards = serializers.IntegerField()
    new_members_30d = serializers.IntegerField()
    stamps_given = serializers.IntegerField()
    rewards_redeemed = serializers.IntegerField()
    points_issued = serializers.IntegerField()
    points_redeemed = serializers.IntegerField()
    points_outstanding = serializers.IntegerField()


class StatsSerializer(serializers.Serializer):
    """The figures of the store and of the whole merchant."""

    store = FiguresSerializer()
    merchant = FiguresSerializer()
