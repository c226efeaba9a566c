"""Posters: what a store's sheet says, in which languages, and the files to print."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse
from django.utils.translation import get_language_info

from core import pictures
from dashboard.forms import presets
from dashboard.queries import addresses
from dashboard.services import posters
from dashboard.services.posters.words import ALL
from dashboard.views import frame
from dashboard.views.base import StoreView
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from merchants.models import Merchant
from stores.models import Store

PDF = "application/pdf"
USUAL_STAMPS = 10


class Posters(StoreView):
    """The page: a preview, the choice of languages, and the sizes."""

    template_name = "dashboard/posters.html"
    section = "settings"
    chooser_to = "dashboard:posters"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the sheet."""
        merchant, chosen = self.desk.merchant, _language(self.request.GET.get("lang", ALL)) or ALL
        sheet = facts(merchant, self.store, program_queries.for_store(self.store.pk))
        return self.page(
            enroll_url=sheet.enroll_url,
            short_address=sheet.address,
            words=posters.words(sheet, chosen),
            chosen=chosen,
            languages=[(code, get_language_info(code)["name_local"]) for code in posters.LANGUAGES],
            logo_url=pictures.small_url(merchant.logo.name),
            theme_css=addresses.theme(merchant),
            subpages=frame.settings_pages(self.desk, "dashboard:posters"),
        )


class PosterFile(StoreView):
    """One sheet as PDF."""

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the file; an unknown language or size is 404."""
        language = _language(self.request.GET.get("lang", ALL))
        if language is None or kwargs["size"] not in posters.SIZES:
            raise Http404
        program = program_queries.for_store(self.store.pk)
        sheet = facts(self.desk.merchant, self.store, program, logo=_picture(self.desk.merchant.logo.name))
        response = HttpResponse(posters.draw(kwargs["size"], sheet, language), content_type=PDF)
        name = f"poster-{self.code}-{kwargs['size']}-{language}.pdf"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def facts(merchant: Merchant, store: Store, program: Program | None, logo: bytes | None = None) -> posters.Facts:
    """Return what a store's poster is about; without a program it promises ten stamps, as a new one does."""
    url, counted = addresses.enroll(store.code), program is None or program.has_stamps
    return posters.Facts(
        merchant=merchant.name,
        store=store.name if store.name != merchant.name else "",
        color=(program.card_color if program else "") or merchant.card_color,
        icon=presets.icon(merchant.trade),
        seed=store.code,
        enroll_url=url,
        address=url.split("://", 1)[1],
        first_language=merchant.default_language,
        stamps=(program.stamps_target if program else USUAL_STAMPS) if counted else None,
        reward=program.stamps_reward_description if program and counted else "",
        logo=logo,
    )


def _language(name: str) -> str | None:
    """Return a language of posters, None for one that there is not."""
    name = "lb" if name == "lu" else name
    return name if name == ALL or name in posters.LANGUAGES else None


def _picture(name: str | None) -> bytes | None:
    """Return a logo's bytes; without it (or when its file is gone) the poster bears the trade's stamp."""
    if not name:
        return None
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except OSError:
        return None
