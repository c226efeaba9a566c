"""The legal pages: terms, privacy and who runs this."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def legal(request: HttpRequest, page: str) -> HttpResponse:
    """Show `terms`, `privacy` or `imprint`; what the operator has to say of itself comes from the settings."""
    context = {"platform_name": settings.PLATFORM_NAME, "imprint": settings.OPERATOR}
    return render(request, f"legal/{page}.html", context)
