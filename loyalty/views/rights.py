"""The customer's rights as pages: everything that is held, to read and to take away, and the way out for good."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language_info

from core.errors import DomainError, NotFound
from customers.models import Consent, Customer
from customers.services.consents import TEXTS
from loyalty import card_cookie
from loyalty.models import IssuedReward
from loyalty.queries import takeaway
from loyalty.queries.card_faces import CardFace
from loyalty.services import erasure
from loyalty.views import shown
from loyalty.views.base import StorePage

# What a page bears; the file has everything.
MOST = 300


class ExportPage(StorePage):
    """Everything that is held, to read and to print; the file beside it is for machines and complete."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show it."""
        found = takeaway.whole(self.own.card.pk, timezone.now())
        if found is None:
            raise NotFound
        ids = [face.card.pk for face in found.faces]
        lines = takeaway.latest(ids, MOST + 1)
        return self.page(
            "export.html",
            people=[_person(who) for who in (found.person, *found.earlier)],
            consents=[_consent(row) for row in reversed(found.consents)],
            cards=[_card(face) for face in found.faces],
            rewards=IssuedReward.objects.filter(card_id__in=ids).order_by("-issued_at", "-pk")[:MOST],
            months=shown.by_month(shown.visits(lines[:MOST])),
            more=len(lines) > MOST,
            mails=list(reversed(found.mails))[:MOST],
            links=list(reversed(found.links))[:MOST],
            controller=found.merchant.legal_name or found.merchant.name,
            made_at=timezone.now(),
        )


class ErasePage(StorePage):
    """What erasing means, and the button; its answer is the last page of the card."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show what goes and what stays."""
        return self._asked()

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Erase, when the button of the page was tapped."""
        if request.POST.get("confirm") != "yes":
            return self._asked(status=400)
        card = self.own.card
        try:
            erasure.erase_holder(merchant_id=self.place.merchant.pk, card_id=card.pk, at=timezone.now())
        except DomainError as refusal:
            return self._asked(refusal=refusal.detail, status=refusal.status)
        self.face = None
        response = self.page("erased.html")
        card_cookie.forget(response, card.program_id)
        return response

    def _asked(self, *, refusal: str = "", status: int = 200) -> HttpResponseBase:
        merchant = self.place.merchant
        return self.page(
            "erase.html", face=self.own, refusal=refusal, status=status,
            controller=merchant.legal_name or merchant.name,
        )  # fmt: skip


def _person(who: Customer) -> dict[str, Any]:
    return {"row": who, "birthday": shown.birthday(who), "language": get_language_info(who.language)["name_local"]}


def _consent(row: Consent) -> dict[str, Any]:
    return {"row": row, "text": TEXTS.get((row.purpose, row.channel), "")}


def _card(face: CardFace) -> dict[str, Any]:
    return {"row": face.card, "program": face.card.program, "store": face.card.enrolled_store}
