"""What the merchant API takes and shows of customers."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer, StrictUUIDField
from customers.enums import Channel, Purpose
from customers.models import Customer
from dashboard.queries.customers import Known
from loyalty.api.card_serializers import CardProgramSerializer, CardStoreSerializer
from loyalty.enums import CardStatus


class CardSummarySerializer(serializers.Serializer):
    """A card in short."""

    id = serializers.UUIDField()
    card_number = serializers.CharField()
    status = serializers.ChoiceField(CardStatus.choices)
    program = CardProgramSerializer()
    stamp_count = serializers.IntegerField()
    points_balance = serializers.IntegerField()
    enrolled_at = serializers.DateTimeField()
    enrolled_store = CardStoreSerializer()
    last_activity_on = serializers.DateField()


class CustomerConsentSerializer(serializers.Serializer):
    """The newest decision about one purpose on one channel, with its evidence."""

    purpose = serializers.ChoiceField(Purpose.choices)
    channel = serializers.ChoiceField(Channel.choices)
    granted = serializers.BooleanField()
    recorded_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    text_version = serializers.CharField()
    language = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment] # the word of the evidence


class StaffRefSerializer(serializers.Serializer):
    """The staff member whose own card this is."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class CustomerSerializer(serializers.Serializer):
    """A customer with their cards; null where nothing is known."""

    id = serializers.UUIDField(source="customer.id")
    name = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()
    phone = serializers.SerializerMethodField()
    birthday = serializers.SerializerMethodField(help_text="`MM-DD` or `YYYY-MM-DD`.")
    language = serializers.CharField(source="customer.language")
    confirmed_at = serializers.DateTimeField(source="customer.confirmed_at", allow_null=True)
    created_at = serializers.DateTimeField(source="customer.created_at")
    cards = CardSummarySerializer(many=True)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_name(self, known: Known) -> str | None:
        """Return the name."""
        return known.customer.name or None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_email(self, known: Known) -> str | None:
        """Return the address."""
        return known.customer.email or None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_phone(self, known: Known) -> str | None:
        """Return the phone number."""
        return known.customer.phone or None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_birthday(self, known: Known) -> str | None:
        """Return the birthday in the form in which it is typed."""
        who = known.customer
        if who.birth_month is None or who.birth_day is None:
            return None
        year = f"{who.birth_year:04}-" if who.birth_year else ""
        return f"{year}{who.birth_month:02}-{who.birth_day:02}"


class CustomerDetailSerializer(CustomerSerializer):
    """A customer with cards and consents."""

    staff = serializers.SerializerMethodField(help_text="The staff member whose own card this is.")
    merged_into = serializers.UUIDField(
        source="customer.merged_into_id", allow_null=True, help_text="The record that goes on in place of this one."
    )
    consents = CustomerConsentSerializer(many=True)

    @extend_schema_field(StaffRefSerializer(allow_null=True))
    def get_staff(self, known: Known) -> Any:
        """Return the staff member."""
        who: Customer = known.customer
        return StaffRefSerializer(who.staff_pin).data if who.staff_pin else None


class CustomerChangeSerializer(StrictSerializer):
    """What a manager may put right. Addresses and consents are the customer's own."""

    name = StrictCharField(max_length=80, required=False, allow_blank=True)
    language = StrictCharField(max_length=5, required=False, help_text="en, fr, de or lb.")
    staff_id = StrictUUIDField(required=False, allow_null=True, help_text="Whose own card this is; null: nobody's.")


def confirmed(value: bool) -> None:
    """Refuse everything but true."""
    if value is not True:
        raise serializers.ValidationError(_("Send true to confirm: what is erased does not come back."), "required")


class CustomerEraseSerializer(StrictSerializer):
    """The confirmation, and why: it is kept for good, so it names nobody."""

    confirm = StrictBooleanField(validators=[confirmed])
    reason = StrictCharField(max_length=300, help_text="3 to 300 characters, without name, address or number.")


class CustomerErasedSerializer(serializers.Serializer):
    """What was erased, and when; records: those of the same person, this one included."""

    id = serializers.UUIDField()
    erased_at = serializers.DateTimeField()
    records = serializers.IntegerField()
