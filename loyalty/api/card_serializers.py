"""The card as every API answers it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.queries import masking
from loyalty.enums import CardStatus, LoyaltyType, RewardSource
from loyalty.queries.card_faces import CardFace


class CardProgramSerializer(serializers.Serializer):
    """The program of a card."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    loyalty_type = serializers.ChoiceField(LoyaltyType.choices)


class CardCustomerSerializer(serializers.Serializer):
    """Who holds a card; masked in look-ups, null where nothing is known."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    language = serializers.CharField()


class CardStoreSerializer(serializers.Serializer):
    """A store by its code and name."""

    code = serializers.CharField()
    name = serializers.CharField()


class CardRewardSerializer(serializers.Serializer):
    """A reward that can be had: issued (stamps), or available for the points there are."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    source = serializers.ChoiceField(RewardSource.choices)  # type: ignore[assignment] # the API's word
    state = serializers.CharField()
    issued_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class WalletStateSerializer(serializers.Serializer):
    """In which wallets a card lives, and since when a pass lags behind."""

    apple_devices = serializers.IntegerField()
    google_saved = serializers.BooleanField()
    out_of_date_since = serializers.DateTimeField(allow_null=True)


class WalletLinksSerializer(serializers.Serializer):
    """Where the wallet buttons lead; null where there is none."""

    google_url = serializers.CharField(allow_null=True)
    apple_url = serializers.CharField(allow_null=True)


class CardSerializer(serializers.Serializer):
    """A card from its CardFace; context `masked=True` hides who holds it."""

    id = serializers.UUIDField(source="card.id")
    card_number = serializers.CharField(source="card.card_number")
    qr_code_data = serializers.CharField(source="card.qr_code_data")
    status = serializers.ChoiceField(CardStatus.choices, source="card.status")
    program = CardProgramSerializer(source="card.program")
    customer = serializers.SerializerMethodField()
    stamp_count = serializers.IntegerField(source="card.stamp_count")
    stamps_target = serializers.SerializerMethodField()
    stamps_until_reward = serializers.IntegerField(allow_null=True)
    points_balance = serializers.IntegerField(source="card.points_balance")
    points_debt = serializers.IntegerField(source="card.points_debt")
    points_expire_on = serializers.DateField(allow_null=True)
    to_next_point_cents = serializers.IntegerField(allow_null=True)
    rewards_available = serializers.SerializerMethodField()
    rewards = CardRewardSerializer(many=True)
    enrolled_at = serializers.DateTimeField(source="card.enrolled_at")
    enrolled_store = CardStoreSerializer(source="card.enrolled_store")
    last_activity_at = serializers.DateTimeField()
    wallet = WalletStateSerializer()

    @extend_schema_field(CardCustomerSerializer)
    def get_customer(self, face: CardFace) -> dict[str, Any]:
        """Return who holds the card, masked where the caller only recognises people."""
        who = face.card.customer
        shown = {"name": who.name, "email": who.email, "phone": who.phone}
        if self.context.get("masked"):
            masks = {"name": masking.mask_name, "email": masking.mask_email, "phone": masking.mask_phone}
            shown = {field: masks[field](value) for field, value in shown.items()}
        return {"id": str(who.pk), **{name: value or None for name, value in shown.items()}, "language": who.language}

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_stamps_target(self, face: CardFace) -> int | None:
        """Return the stamps of the running cycle, null where stamps are not counted."""
        return face.card.stamps_target if face.card.program.has_stamps else None

    @extend_schema_field(serializers.IntegerField())
    def get_rewards_available(self, face: CardFace) -> int:
        """Return how many rewards can be had now."""
        return len(face.rewards)
