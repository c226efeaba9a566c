"""Input and answers of the customer's API and of the public one."""

from rest_framework import serializers

from core.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from loyalty.api.card_serializers import (
    CardSerializer,
    CardStoreSerializer,
    WalletLinksSerializer,
    WalletStateSerializer,
)
from loyalty.enums import LoyaltyType, ProgramStatus


class EnrollSerializer(StrictSerializer):
    """What a new customer sends: the store, and whatever they like to tell. A box that is not sent is not ticked."""

    store_code = StrictCharField(max_length=100)
    name = StrictCharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    email = StrictCharField(max_length=254, required=False, allow_blank=True, allow_null=True)
    phone = StrictCharField(max_length=40, required=False, allow_blank=True, allow_null=True)
    birthday = StrictCharField(
        max_length=10, required=False, allow_blank=True, allow_null=True, help_text="`MM-DD` or `YYYY-MM-DD`"
    )
    language = StrictCharField(max_length=10, required=False, allow_blank=True, allow_null=True)
    service_email_consent = StrictBooleanField(default=False, help_text="reward news by e-mail")
    marketing_email_consent = StrictBooleanField(default=False, help_text="offers by e-mail")
    marketing_sms_consent = StrictBooleanField(default=False, help_text="offers by SMS")


class EnrolledSerializer(serializers.Serializer):
    """A card, the secret that opens it for its customer, and where its wallet buttons lead."""

    card = CardSerializer()
    access_secret = serializers.CharField()
    wallet = WalletLinksSerializer()


class OwnWalletSerializer(WalletStateSerializer, WalletLinksSerializer):
    """The wallet state of the customer's own card, with the addresses of the buttons."""


class OwnCardSerializer(CardSerializer):
    """The customer's own card; `wallet` also holds the addresses of the buttons."""

    wallet = OwnWalletSerializer()


class PublicRewardSerializer(serializers.Serializer):
    """A reward of the catalogue."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    points_cost = serializers.IntegerField()
    image_url = serializers.CharField(allow_null=True)


class PublicMerchantSerializer(serializers.Serializer):
    """The business behind a store, as everyone may see it."""

    name = serializers.CharField()
    trade = serializers.CharField()
    currency = serializers.CharField()
    default_language = serializers.CharField()
    card_color = serializers.CharField()
    logo_url = serializers.CharField(allow_null=True)


class EnrollmentStateSerializer(serializers.Serializer):
    """Whether one can join here now, and why not."""

    open = serializers.BooleanField()
    reason = serializers.ChoiceField(
        ["self_enrollment_off", "program_not_active", "merchant_suspended"], allow_null=True
    )  # fmt: skip
    detail = serializers.CharField(allow_null=True)
    url = serializers.CharField()


class PublicProgramSerializer(serializers.Serializer):
    """What the enrolment page needs to know of the program of a store."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(ProgramStatus.choices)
    loyalty_type = serializers.ChoiceField(LoyaltyType.choices)
    stamps_target = serializers.IntegerField(allow_null=True)
    stamps_reward_description = serializers.CharField(allow_null=True)
    points_per_euro = serializers.CharField(allow_null=True)
    welcome_bonus_points = serializers.IntegerField(allow_null=True)
    minimum_purchase_cents = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    card_color = serializers.CharField()
    terms = serializers.DictField(child=serializers.CharField())
    ends_on = serializers.DateField(allow_null=True)
    rewards = PublicRewardSerializer(many=True)
    store = CardStoreSerializer()
    merchant = PublicMerchantSerializer()
    enrollment = EnrollmentStateSerializer()
