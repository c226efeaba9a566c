"""The till as an app: what the browser installs, and the service worker that opens it without a network."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from core.middleware import fall_back
from dashboard.views import terminal, terminal_files

ICONS = (("192", "any"), ("512", "any"), ("512", "maskable"))
FRAME = "#11121B"


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Answer with the service worker, behind the names of the files that it keeps."""
    now = terminal_files.release()
    facts = {"RELEASE": now.name, "FILES": now.files, "READER": now.reader}
    head = " ".join(f"const {name} = {json.dumps(value)};" for name, value in facts.items())
    response = HttpResponse(
        f"{head}\n{terminal_files.WORKER.read_text(encoding='utf-8')}", content_type="text/javascript"
    )
    response["Cache-Control"] = "no-cache"
    return response


class Manifest(View):
    """What a store's till is called and looks like on a home screen."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, store_code: str) -> HttpResponse:
        """Answer with the manifest; a stranger is led to the pairing page, as on the till itself."""
        shown = terminal.find(request, store_code)
        if shown is None:
            return HttpResponseRedirect(terminal.PAIR)
        fall_back(request, shown.default_language)
        response = JsonResponse(_manifest(shown.store_code, shown.store_name))
        response["Content-Type"] = "application/manifest+json"
        response["Cache-Control"] = "no-store, private"
        return response


def _manifest(store_code: str, store_name: str) -> dict[str, Any]:
    address = reverse("dashboard:terminal", args=[store_code])
    return {
        "id": address,
        "name": _("Till of %(name)s") % {"name": store_name},
        "short_name": store_name[:24],
        "lang": get_language(),
        "start_url": address,
        # The whole site: a till that was signed out is paired again inside the app, where its cookies are.
        "scope": "/",
        "display": "standalone",
        "background_color": FRAME,
        "theme_color": FRAME,
        "icons": [
            {
                "src": static(f"dashboard/icons/till-{size}{'-maskable' if purpose == 'maskable' else ''}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for size, purpose in ICONS
        ],
    }
