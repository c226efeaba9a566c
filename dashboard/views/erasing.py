"""Erasing the person behind a card, for a customer who asks in writing; on their own phone they do it themselves."""

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import NotFound
from customers.services import erasure
from dashboard.forms.cards import EraseForm
from dashboard.views.card_actions import CardAction


class Erase(CardAction):
    """Say what goes, ask why, erase."""

    form_class = EraseForm
    operation = "erase"

    def extra(self) -> dict[str, Any]:
        """Return the words of the page; raises NotFound where there is nobody any more."""
        if self.card().customer.erased_at is not None:
            raise NotFound
        return {
            **super().extra(),
            "title": _("Erase this person for good?"),
            "kind": "danger",
            "action": _("Erase for good"),
            "text": _("For a customer who asked you in writing. Nobody can bring it back, nor can we."),
            "points": [
                _("Name, addresses, number, birthday, notes and devices go at once, everywhere."),
                _("The card is closed. What is on it is lost; its code and number lead nowhere."),
                _("The visits stay in your books and your figures without anything that leads to a person."),
            ],
        }

    def save(self, form: EraseForm) -> HttpResponseBase:
        """Erase; twice is as good as once."""
        with self.scope():
            customer_id = self.card().customer_id
        erasure.erase(
            merchant_id=self.merchant_id, customer_id=customer_id, at=timezone.now(),
            reason=form.cleaned_data["reason"], user_id=self.actor_id,
        )  # fmt: skip
        return self.to("card", self.code, self.kwargs["card_id"], text=_("Erased. Nothing leads to a person any more."))
