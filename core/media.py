"""Pictures of our own making, served with what keeps a browser from taking them for anything else."""

import re

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

# Names that core.pictures gives: nothing else that may lie in the folder is ever served.
NAMED = re.compile(r"(?:logos|rewards|wallets)/[0-9a-f]{32}(?:\.png|\.webp|-s\.webp)")
MEDIA_TYPES = {"png": "image/png", "webp": "image/webp"}
FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
def picture(request: HttpRequest, file: str) -> HttpResponse:
    """Answer with a picture; a changed picture has another name, so this one may be kept for ever."""
    if not NAMED.fullmatch(file):
        raise Http404
    try:
        with default_storage.open(file) as opened:
            body = opened.read()
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(body, content_type=MEDIA_TYPES[file.rpartition(".")[2]])
    response["Cache-Control"] = FOR_EVER
    return response
