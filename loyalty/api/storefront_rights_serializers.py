"""What the customer's rights take and answer: erasing everything, and taking everything away."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import StrictBooleanField, StrictSerializer
from customers.models import Consent, MagicLink, Mail
from customers.services import consents
from loyalty.api.card_serializers import CardProgramSerializer, CardStoreSerializer
from loyalty.api.transaction_serializers import TransactionSerializer
from loyalty.enums import CardStatus
from loyalty.models import IssuedReward

FORMAT = "loyalty-data/1"


def confirmed(value: Any) -> None:
    """Refuse everything but true: what is erased does not come back."""
    if value is not True:
        raise serializers.ValidationError(_("Send true to confirm: what is erased does not come back."), "required")


class EraseSerializer(StrictSerializer):
    """The confirmation."""

    confirm = StrictBooleanField(validators=[confirmed])


class ErasedSerializer(serializers.Serializer):
    """When it was erased."""

    erased_at = serializers.DateTimeField()


class ControllerSerializer(serializers.Serializer):
    """The business that answers for the data."""

    name = serializers.CharField()
    legal_name = serializers.CharField(allow_null=True)
    country = serializers.CharField()


class RecordSerializer(serializers.Serializer):
    """What was told about oneself; null where nothing was."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    email_confirmed_at = serializers.DateTimeField(allow_null=True)
    pending_email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    birthday = serializers.CharField(allow_null=True, help_text="`MM-DD` or `YYYY-MM-DD`")
    language = serializers.CharField()
    works_here = serializers.BooleanField(help_text="noted as a staff member's own card")
    created_at = serializers.DateTimeField()


class EvidenceSerializer(serializers.ModelSerializer[Consent]):
    """A decision about messages with its evidence; `text`: the sentence of today for what was agreed to."""

    text = serializers.SerializerMethodField()

    class Meta:
        model = Consent
        fields = [
            "purpose", "channel", "granted", "text", "text_version", "language", "source", "address", "recorded_at",
            "confirmed_at",
        ]  # fmt: skip

    def get_text(self, row: Consent) -> str:
        """Return the sentence in the caller's language."""
        return str(consents.TEXTS.get((row.purpose, row.channel), ""))


class OwnMailSerializer(serializers.ModelSerializer[Mail]):
    """A mail by kind and time."""

    class Meta:
        model = Mail
        fields = ["kind", "purpose", "state", "created_at", "sent_at"]


class OwnLinkSerializer(serializers.ModelSerializer[MagicLink]):
    """A link that was mailed; what opens it is not kept."""

    class Meta:
        model = MagicLink
        fields = ["purpose", "address", "created_at", "expires_at", "used_at"]


class OwnRewardSerializer(serializers.ModelSerializer[IssuedReward]):
    """A reward that a card ever got."""

    class Meta:
        model = IssuedReward
        fields = ["id", "name", "source", "state", "points_used", "issued_at", "expires_at", "redeemed_at"]


class DeviceSerializer(serializers.Serializer):
    """From where the customer's own phone did it."""

    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()


class OwnTransactionSerializer(TransactionSerializer):
    """A ledger row; `device` where it came from the customer's own browser."""

    device = DeviceSerializer(allow_null=True)


class OwnedCardSerializer(serializers.Serializer):
    """A card with its whole history, the oldest row first."""

    id = serializers.UUIDField()
    card_number = serializers.CharField()
    qr_code_data = serializers.CharField()
    status = serializers.ChoiceField(CardStatus.choices)
    merged_into = serializers.UUIDField(allow_null=True)
    program = CardProgramSerializer()
    stamp_count = serializers.IntegerField()
    stamps_target = serializers.IntegerField(allow_null=True)
    points_balance = serializers.IntegerField()
    points_debt = serializers.IntegerField()
    enrolled_at = serializers.DateTimeField()
    enrolled_store = CardStoreSerializer()
    rewards = OwnRewardSerializer(many=True)
    transactions = OwnTransactionSerializer(many=True)


class TakeawaySerializer(serializers.Serializer):
    """Everything that is held of a person."""

    format = serializers.CharField(help_text=f"`{FORMAT}`")
    made_at = serializers.DateTimeField()
    controller = ControllerSerializer()
    profile = RecordSerializer()
    earlier_profiles = RecordSerializer(many=True, help_text="records that were merged into this one")
    consents = EvidenceSerializer(many=True)
    mails = OwnMailSerializer(many=True)
    links = OwnLinkSerializer(many=True)
    cards = OwnedCardSerializer(many=True)
