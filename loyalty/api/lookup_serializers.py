"""What the look-up of a till takes and answers."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictCharField, StrictSerializer
from loyalty.api.card_serializers import CardSerializer
from loyalty.queries import cards as card_queries
from loyalty.queries.card_faces import CardFace

MAX_CODE = 500


class LookupSerializer(StrictSerializer):
    """Exactly one of the four. `qr_code`: the bare code, or the address that the QR code holds."""

    qr_code = StrictCharField(required=False, max_length=MAX_CODE)
    card_number = StrictCharField(required=False, max_length=32)
    card_id = serializers.UUIDField(required=False)
    query = StrictCharField(required=False, max_length=card_queries.MAX_SEARCH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one, and read it into the form in which cards keep it."""
        if len(attrs) != 1:
            raise serializers.ValidationError(
                {"non_field_errors": [_("Send one of qr_code, card_number, card_id and query.")]}, code="one_of"
            )
        if "qr_code" in attrs:
            return {"qr_code": card_queries.code_of(attrs["qr_code"])}
        if "card_number" in attrs:
            return {"card_number": card_queries.number_of(attrs["card_number"])}
        return attrs


class AnswerSerializer(serializers.Serializer):
    """Whether something can be done; if not, the code says why and the time until when."""

    allowed = serializers.BooleanField()
    code = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class MayStampSerializer(AnswerSerializer):
    """The same for a stamp, with how many the card can still get today; null without a daily limit."""

    remaining_today = serializers.IntegerField(allow_null=True)


class CanSerializer(serializers.Serializer):
    """What the card allows at this store now."""

    stamp = MayStampSerializer()
    earn_points = AnswerSerializer()
    redeem = AnswerSerializer()


class FoundCardSerializer(CardSerializer):
    """A card with what can be done; context `can` holds the answers."""

    can = serializers.SerializerMethodField()

    @extend_schema_field(CanSerializer)
    def get_can(self, _face: CardFace) -> Any:
        """Return what can be done."""
        return CanSerializer(self.context["can"]).data


class FoundCardsSerializer(serializers.Serializer):
    """The cards that a search found, at most 20."""

    results = CardSerializer(many=True)
