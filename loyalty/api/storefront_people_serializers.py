"""Input and answers of the customer's API about themselves."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from customers.enums import Channel, Purpose
from customers.models import Consent

ANSWERED = ["purpose", "channel", "granted", "confirmed", "text_version", "language", "source", "recorded_at"]


class StrictChoiceField(serializers.ChoiceField):
    """One of some words: a JSON string."""

    def to_internal_value(self, data: Any) -> Any:
        """Accept strings only."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


def text(max_length: int, **how: Any) -> StrictCharField:
    """Return a field that may be left out, null or empty."""
    return StrictCharField(max_length=max_length, required=False, allow_blank=True, allow_null=True, **how)


class ProfileInSerializer(StrictSerializer):
    """What changes; a field that is not sent stays, null or empty text clears it."""

    name = text(200)
    email = text(254)
    phone = text(40)
    birthday = text(10, help_text="`MM-DD` or `YYYY-MM-DD`")
    language = text(10)


class ConsentInSerializer(StrictSerializer):
    """A decision: one purpose, one channel, yes or no."""

    purpose = StrictChoiceField(Purpose.choices)
    channel = StrictChoiceField(Channel.choices)
    granted = StrictBooleanField()


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    """A decision as it is kept; `confirmed`: proven by the address it is about."""

    confirmed = serializers.BooleanField(default=False, read_only=True)

    class Meta:
        model = Consent
        fields = ANSWERED


class ConsentListSerializer(serializers.Serializer):
    """The newest decision per purpose and channel."""

    results = ConsentSerializer(many=True)


class ProfileSerializer(serializers.Serializer):
    """What the merchant holds of the customer; `email` is the address that counts."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    email_confirmed = serializers.BooleanField()
    pending_email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    birthday = serializers.CharField(allow_null=True)
    language = serializers.CharField()
    consents = ConsentSerializer(many=True)


class RecoverSerializer(StrictSerializer):
    """A store, and either an address or a number."""

    store_code = StrictCharField(max_length=100)
    email = text(254)
    phone = text(40)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        given = [field for field in ("email", "phone") if (attrs.get(field) or "").strip()]
        if not given:
            raise serializers.ValidationError({"email": [serializers.ErrorDetail(str(NEEDED), "required")]})
        if len(given) > 1:
            raise serializers.ValidationError({"phone": [serializers.ErrorDetail(str(ONE), "one_of")]})
        return attrs


NEEDED = _("Write the e-mail address or the phone number of your card.")
ONE = _("Write one of the two: the address or the number.")
