"""Corrections by a manager: undo an operation of today, or give money back on a sale."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import idempotency, money
from core.errors import NotFound
from core.ids import uuid7
from core.web import client_address, user_agent
from dashboard.forms.cards import CorrectionForm, RefundForm
from dashboard.queries import timeline
from dashboard.views.base import FormMixin
from dashboard.views.cards import CardsPage
from loyalty.enums import Channel
from loyalty.models import Transaction
from loyalty.queries import history
from loyalty.services import refunds, voids
from loyalty.services.operations import Call
from stores.queries.access import Credential


class Correction(FormMixin, CardsPage):
    """A form about one row of a card's history."""

    template_name = "dashboard/correction.html"
    operation = ""

    def row(self) -> Transaction:
        """Return the row of the address, inside the merchant's scope; raises NotFound."""
        found = history.of_card(self.kwargs["card_id"]).filter(pk=self.kwargs["transaction_id"]).first()
        if found is None:
            raise NotFound
        return found

    def extra(self) -> dict[str, Any]:
        """Return the row in words."""
        row = self.row()
        return {
            "line": timeline.described([row], today=self.today())[0],
            "back_url": reverse("dashboard:card", args=[self.code, row.card_id]),
            "key": self.request.POST.get("key") or uuid7(),
        }

    def call(self, body: dict[str, Any]) -> Call:
        """Describe who asks; a second click on the same form finds the first one's answer."""
        path = f"{self.operation}/{self.kwargs['transaction_id']}"
        return Call(
            credential=Credential("user", self.merchant_id, self.actor_id),
            asked=idempotency.request(self._key(), self.operation, path, body),
            at=timezone.now(),
            store_code=self.code,
            channel=Channel.DASHBOARD,
            ip=client_address(self.request),
            user_agent=user_agent(self.request),
        )

    def _key(self) -> str | None:
        try:
            return f"page-{UUID(self.request.POST.get('key', ''))}"
        except ValueError:
            return None

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Correct only what the address names: a row under another card is not found."""
        with self.scope():
            self.row()
        return super().post(*args, **kwargs)

    def done(self, text: str) -> HttpResponseBase:
        """Go back to the card."""
        return self.to("card", self.code, self.kwargs["card_id"], text=text)


class Void(Correction):
    """Undo a stamp, a sale or a redemption as a whole."""

    form_class = CorrectionForm
    operation = "void"

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            **super().extra(),
            "title": _("Undo this?"),
            "text": _("It is taken back as a whole, as if it had not been. The history shows both."),
            "action": _("Undo it"),
        }

    def save(self, form: CorrectionForm) -> HttpResponseBase:
        """Undo it."""
        reason = form.cleaned_data["reason"]
        voids.void(
            self.call({"reason": reason}),
            transaction_id=self.kwargs["transaction_id"],
            reason=reason,
        )
        return self.done(_("Undone."))


class Refund(Correction):
    """Money went back on a sale: take back the points that belong to it."""

    operation = "refund"

    def get_form(self, data: Any = None) -> RefundForm:
        """Make the form in the merchant's currency."""
        return RefundForm(data, currency=self.desk.merchant.currency)

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        words = super().extra()
        row = self.row()
        sale = money.show(row.purchase_amount_cents or 0, row.currency or self.desk.merchant.currency)
        return {
            **words,
            "title": _("Refund"),
            "text": _("The purchase was %(amount)s. The points of what goes back are taken back.") % {"amount": sale},
            "action": _("Take the points back"),
        }

    def save(self, form: RefundForm) -> HttpResponseBase:
        """Refund it."""
        data = form.cleaned_data
        refunds.refund(
            self.call({"amount_cents": data["amount"], "reason": data["reason"]}),
            transaction_id=self.kwargs["transaction_id"],
            cents=data["amount"],
            reason=data["reason"],
        )
        return self.done(_("The points are taken back."))
