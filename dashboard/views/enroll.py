"""A new card: a code for the customer to scan, or a card that staff type."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.utils import timezone

from core.web import client_address, user_agent
from dashboard.forms.cards import NewCardForm
from dashboard.queries import addresses
from dashboard.views.base import FormMixin, StoreView
from loyalty.enums import Channel
from loyalty.queries import storefronts
from loyalty.services import cards


class Enroll(FormMixin, StoreView):
    """The code of the store's enrolment page, and the form for a card by hand."""

    template_name = "dashboard/enroll.html"
    section = "cards"
    chooser_to = "dashboard:enroll"

    def get_form(self, data: Any = None) -> NewCardForm:
        """Make the form in the merchant's language."""
        return NewCardForm(data, default_language=self.desk.merchant.default_language)

    def extra(self) -> dict[str, Any]:
        """Return the address behind the code, and why no card can be made if none can."""
        place = storefronts.of(self.store)
        reason = place.closed_reason(by_staff=True)
        return {
            "enroll_url": addresses.enroll(self.code),
            "closed": cards.CLOSED[reason] if reason else "",
            "self_enrollment": place.self_enrollment,
        }

    def save(self, form: NewCardForm) -> HttpResponseBase:
        """Make the card and show its code."""
        made = cards.enroll(
            merchant_id=self.merchant_id,
            store_id=self.store.pk,
            source="staff",
            actor=cards.Actor(channel=Channel.DASHBOARD, user_id=self.actor_id),
            at=timezone.now(),
            ip=client_address(self.request),
            user_agent=user_agent(self.request),
            **form.cleaned_data,
        )
        return self.page(
            "dashboard/enrolled.html",
            card_id=made.card.pk,
            number=made.card.card_number,
            qr_data=f"{settings.SITE_URL}/c/{made.card.qr_code_data}",
            mailed=bool(form.cleaned_data["email"]),
        )
