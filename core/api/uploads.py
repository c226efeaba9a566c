"""A picture in the body of a request: multipart/form-data with the one field `image`."""

from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from core import images
from core.errors import ValidationFailed

FIELD = "image"
PARSERS = [MultiPartParser]
MEDIA_TYPE = "multipart/form-data"


@extend_schema_field({"type": "string", "format": "binary"})
class BinaryField(serializers.FileField):
    """A file."""


class ImageUploadSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What the document says of the body; `read` reads it."""

    image = BinaryField(help_text="PNG, JPEG or WebP; at most 5 MB, 24 million pixels, 10,000 pixels a side.")


def read(request: Request) -> IO[bytes]:
    """Return the uploaded file; raises ValidationFailed (`image`, and unknown fields)."""
    data: Any = request.data
    if getattr(request._request, "upload_too_large", False):
        raise images.too_large(FIELD)
    unknown = sorted(set(data) - {FIELD})
    if unknown:
        raise ValidationFailed({name: [("unknown_field", _("There is no such field."))] for name in unknown})
    upload = request.FILES.get(FIELD)
    if upload is None:
        raise ValidationFailed.of(FIELD, "required", _("Send the picture as a file."))
    found: IO[bytes] = upload
    return found
