"""Pictures to upload in tests."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, encode_multipart
from PIL import Image


def picture(size: tuple[int, int] = (300, 200), kind: str = "PNG", colour: Any = (200, 30, 40)) -> bytes:
    """Return a picture's file."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def file(data: bytes | None = None, name: str = "logo.png") -> SimpleUploadedFile:
    """Return a file as a browser sends it."""
    return SimpleUploadedFile(name, picture() if data is None else data, content_type="image/png")


def form(data: bytes | None = None) -> bytes:
    """Return the body of a form with the one field `image`, for MULTIPART_CONTENT."""
    return encode_multipart(BOUNDARY, {"image": file(data)})
