"""What the store API takes and shows of staff and PINs."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from stores.models import StaffPin, Store
from stores.rules import pins as rules


class StaffSerializer(serializers.ModelSerializer[StaffPin]):
    """Somebody who may work at the till: what the terminal shows."""

    class Meta:
        model = StaffPin
        fields = ["id", "name"]


class StoreRefSerializer(serializers.ModelSerializer[Store]):
    """A store, in short."""

    class Meta:
        model = Store
        fields = ["id", "code", "name"]


class PinSerializer(serializers.ModelSerializer[StaffPin]):
    """A staff member as a manager sees them; the PIN itself is never readable again."""

    stores = serializers.SerializerMethodField(help_text="Null: works in all stores.")
    digits = serializers.IntegerField(source="pin_digits")
    warning = serializers.SerializerMethodField(help_text="`short_pin` for four and five digits, else null.")

    class Meta:
        model = StaffPin
        fields = [
            "id", "name", "external_id", "stores", "digits", "warning", "failed_attempts", "locked_until", "is_active",
            "created_at", "rotated_at", "last_used_at",
        ]  # fmt: skip

    @extend_schema_field(StoreRefSerializer(many=True, allow_null=True))
    def get_stores(self, staff: StaffPin) -> Any:
        """Return the stores of somebody who does not work in all of them."""
        if staff.all_stores:
            return None
        stores = sorted((link.store for link in staff.store_links.all()), key=lambda store: (store.name, store.code))
        return StoreRefSerializer(stores, many=True).data

    @extend_schema_field(serializers.ChoiceField(choices=["short_pin"], allow_null=True))
    def get_warning(self, staff: StaffPin) -> str | None:
        """Warn of a PIN that is shorter than advised."""
        return "short_pin" if staff.pin_digits < rules.WARN_BELOW_DIGITS else None


class NewPinSerializer(PinSerializer):
    """A staff member with the PIN that was made for them, shown this once (null when it was chosen)."""

    pin = serializers.CharField(allow_null=True)

    class Meta(PinSerializer.Meta):
        fields = [*PinSerializer.Meta.fields, "pin"]


class StoreListField(serializers.ListField):
    """Stores by code or id; null stands for all."""

    child = StrictCharField(max_length=60)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, allow_empty=False, max_length=500, **kwargs)


class PinInputSerializer(StrictSerializer):
    """A new staff member. Without a PIN one of six digits is made."""

    name = StrictCharField(max_length=60)
    pin = StrictCharField(max_length=8, required=False, allow_null=True, trim_whitespace=False)
    stores = StoreListField(required=False)
    external_id = StrictCharField(max_length=64, required=False, allow_blank=True)


class PinChangeSerializer(StrictSerializer):
    """Changes of a staff member. `pin` sets a PIN, `rotate` has one made."""

    name = StrictCharField(max_length=60, required=False)
    pin = StrictCharField(max_length=8, required=False, trim_whitespace=False)
    stores = StoreListField(required=False)
    external_id = StrictCharField(max_length=64, required=False, allow_blank=True)
    rotate = StrictBooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a PIN or the wish for a made one, not both."""
        if attrs.get("rotate") and "pin" in attrs:
            raise serializers.ValidationError({"rotate": _("Send a PIN or rotate, not both.")})
        return attrs


class VerifyInputSerializer(StrictSerializer):
    """A staff member and what they typed."""

    staff_id = serializers.UUIDField(required=False, allow_null=True)
    staff_pin = StrictCharField(max_length=64, trim_whitespace=False)


class StaffSessionSerializer(serializers.Serializer):
    """A PIN session: accepted wherever a PIN is, on the same terminal or key, until it ends."""

    staff_session = serializers.CharField()
    expires_at = serializers.DateTimeField()
    staff = StaffSerializer()


def stores_by_reference(references: list[str] | None) -> list[UUID] | None:
    """Return the ids of stores named by code or id; an unknown one gets an id that no store has."""
    if references is None:
        return None
    by_code = dict(Store.objects.filter(code__in=references, closed_at=None).values_list("code", "id"))
    return [by_code.get(reference) or _uuid(reference) for reference in references]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
