"""Saving the card by mail: one address, and a link that brings the card back to any phone."""

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone

from core.errors import DomainError
from customers.models import Customer
from customers.services import addresses
from loyalty.forms import SaveForm
from loyalty.services import limits, profiles
from loyalty.views.base import StorePage


class SavePage(StorePage):
    """The address to which the card is saved; the same form stands on the card page."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Ask for the address."""
        return self.page("save.html", form=SaveForm(initial={"email": address_of(self.own.card.customer)}))

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Send the link; an address that is known already gets the card once more."""
        form = SaveForm(request.POST)
        if not form.is_valid():
            return self.page("save.html", form=form, status=400)
        merchant_id, card, email = self.place.merchant.pk, self.own.card, form.cleaned_data["email"]
        try:
            limits.count_address(card_id=card.pk)
            if email.casefold() == address_of(card.customer).casefold():
                profiles.mail_card(merchant_id=merchant_id, card_id=card.pk, at=timezone.now())
            else:
                profiles.change(merchant_id=merchant_id, card_id=card.pk, changes={"email": email}, at=timezone.now())
        except DomainError as refusal:
            form.refuse(refusal)
            return self.page("save.html", form=form, status=refusal.status)
        return HttpResponseRedirect(f"{self.url('dashboard')}?saved=1", status=303)


def address_of(customer: Customer) -> str:
    """Return the address that was typed last, "" for none."""
    return customer.pending_email or customer.email


def is_saved(customer: Customer) -> bool:
    """Tell whether a proven address leads back to the card, and no other one waits for its proof."""
    return bool(customer.email) and not addresses.waiting(customer)
