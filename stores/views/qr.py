"""The QR code that leads to a store's enrolment page, as an image anybody may fetch: for posters and printers."""

from functools import lru_cache
from io import BytesIO

import qrcode
import qrcode.constants
import qrcode.image.pil
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core import tenancy
from stores.models import Store
from stores.queries import addresses

A_DAY = "public, max-age=86400"
# Pixels per module: about 800 across, sharp on a sheet of paper and still under three kilobytes.
MODULE = 20


@require_safe
def enroll(request: HttpRequest, store_code: str) -> HttpResponse:
    """Answer with the image; a code of no open store is not found."""
    rows = tenancy.lookup("store", store_code)
    if not rows:
        raise Http404
    merchant_id, store_id = rows[0]
    with tenancy.scope(merchant_id):
        if not Store.objects.filter(pk=store_id, closed_at=None).exists():
            raise Http404
    response = HttpResponse(png(addresses.enroll(store_code)), content_type="image/png")
    response["Cache-Control"] = A_DAY
    response["Content-Disposition"] = f'inline; filename="{store_code}.png"'
    return response


@lru_cache(maxsize=512)
def png(data: str) -> bytes:
    """Return a text as a QR code of error correction Q, black on white with the quiet zone around it."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, box_size=MODULE)
    code.add_data(data)
    written = BytesIO()
    code.make_image(image_factory=qrcode.image.pil.PilImage).save(written, "PNG", optimize=True)
    return written.getvalue()
