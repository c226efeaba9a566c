"""What all customer pages share: the store in the address, the card in the cookie, language, time zone, context."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views import View

from core import pictures, tenancy
from core.errors import NotFound, Throttled
from core.middleware import fall_back, known_language
from loyalty import card_cookie
from loyalty.models import Card
from loyalty.queries import access, card_faces, storefronts
from loyalty.queries.card_faces import CardFace
from loyalty.queries.storefronts import Storefront
from loyalty.rules import timing
from merchants.enums import Trade
from merchants.models import Merchant

# The icon on the stamps, by the merchant's trade.
TRADE_ICONS = {
    Trade.CAFE: "cup", Trade.RESTAURANT: "fork", Trade.BAKERY: "loaf", Trade.BARBER: "scissors",
    Trade.BOUTIQUE: "hanger", Trade.FLORIST: "flower", Trade.PETS: "paw",
}  # fmt: skip
NO_ICON = "star"


class StorePage(View):
    """A page of one store, in its merchant's scope; `self.face` is the visitor's own card, None without one."""

    card_needed = False
    place: Storefront
    face: CardFace | None
    throttled: Throttled | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the store and the card, choose language and time zone, then answer."""
        merchant_id, store_id = find_store(kwargs["store_code"])
        try:
            self.count(request, store_id)
        except Throttled as refusal:
            self.throttled = refusal
        with tenancy.scope(merchant_id):
            try:
                self.place = storefronts.load(store_id)
            except NotFound:
                raise Http404 from None
            self.face = own_face(request, self.place)
            choose_language(request, self.place.merchant, self.face.card if self.face else None)
            if self.card_needed and self.face is None:
                return HttpResponseRedirect(self.url("enroll"))
            with timezone.override(timing.zone(self.place.store.time_zone)):
                response = super().dispatch(request, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "private, no-store")
            if self.face is None:
                response.headers["X-Card-Copy"] = "drop"
            return response

    def count(self, request: HttpRequest, store_id: UUID) -> None:
        """Count the request, before a transaction is open; what it raises stands in `self.throttled`."""

    @property
    def own(self) -> CardFace:
        """The visitor's card, on pages that need one."""
        if self.face is None:
            raise Http404
        return self.face

    def url(self, page: str, *args: Any) -> str:
        """Return the address of another page of this store."""
        return reverse(f"loyalty:{page}", args=[self.place.store.code, *args])

    def page(self, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
        """Render a page with what its base needs."""
        return render(self.request, f"loyalty/{template}", {**self.frame(), **context}, status=status)

    def frame(self) -> dict[str, Any]:
        """Return what stands around the content: the merchant's face and the links at the foot."""
        own = self.face is not None
        links = [{"url": self.url("privacy"), "label": _("Your data"), "icon": "shield"}] if own else []
        links.append({"url": self.url("recover"), "label": _("New phone?") if own else _("I already have a card")})
        return {
            **merchant_frame(self.place.merchant),
            "home_url": self.url("card"),
            "foot_links": links,
            "store": self.place.store,
            "program": self.place.program,
        }


def find_store(store_code: str) -> tuple[UUID, UUID]:
    """Return (merchant id, store id) of a code; raises Http404."""
    found = tenancy.lookup("store", store_code.replace("\x00", "")[:100])
    if not found:
        raise Http404
    return found[0]


def own_face(request: HttpRequest, place: Storefront) -> CardFace | None:
    """Return the card that the browser keeps for the store's program, None without a good one."""
    secret = card_cookie.read(request, place.program.pk) if place.program else None
    found = access.card_of(secret) if secret else None
    if place.program is None or found is None or found[0] != place.merchant.pk:
        return None
    face = card_faces.face(found[1], timezone.now())
    return face if face is not None and access.opens(face.card, place.program.pk) else None


def choose_language(request: HttpRequest, merchant: Merchant, card: Card | None) -> None:
    """Prefer what the switch says, then what the customer chose once, then the browser, then the merchant."""
    saved = known_language(card.customer.language) if card is not None else None
    if saved and not getattr(request, "language_from_cookie", False):
        translation.activate(saved)
        request.LANGUAGE_CODE = saved
        return
    fall_back(request, merchant.default_language)


def merchant_frame(merchant: Merchant) -> dict[str, Any]:
    """Return the merchant as the base template shows it."""
    return {
        "merchant": {"name": merchant.name, "logo_url": pictures.small_url(merchant.logo.name)},
        "theme_css": reverse("merchants:theme", args=[merchant.pk, merchant.branding_version]),
        "trade_icon": TRADE_ICONS.get(Trade(merchant.trade), NO_ICON),
    }


def keep_card_on(request: HttpRequest, response: HttpResponse, card: Card) -> None:
    """Let the cookie begin anew with the secret that it holds.

    After a merge that is the secret of a card which leads to this one: taken back, the browser has its own card again.
    """
    kept = card_cookie.read(request, card.program_id)
    card_cookie.write(request, response, card.program_id, kept or access.secret_of(card))


def keep_card(request: HttpRequest, response: HttpResponse, card: Card) -> None:
    """Put the card into the browser's cookie."""
    card_cookie.write(request, response, card.program_id, access.secret_of(card))
