"""The customer's card: what is on it, what happened, what we hold."""

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from customers.enums import Channel
from customers.queries import people
from customers.services.consents import TEXTS
from loyalty import extensions
from loyalty.queries import history, storefronts
from loyalty.views import shown
from loyalty.views.base import StorePage, keep_card

LATELY = 4
PAGE = 25
MAX_SEQ = 2**31 - 1


class DashboardPage(StorePage):
    """The card page."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the card; `?view=code` shows the code alone, as large as the screen."""
        face = self.face
        assert face is not None
        card = shown.card_context(face)
        if request.GET.get("view") == "code":
            return self.page("code.html", card=card)
        response = self.page(
            "dashboard.html",
            face=face,
            card=card,
            notices=shown.notices(face),
            waiting=shown.waiting(face),
            catalogue=shown.catalogue(face),
            visits=shown.visits(history.entries(history.of_card(face.card.pk)[:LATELY])),
            stores=storefronts.stores_running(face.card.program),
            wallet=extensions.wallet_links(face.card),
            code_url=f"{self.url('dashboard')}?view=code",
            history_url=self.url("history"),
        )
        self._keep(request, response)
        return response

    def _keep(self, request: HttpRequest, response: HttpResponse) -> None:
        """Renew the cookie: who comes now and then never loses the card."""
        if self.face is not None:
            keep_card(request, response, self.face.card)


class HistoryPage(StorePage):
    """All visits, the newest first, a page at a time."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the rows before `?before=` (a row's place in the ledger of the card)."""
        assert self.face is not None
        rows = history.of_card(self.face.card.pk)
        before = _number(request.GET.get("before"))
        if before is not None:
            rows = rows.filter(seq__lt=before)
        found = list(rows[: PAGE + 1])
        more = f"{self.url('history')}?before={found[PAGE - 1].seq}" if len(found) > PAGE else ""
        return self.page("history.html", visits=shown.visits(history.entries(found[:PAGE])), next_url=more)


class PrivacyPage(StorePage):
    """What the merchant holds of the customer."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the values and the consents as they stand."""
        assert self.face is not None
        decided = {(row.purpose, row.channel): row for row in people.consents_of(self.face.card.customer_id)}
        consents = [
            {"text": text, "row": decided.get(kind)}
            for kind, text in TEXTS.items()
            if kind[1] == Channel.EMAIL or kind in decided
        ]
        return self.page("privacy.html", face=self.face, customer=self.face.card.customer, consents=consents)


def _number(text: str | None) -> int | None:
    """Read a position; raises Http404 for what is none."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MAX_SEQ:
        raise Http404
    return int(text)
