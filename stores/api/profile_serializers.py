"""What the merchant API takes and shows of the merchant itself, and of what the platform allows it."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import pictures
from core.api.serializers import StrictCharField, StrictChoiceField, StrictSerializer
from merchants.enums import MerchantStatus, Trade
from merchants.models import Merchant, MerchantSettings
from merchants.rules import colours


class ContrastSerializer(serializers.Serializer):
    """What can be read on the card's colour."""

    text_color = serializers.CharField(help_text="The colour of writing on the card.")
    ratio = serializers.FloatField(help_text="Contrast of the two, from 1 to 21.")
    readable = serializers.BooleanField(help_text="Whether it reaches 4.5.")


class MerchantProfileSerializer(serializers.ModelSerializer[Merchant]):
    """The merchant."""

    trade = serializers.ChoiceField(Trade.choices)
    status = serializers.ChoiceField(MerchantStatus.choices)
    contrast = serializers.SerializerMethodField()
    logo_url = serializers.SerializerMethodField(help_text="Null: no logo.")

    class Meta:
        model = Merchant
        fields = [
            "id", "name", "slug", "legal_name", "trade", "country", "currency", "time_zone", "default_language",
            "card_color", "contrast", "logo_url", "status", "status_since", "created_at",
        ]  # fmt: skip

    @extend_schema_field(ContrastSerializer)
    def get_contrast(self, merchant: Merchant) -> dict[str, Any]:
        """Return what is written on the card's colour, and how well it reads."""
        shades = colours.palette(merchant.card_color)
        ratio = colours.contrast(shades["merchant"], shades["on-merchant"])
        return {
            "text_color": shades["on-merchant"], "ratio": round(ratio, 2), "readable": ratio >= colours.READABLE,
        }  # fmt: skip

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_logo_url(self, merchant: Merchant) -> str | None:
        """Return the complete address of the logo."""
        return f"{settings.SITE_URL}{pictures.url(merchant.logo.name or '')}" if merchant.logo else None


class MerchantProfileChangeSerializer(StrictSerializer):
    """Changes of the merchant. Status and logo are not set here."""

    name = StrictCharField(max_length=80, required=False)
    legal_name = StrictCharField(max_length=160, required=False, allow_blank=True)
    trade = StrictChoiceField(Trade.choices, required=False)
    country = StrictCharField(max_length=2, required=False, help_text="ISO 3166-1, two capital letters.")
    currency = StrictCharField(max_length=3, required=False, help_text="ISO 4217; fixed once something was booked.")
    time_zone = StrictCharField(max_length=64, required=False, help_text="Of the IANA database.")
    default_language = StrictChoiceField(settings.LANGUAGES, required=False)
    card_color = StrictCharField(max_length=7, required=False, help_text="# and six hexadecimal digits.")


class MerchantSettingsSerializer(serializers.ModelSerializer[MerchantSettings]):
    """What the platform allows the merchant; changed by the platform only."""

    features = serializers.DictField(help_text="Switches of single features.")

    class Meta:
        model = MerchantSettings
        fields = [
            "staff_pin_policy", "pin_max_failed_attempts", "pin_lockout_minutes", "allow_self_enrollment",
            "allow_void_transactions", "allow_cross_store_redemption", "own_card_policy", "ask_pin_again",
            "double_opt_in", "enrollment_suspended", "messages_suspended", "max_stores", "features",
        ]  # fmt: skip
