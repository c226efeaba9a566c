"""The merchant itself over the merchant API: profile and looks, and what the platform allows it."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from merchants import permissions
from merchants.models import Merchant, MerchantSettings
from merchants.services import merchants
from stores.api.merchant import KEY, MERCHANT, TAG, MerchantAPIView
from stores.api.profile_serializers import (
    MerchantProfileChangeSerializer,
    MerchantProfileSerializer,
    MerchantSettingsSerializer,
)


class ProfileView(MerchantAPIView):
    """Profile and branding."""

    right: ClassVar = permissions.PROFILE

    @extend_schema(
        tags=[TAG], operation_id="merchant_get", summary="The merchant", parameters=[MERCHANT],
        responses=MerchantProfileSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Return the merchant."""
        return Response(MerchantProfileSerializer(Merchant.objects.get(pk=self.merchant_id)).data)

    @extend_schema(
        tags=[TAG], operation_id="merchant_update", summary="Change profile and looks", parameters=[MERCHANT, KEY],
        request=MerchantProfileChangeSerializer, responses=MerchantProfileSerializer,
    )  # fmt: skip
    def patch(self, request: Request) -> HttpResponse:
        """Change what is sent; cards show new looks at their next look."""
        data = self.read(MerchantProfileChangeSerializer)

        def run() -> tuple[int, Any, Any]:
            changed = merchants.update(
                merchant_id=self.merchant_id, at=timezone.now(), actor_id=self.actor_id, **data
            )  # fmt: skip
            body = MerchantProfileSerializer(changed).data
            return 200, body, body

        return self.once("merchant.update", run)


class SettingsView(MerchantAPIView):
    """What the platform allows."""

    right: ClassVar = permissions.SETTINGS

    @extend_schema(
        tags=[TAG], operation_id="merchant_settings_get", summary="What the platform allows", parameters=[MERCHANT],
        responses=MerchantSettingsSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Return the settings; they are changed by the platform only."""
        return Response(MerchantSettingsSerializer(MerchantSettings.objects.get()).data)
