"""The merchant's logo over the merchant API."""

from typing import ClassVar

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import pictures
from core.api import uploads
from merchants import permissions
from merchants.models import Merchant
from merchants.services import logos
from stores.api.merchant import MERCHANT, TAG, MerchantAPIView


class LogoSerializer(serializers.Serializer):
    """Where the logo is: the square PNG of 660 to 1024 pixels a side, and a small one of 80."""

    logo_url = serializers.SerializerMethodField()
    small_logo_url = serializers.SerializerMethodField()

    def get_logo_url(self, merchant: Merchant) -> str:
        """Return the complete address of the square."""
        return f"{settings.SITE_URL}{pictures.url(merchant.logo.name)}"

    def get_small_logo_url(self, merchant: Merchant) -> str:
        """Return the complete address of the small one."""
        return f"{settings.SITE_URL}{pictures.small_url(merchant.logo.name)}"


class LogoView(MerchantAPIView):
    """The logo."""

    right: ClassVar = permissions.PROFILE
    parser_classes = uploads.PARSERS

    @extend_schema(
        tags=[TAG], operation_id="merchant_logo_set", summary="Set the logo", parameters=[MERCHANT],
        request={uploads.MEDIA_TYPE: uploads.ImageUploadSerializer}, responses=LogoSerializer,
        description="The picture is written anew as a square PNG (660 to 1024 pixels a side, padded) without anything "
        "it carried besides. The old logo stays when it is refused.",
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Take the picture as the logo."""
        merchant = logos.replace(
            merchant_id=self.merchant_id, upload=uploads.read(request), actor_id=self.actor_id, at=timezone.now()
        )
        return Response(LogoSerializer(merchant).data)

    @extend_schema(
        tags=[TAG], operation_id="merchant_logo_remove", summary="Remove the logo", parameters=[MERCHANT],
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request) -> Response:
        """Show the icon of the trade instead."""
        logos.remove(merchant_id=self.merchant_id, actor_id=self.actor_id, at=timezone.now())
        return Response(status=204)
