"""The customer's card: what is on it, and what happened."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from core.web import user_agent
from customers.services import addresses
from loyalty import extensions
from loyalty.enums import CardStatus, ProgramStatus, TransactionType
from loyalty.forms import SaveForm
from loyalty.queries import history, storefronts
from loyalty.queries.history import Entry
from loyalty.rules import browsers
from loyalty.views import live, saving, shown
from loyalty.views.base import StorePage, keep_card_on

LATELY = 4
# How long after a reward was handed out the page asks for an address: the till, the table, the way home.
JUST_NOW = timedelta(hours=2)
ENJOYED = frozenset({TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED})
PAGE = 25
MAX_SEQ = 2**31 - 1


class DashboardPage(StorePage):
    """The card page."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the card; `?view=code` shows the code alone, as large as the screen."""
        face = self.own
        card = shown.card_context(face)
        if request.GET.get("view") == "code":
            return self.page("code.html", card=card)
        lately, now = history.entries(history.of_card(face.card.pk)[:LATELY]), timezone.now()
        response = self.page(
            "dashboard.html",
            face=face,
            card=card,
            notices=shown.notices(face, self.place.merchant),
            waiting=shown.waiting(face),
            catalogue=shown.catalogue(face),
            visits=shown.visits(lately),
            just_enjoyed=_just_enjoyed(lately, now),
            stores=storefronts.stores_running(face.card.program),
            wallet=extensions.wallet_links(face.card),
            wallet_notice=extensions.wallet_notice(),
            next_point_cents=face.to_next_point_cents,
            code_url=f"{self.url('dashboard')}?view=code",
            history_url=self.url("history"),
            own_device_url=self._own_device_url(),
            version=live.version_of(self),
            now=now,
            **self._ways(),
        )
        # The cookie begins anew: who comes now and then never loses the card.
        keep_card_on(request, response, face.card)
        return response

    def _ways(self) -> dict[str, Any]:
        """Return the ways to keep the card: what is in the hand decides which one comes first."""
        customer, agent = self.own.card.customer, user_agent(self.request)
        form = SaveForm(initial={"email": saving.address_of(customer)})
        return {
            "device": browsers.device(agent),
            "in_app": browsers.is_in_app(agent),
            "mailed": saving.address_of(customer) if self.request.GET.get("saved") else "",
            "waits_for": addresses.waiting(customer),
            "save_form": None if saving.is_saved(customer) else form,
        }

    def _own_device_url(self) -> str:
        """Return where staff give on this very phone, "" where the store does not, or nothing may be given."""
        card, program = self.own.card, self.own.card.program
        runs = program.status == ProgramStatus.ACTIVE and card.status == CardStatus.ACTIVE
        if not runs or not self.place.store.own_device_enabled:
            return ""
        return self.url("own-stamp" if program.has_stamps else "own-points")


class HistoryPage(StorePage):
    """All visits, the newest first, a page at a time."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the rows before `?before=` (a row's place in the ledger of the card)."""
        rows = history.of_card(self.own.card.pk)
        before = _number(request.GET.get("before"))
        if before is not None:
            rows = rows.filter(seq__lt=before)
        found = list(rows[: PAGE + 1])
        more = f"{self.url('history')}?before={found[PAGE - 1].seq}" if len(found) > PAGE else ""
        months = shown.by_month(shown.visits(history.entries(found[:PAGE])))
        return self.page("history.html", months=months, next_url=more)


def _just_enjoyed(entries: Iterable[Entry], now: datetime) -> bool:
    """Tell whether a reward was handed out a moment ago: the third time at which an address is worth asking for."""
    return any(
        entry.row.type in ENJOYED and not entry.voided and now - entry.row.occurred_at < JUST_NOW for entry in entries
    )


def _number(text: str | None) -> int | None:
    """Read a position; raises Http404 for what is none."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MAX_SEQ:
        raise Http404
    return int(text)
