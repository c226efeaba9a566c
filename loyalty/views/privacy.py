"""The customer's own data: what we hold, what to change, which messages, and who else opens the card."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, ValidationFailed
from customers.enums import Channel, Purpose
from customers.models import Customer
from customers.queries import people
from customers.services import addresses
from customers.services.consents import TEXTS
from loyalty.forms import ProfileForm
from loyalty.services import limits, lockouts, profiles
from loyalty.views import shown
from loyalty.views.base import StorePage, keep_card

# What the page says after a change, by the word in its address.
DONE: Mapping[str, str | Promise] = {
    "saved": _("Saved."),
    "confirm": _("Saved. A link is on its way to your new address: it counts once you tap it."),
    "mailed": _("A link is on its way to your address."),
    "on": _("Switched on."),
    "off": _("Switched off. Nothing more will come."),
    "alone": _("Only this browser opens your card now."),
}
MISSING: Mapping[str, str | Promise] = {
    "email": _("Add your e-mail address first."),
    "phone": _("Add your phone number first."),
}


class PrivacyPage(StorePage):
    """What the merchant holds of the customer, and what the customer decides about it."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the values and the consents as they stand."""
        return self._shown(done=DONE.get(request.GET.get("done", ""), ""))

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Do what the button says; raises Http404 for a button that there is not."""
        actions: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
            "consent": self._consent, "mail": self._mail, "lock_out": self._lock_out,
        }  # fmt: skip
        action = actions.get(request.POST.get("action", ""))
        if action is None:
            raise Http404
        try:
            return action(request)
        except DomainError as refusal:
            return self._shown(refusal=_words(refusal), status=refusal.status)

    def _consent(self, request: HttpRequest) -> HttpResponseBase:
        kind = request.POST.get("purpose", ""), request.POST.get("channel", "")
        if kind not in TEXTS:
            raise Http404
        granted = request.POST.get("granted") == "yes"
        profiles.decide(
            merchant_id=self.place.merchant.pk, card_id=self.own.card.pk, purpose=kind[0], channel=kind[1],
            granted=granted, language=get_language() or self.own.card.customer.language, at=timezone.now(),
        )  # fmt: skip
        return self._back("on" if granted else "off")

    def _mail(self, request: HttpRequest) -> HttpResponseBase:
        limits.count_address(card_id=self.own.card.pk)
        profiles.mail_card(merchant_id=self.place.merchant.pk, card_id=self.own.card.pk, at=timezone.now())
        return self._back("mailed")

    def _lock_out(self, request: HttpRequest) -> HttpResponseBase:
        card = self.own.card
        lockouts.lock_out(merchant_id=self.place.merchant.pk, card_id=card.pk, at=timezone.now())
        card.refresh_from_db()
        response = self._back("alone")
        keep_card(request, response, card)
        return response

    def _back(self, done: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(f"{self.url('privacy')}?done={done}", status=303)

    def _shown(self, *, done: Any = "", refusal: str = "", status: int = 200) -> HttpResponseBase:
        customer = self.own.card.customer
        return self.page(
            "privacy.html",
            status=status,
            done=done,
            refusal=refusal,
            face=self.own,
            customer=customer,
            waiting_address=addresses.waiting(customer),
            birthday=shown.birthday(customer),
            language=get_language_info(customer.language)["name_local"],
            consents=_consents(customer),
            controller=self.place.merchant.legal_name or self.place.merchant.name,
        )


class ProfilePage(StorePage):
    """Name, address, number, birthday and language, to be changed."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the form with what we hold."""
        return self._form(ProfileForm(initial=_initial(self.own.card.customer)))

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Save; what cannot be read is said beside its field."""
        form = ProfileForm(request.POST, initial=_initial(self.own.card.customer))
        if not form.is_valid():
            return self._form(form, status=400)
        try:
            if form.changes.get("email"):
                limits.count_address(card_id=self.own.card.pk)
            changed = profiles.change(
                merchant_id=self.place.merchant.pk, card_id=self.own.card.pk, changes=form.changes, at=timezone.now()
            )  # fmt: skip
        except DomainError as refusal:
            form.refuse(refusal)
            return self._form(form, status=refusal.status)
        done = "confirm" if "email" in form.changes and addresses.waiting(changed) else "saved"
        return HttpResponseRedirect(f"{self.url('privacy')}?done={done}", status=303)

    def _form(self, form: ProfileForm, status: int = 200) -> HttpResponseBase:
        customer = self.own.card.customer
        return self.page("profile.html", form=form, customer=customer, status=status)


def _words(refusal: DomainError) -> str:
    """Say what is missing in the words of a page without boxes."""
    if isinstance(refusal, ValidationFailed):
        return str(MISSING["phone" if "phone" in refusal.errors else "email"])
    return refusal.detail


def _initial(customer: Customer) -> dict[str, Any]:
    return {
        "name": customer.name,
        "email": customer.pending_email or customer.email,
        "phone": customer.phone,
        "birth_day": customer.birth_day or "",
        "birth_month": customer.birth_month or "",
        "birth_year": customer.birth_year or "",
        "language": customer.language,
    }


def _consents(customer: Customer) -> list[dict[str, Any]]:
    """Return the messages that can be switched: by e-mail always, by SMS where there is a number."""
    decided = {(row.purpose, row.channel): row for row in people.consents_of(customer.pk)}
    offered = {(Purpose.MARKETING, Channel.SMS)} if customer.phone else set()
    return [
        {**shown.consent(text, decided.get(kind), customer), "purpose": kind[0], "channel": kind[1]}
        for kind, text in TEXTS.items()
        if kind[1] == Channel.EMAIL or kind in decided or kind in offered
    ]
