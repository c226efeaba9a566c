"""What the merchant API takes and shows of stores."""

import re
from datetime import time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from stores.models import Store
from stores.queries import addresses

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?", re.ASCII)
MILLIONTH = Decimal("0.000001")
HOURS = {
    "type": "object",
    "description": "Hours by day, such as `{\"mon\": [[\"08:00\", \"18:00\"]]}`; a day that is missing is closed.",
    "additionalProperties": {
        "type": "array", "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    },
}  # fmt: skip


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "05:00"})
class ClockField(serializers.Field):
    """A time of day to the minute, as text."""

    default_error_messages = {"invalid": _("Write a time as 05:00.")}

    def to_internal_value(self, data: Any) -> time:
        """Read the text."""
        if not isinstance(data, str) or not _CLOCK.fullmatch(data):
            self.fail("invalid")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:
        """Write hours and minutes."""
        return f"{value:%H:%M}"


class CoordinateField(serializers.Field):
    """Degrees as a JSON number, kept to the sixth decimal (a hand's breadth)."""

    default_error_messages = {"invalid": _("A number is needed."), "range": _("This is not a place on Earth.")}

    def __init__(self, furthest: int, **kwargs: Any) -> None:
        self.furthest = furthest
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        """Accept numbers only."""
        if isinstance(data, bool) or not isinstance(data, int | float | Decimal):
            self.fail("invalid")
        value = Decimal(data)
        if not value.is_finite() or abs(value) > self.furthest:
            self.fail("range")
        return value.quantize(MILLIONTH)

    def to_representation(self, value: Decimal) -> float:
        """Write a number."""
        return float(value)


@extend_schema_field({"type": "number", "minimum": -90, "maximum": 90})
class LatitudeField(CoordinateField):
    """North and south."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(90, **kwargs)


@extend_schema_field({"type": "number", "minimum": -180, "maximum": 180})
class LongitudeField(CoordinateField):
    """East and west."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(180, **kwargs)


@extend_schema_field(HOURS)
class HoursField(serializers.JSONField):
    """Opening hours; the service holds their form."""


class StoreSerializer(serializers.ModelSerializer[Store]):
    """A store as its merchant sees it."""

    latitude = LatitudeField(allow_null=True)
    longitude = LongitudeField(allow_null=True)
    day_start = ClockField()
    opening_hours = HoursField()
    qr_code_url = serializers.SerializerMethodField(help_text="An image: the QR code of `enroll_url`.")
    enroll_url = serializers.SerializerMethodField(help_text="Where customers get their card.")
    terminal_url = serializers.SerializerMethodField(help_text="The till.")

    class Meta:
        model = Store
        fields = [
            "id", "name", "code", "street", "postal_code", "city", "country", "latitude", "longitude", "time_zone",
            "day_start", "opening_hours", "own_device_enabled", "qr_code_url", "enroll_url", "terminal_url",
            "created_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.URLField())
    def get_qr_code_url(self, store: Store) -> str:
        """Return the address of the image."""
        return addresses.qr_code(store.code)

    @extend_schema_field(serializers.URLField())
    def get_enroll_url(self, store: Store) -> str:
        """Return the address of the enrolment page."""
        return addresses.enroll(store.code)

    @extend_schema_field(serializers.URLField())
    def get_terminal_url(self, store: Store) -> str:
        """Return the address of the terminal."""
        return addresses.terminal(store.code)


class StoreChangeSerializer(StrictSerializer):
    """Changes of a store. Its code stays: addresses and posters hold it."""

    name = StrictCharField(max_length=80, required=False)
    code = StrictCharField(max_length=60, required=False, help_text="Only the code it has.")
    street = StrictCharField(max_length=120, required=False, allow_blank=True)
    postal_code = StrictCharField(max_length=12, required=False, allow_blank=True)
    city = StrictCharField(max_length=80, required=False, allow_blank=True)
    country = StrictCharField(max_length=2, required=False, help_text="ISO 3166-1, two capital letters.")
    latitude = LatitudeField(required=False, allow_null=True)
    longitude = LongitudeField(required=False, allow_null=True)
    time_zone = StrictCharField(max_length=64, required=False, help_text="Of the IANA database.")
    day_start = ClockField(required=False)
    opening_hours = HoursField(required=False)
    own_device_enabled = StrictBooleanField(required=False)

    def validate_code(self, code: str) -> str:
        """Refuse another code than the store has."""
        store = self.context.get("store")
        if store is not None and code != store.code:
            raise serializers.ValidationError(_("A code stays: addresses and posters hold it."), code="immutable")
        return code


class StoreInputSerializer(StoreChangeSerializer):
    """A new store. Without a code one is made of the names; country and time zone are the merchant's."""

    name = StrictCharField(max_length=80)
    code = StrictCharField(
        max_length=60, required=False, allow_blank=True, help_text="2–60 small letters, digits and hyphens."
    )  # fmt: skip
