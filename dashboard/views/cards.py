"""Cards: the list with its search, and one card with its history."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import NotFound
from dashboard.forms.cards import OwnerForm
from dashboard.queries import cards, consents, merging, timeline
from dashboard.queries.people import colleagues
from dashboard.views.base import StoreView
from loyalty.enums import CardStatus
from loyalty.queries import card_faces
from loyalty.rules import timing
from wallets.queries import overviews

SEARCH_LENGTH = 120


class CardsPage(StoreView):
    """Cards of the merchant; they are valid in every store that runs their program."""

    section = "cards"
    chooser_to = "dashboard:cards"

    def today(self) -> Any:
        """Return the business day that it is in this store."""
        return timing.business_date(timezone.now(), self.store.time_zone, self.store.day_start)


class Cards(CardsPage):
    """The list: search, a filter by state, and "Show more"."""

    template_name = "dashboard/cards.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a page of cards."""
        search = self.request.GET.get("search", "").strip()[:SEARCH_LENGTH]
        state = self.request.GET.get("status", "")
        found = cards.page(search=search, status=state, after=self.request.GET.get("after", ""))
        return self.page(
            found=found,
            search=search,
            state=state,
            states=[
                (cards.READY, _("Reward ready")),
                *((value, label) for value, label in CardStatus.choices if value != CardStatus.MERGED),
            ],
            next_url=f"?{urlencode({'search': search, 'status': state, 'after': found.after})}" if found.after else "",
        )


class Card(CardsPage):
    """One card: what is on it, whose it is, what happened."""

    template_name = "dashboard/card.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the card."""
        face = card_faces.face(kwargs["card_id"], timezone.now())
        if face is None:
            raise NotFound
        history = timeline.of_card(face.card.pk, before=self._before(), today=self.today())
        here = reverse("dashboard:card", args=[self.code, face.card.pk])
        return self.page(
            face=face,
            card=face.card,
            title=cards.title(face.card),
            tone=cards.TONES[CardStatus(face.card.status)],
            history=history,
            consents=consents.of(face.card.customer_id),
            merges=merging.past(face.card, timezone.now()),
            wallets=overviews.of_card(merchant_id=self.merchant_id, card_id=face.card.pk),
            owner_form=self._owner(face.card.customer.staff_pin_id),
            older_url=f"{here}?{urlencode({'before': history.before})}" if history.before else "",
            is_older=self._before() is not None,
        )

    def _owner(self, staff_id: UUID | None) -> OwnerForm | None:
        """Return the choice of whose own card it is, None where nobody works with a PIN."""
        people = colleagues()
        return OwnerForm(people=people, initial={"staff": str(staff_id or "")}) if people else None

    def _before(self) -> int | None:
        text = self.request.GET.get("before", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
