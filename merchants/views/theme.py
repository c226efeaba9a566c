"""The merchant's colour as a style sheet of our own origin: custom properties only, cached for ever by its version."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core import tenancy
from merchants.models import Merchant
from merchants.rules import colours

FOR_EVER = "public, max-age=31536000, immutable"
A_MINUTE = "public, max-age=60"


@require_safe
def theme(request: HttpRequest, merchant_id: UUID, version: int) -> HttpResponse:
    """Answer with the colours of now; an older or made-up version of the address is not kept for long."""
    with tenancy.scope(merchant_id):
        found = Merchant.objects.filter(pk=merchant_id).values_list("card_color", "branding_version").first()
    if found is None:
        raise Http404
    colour, current = found
    lines = "".join(f"  --{name}: {value};\n" for name, value in colours.palette(colour).items())
    response = HttpResponse(f":root {{\n{lines}}}\n", content_type="text/css; charset=utf-8")
    response["Cache-Control"] = FOR_EVER if version == current else A_MINUTE
    return response
