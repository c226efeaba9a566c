"""Links from mails, and the way back to a card."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from core.errors import DomainError
from core.web import counted_address
from customers.enums import LinkPurpose
from customers.queries import people
from customers.services import links as magic_links
from customers.services.consents import TEXTS
from customers.services.links import LinkExpired
from loyalty.forms import RecoverForm
from loyalty.queries.hot import CardBusy
from loyalty.services import limits, links
from loyalty.views.base import StorePage, keep_card


class LinkPage(StorePage):
    """A link from a mail: mail scanners open it, so only the button uses it."""

    @sensitive_variables("token")
    def get(self, request: HttpRequest, store_code: str, token: str) -> HttpResponseBase:
        """Show the one button."""
        try:
            link = magic_links.read(
                merchant_id=self.place.merchant.pk, link_id=self._find(token), at=timezone.now()
            )  # fmt: skip
        except LinkExpired:
            return self._expired()
        confirms = link.purpose == LinkPurpose.CONFIRM
        claimed = links.claim(link)
        waiting = people.waiting_consents_of(link.customer.pk) if confirms else []
        ticked = [TEXTS[row.purpose, row.channel] for row in waiting]
        return self.page(
            "link.html",
            confirms=confirms,
            ticked=ticked,
            claimed=claimed,
            # Who confirms for the first time has one phone; the way back is for those who may have lost one.
            offers_lock_out=not confirms and claimed is None,
        )

    @sensitive_variables("token")
    def post(self, request: HttpRequest, store_code: str, token: str) -> HttpResponseBase:
        """Use the link: confirm the address, keep the card in this browser, show it.

        `join=no` leaves a card that somebody else made apart; `lock_out=yes` shuts the card on all other phones.
        """
        try:
            card = links.use(
                merchant_id=self.place.merchant.pk, link_id=self._find(token), at=timezone.now(),
                join=request.POST.get("join") != "no", lock_out=request.POST.get("lock_out") == "yes",
            )  # fmt: skip
        except LinkExpired:
            return self._expired()
        except CardBusy as refusal:
            return self.page("link_busy.html", status=refusal.status, words=refusal.detail)
        response = HttpResponseRedirect(self.url("dashboard"), status=303)
        keep_card(request, response, card)
        return response

    def _find(self, token: str) -> Any:
        merchant_id, link_id = magic_links.find(token)
        if merchant_id != self.place.merchant.pk:
            raise LinkExpired
        return link_id

    def _expired(self) -> HttpResponseBase:
        return self.page("link_expired.html", status=LinkExpired.status)


class RecoverPage(StorePage):
    """The way back to a card on a new phone: the answer is the same for every address."""

    def count(self, request: HttpRequest, store_id: UUID) -> None:
        """Count what may become a mail."""
        if request.method == "POST":
            limits.count_recovery(address=counted_address(request))

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Ask for the address."""
        return self.page("recover.html", form=RecoverForm())

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Say that a link is on its way, if we know the address."""
        form = RecoverForm(request.POST)
        if not form.is_valid():
            return self.page("recover.html", form=form, status=400)
        try:
            if self.throttled is not None:
                raise self.throttled
            links.recover(
                merchant_id=self.place.merchant.pk, store_id=self.place.store.pk, email=form.cleaned_data["email"]
            )  # fmt: skip
        except DomainError as error:
            form.refuse(error)
            return self.page("recover.html", form=form, status=error.status)
        return self.page("recover.html", sent=True)
