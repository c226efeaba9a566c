"""Doors: addresses that lead on to the visitor's own card, to the terminal, or to the enrolment page."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from core import tenancy
from loyalty import card_cookie
from loyalty.models import Card
from loyalty.queries import access, storefronts
from loyalty.views.base import StorePage, choose_language, merchant_frame
from merchants.models import Merchant
from stores.models import Store, Terminal
from stores.queries import devices

NO_CARD = "/"


class StoreDoor(StorePage):
    """`/loyalty/<store>`: the own card, else the enrolment page."""

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Lead on."""
        return HttpResponseRedirect(self.url("dashboard" if self.face is not None else "enroll"))


class OwnCardDoor(View):
    """A page without a store code: the one of the visitor's own card, the latest where there are several."""

    page = "dashboard"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Lead on; who has no card here is led to the start page."""
        cards = sorted(filter(None, map(access.card_of, card_cookie.read_all(request))), key=lambda found: found[1])
        for merchant_id, card_id in reversed(cards):
            code = _store_of(merchant_id, card_id)
            if code is not None:
                return HttpResponseRedirect(reverse(f"loyalty:{self.page}", args=[code]))
        return HttpResponseRedirect(NO_CARD)


class CodePage(View):
    """What the QR of a card leads to: it identifies the card to staff and opens nothing for anybody else."""

    def get(self, request: HttpRequest, code: str) -> HttpResponseBase:
        """Lead a terminal to the card sheet, the customer to the own card; show a stranger the merchant's name."""
        found = tenancy.lookup("card_by_code", code.replace("\x00", "")[:64])
        if not found:
            raise Http404
        merchant_id, card_id = found[0]
        terminal = _terminal_address(request, merchant_id, code)
        if terminal is not None:
            return HttpResponseRedirect(terminal)
        own = any(access.card_of(secret) == (merchant_id, card_id) for secret in card_cookie.read_all(request))
        store_code = _store_of(merchant_id, card_id) if own else None
        if store_code is not None:
            return HttpResponseRedirect(reverse("loyalty:dashboard", args=[store_code]))
        with tenancy.scope(merchant_id):
            merchant = Merchant.objects.get(pk=merchant_id)
            choose_language(request, merchant, None)
            response = render(request, "loyalty/stranger.html", merchant_frame(merchant))
        response.headers["Cache-Control"] = "private, no-store"
        return response


def _store_of(merchant_id: UUID, card_id: UUID) -> str | None:
    """Return the code of a store where a good card is valid: the one it comes from, else any other."""
    with tenancy.scope(merchant_id):
        card = Card.objects.select_related("program", "customer", "enrolled_store").filter(pk=card_id).first()
        if card is None or not access.opens(card, card.program_id):
            return None
        running = storefronts.stores_running(card.program)
        store: Store | None = running.filter(pk=card.enrolled_store_id).first() or running.first()
        return store.code if store is not None else None


def _terminal_address(request: HttpRequest, merchant_id: UUID, code: str) -> str | None:
    """Return the terminal's page with this card, None when this browser is no terminal of the merchant."""
    cookie = request.COOKIES.get(devices.TERMINAL_COOKIE, "")
    credential = devices.terminal_credential(cookie) if cookie else None
    if credential is None or credential.merchant_id != merchant_id:
        return None
    with tenancy.scope(merchant_id):
        terminal = Terminal.objects.select_related("store").filter(pk=credential.id).first()
        if terminal is None or terminal.store.closed_at is not None:
            return None
        return f"/store/{terminal.store.code}/loyalty/terminal?code={code}"
