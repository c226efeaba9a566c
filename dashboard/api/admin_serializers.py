"""What the platform's administrators read over the API."""

from rest_framework import serializers

from loyalty.api.program_serializers import ProgramSerializer
from merchants.models import Merchant


class PlatformMerchantSerializer(serializers.ModelSerializer[Merchant]):
    """Whose program it is."""

    class Meta:
        model = Merchant
        fields = ("id", "name", "slug", "status", "status_since", "country", "currency")


class PlatformProgramSerializer(ProgramSerializer):
    """A program with its merchant."""

    merchant = PlatformMerchantSerializer(read_only=True)

    class Meta(ProgramSerializer.Meta):
        fields = (*ProgramSerializer.Meta.fields, "merchant", "created_at", "changed_at")


class ProgramFiguresSerializer(serializers.Serializer):
    """What a program gave and what is outstanding on its cards."""

    cards = serializers.IntegerField()
    new_cards_30d = serializers.IntegerField()
    visits_30d = serializers.IntegerField()
    stamps_given = serializers.IntegerField()
    stamps_outstanding = serializers.IntegerField()
    rewards_issued = serializers.IntegerField()
    rewards_redeemed = serializers.IntegerField()
    points_issued = serializers.IntegerField()
    points_redeemed = serializers.IntegerField()
    points_expired = serializers.IntegerField()
    points_outstanding = serializers.IntegerField()


class SalesSerializer(serializers.Serializer):
    """Sales in one currency."""

    currency = serializers.CharField()
    sales = serializers.IntegerField()
    sales_cents = serializers.IntegerField()


class PlatformFiguresSerializer(ProgramFiguresSerializer):
    """The platform's totals."""

    as_of = serializers.DateTimeField()
    merchants = serializers.IntegerField()
    merchants_by_status = serializers.DictField(child=serializers.IntegerField())
    programs = serializers.IntegerField()
    programs_by_status = serializers.DictField(child=serializers.IntegerField())
    stores = serializers.IntegerField()
    members_30d = serializers.IntegerField()
    sales_30d = SalesSerializer(many=True)
