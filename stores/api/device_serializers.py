"""What the merchant API takes and shows of terminals and API keys. Secrets are shown once."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictCharField, StrictChoiceField, StrictSerializer
from merchants.permissions import SCOPES
from stores.api.serializers import StoreRefSerializer
from stores.models import ApiKey, Terminal


class TerminalSerializer(serializers.ModelSerializer[Terminal]):
    """A paired device."""

    store = StoreRefSerializer()

    class Meta:
        model = Terminal
        fields = ["id", "name", "store", "paired_at", "last_seen_at"]


class PairingInputSerializer(StrictSerializer):
    """A device that is to be paired. The store may be left out where there is only one."""

    name = StrictCharField(max_length=60)
    store = StrictCharField(max_length=60, required=False, help_text="Code or id.")


class PairingSerializer(serializers.Serializer):
    """A pairing code, shown this once: type it on the device within 15 minutes."""

    name = serializers.CharField()
    store = StoreRefSerializer()
    code = serializers.CharField(allow_null=True, help_text="Null in a replay.")
    expires_at = serializers.DateTimeField()
    pair_url = serializers.URLField(help_text="Where the device types the code.")


class RenameSerializer(StrictSerializer):
    """Another name."""

    name = StrictCharField(max_length=60, required=False)


class ScopesField(serializers.ListField):
    """Scopes of a key."""

    child = serializers.ChoiceField(choices=SCOPES)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key without its text."""

    scopes = ScopesField()
    store = StoreRefSerializer(allow_null=True, help_text="Null: good for all stores.")

    class Meta:
        model = ApiKey
        fields = ["id", "name", "prefix", "scopes", "store", "created_at", "expires_at", "last_used_at"]


class NewApiKeySerializer(ApiKeySerializer):
    """A key with its text, shown this once."""

    key = serializers.CharField(allow_null=True, help_text="`lk_…`; null in a replay.")

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantField(serializers.DateTimeField):
    """A moment with its time zone, as text."""

    default_error_messages = {"zone": _("Write a moment with its time zone, such as 2026-12-31T23:00:00Z.")}

    def to_internal_value(self, value: Any) -> datetime:
        """Refuse what is no text, and a time that could be meant in two zones."""
        if not isinstance(value, str):
            self.fail("zone")
        return super().to_internal_value(value)

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse a time without a zone instead of guessing one."""
        if value.tzinfo is None:
            self.fail("zone")
        return super().enforce_timezone(value)


class ApiKeyInputSerializer(StrictSerializer):
    """A new key. A caller gives it no more than it has itself."""

    name = StrictCharField(max_length=60)
    scopes = serializers.ListField(
        child=StrictChoiceField(SCOPES), allow_empty=False, max_length=len(SCOPES), help_text="What the key may do."
    )  # fmt: skip
    store = StrictCharField(max_length=60, required=False, allow_null=True, help_text="Code or id; null: all stores.")
    expires_at = InstantField(required=False, allow_null=True)
