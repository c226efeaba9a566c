"""What a manager does to a whole card: put its balance right, freeze it, merge it, say that it is a colleague's own."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import idempotency
from core.errors import DomainError, NotFound
from core.ids import uuid7
from core.templatetags.ui import localdate
from core.web import client_address, user_agent
from customers.services import own_cards
from dashboard.forms.cards import AdjustForm, CorrectionForm, FreezeForm, OwnerForm
from dashboard.queries import cards, merging
from dashboard.queries.people import colleagues
from dashboard.views.base import FormMixin
from dashboard.views.cards import SEARCH_LENGTH, CardsPage
from loyalty.enums import CardStatus, Channel
from loyalty.models import Card
from loyalty.services import adjustments, freezing, merges
from loyalty.services.joining import UNDO_FOR
from loyalty.services.operations import Call
from stores.queries.access import Credential


class CardAction(FormMixin, CardsPage):
    """A form about one card. A second click on the same form finds the first one's answer."""

    template_name = "dashboard/card_action.html"
    form_class: Any = CorrectionForm
    operation = ""

    def card(self) -> Card:
        """Return the card of the address; raises NotFound. Runs inside the merchant's scope."""
        found = merging.card(self.kwargs["card_id"])
        if found is None:
            raise NotFound
        return found

    def extra(self) -> dict[str, Any]:
        """Return what every one of these pages shows."""
        card = self.card()
        return {
            "side": merging.side(card),
            "back_url": reverse("dashboard:card", args=[self.code, card.pk]),
            "key": self.request.POST.get("key") or uuid7(),
        }

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look for the card before the form is read: another merchant's is 404, whatever was typed."""
        with self.scope():
            self.card()
        return super().post(*args, **kwargs)

    def asked(self, body: dict[str, Any]) -> idempotency.Request:
        """Describe the request, so that it is done once."""
        try:
            key = f"page-{UUID(self.request.POST.get('key', ''))}"
        except ValueError:
            key = None
        return idempotency.request(key, self.operation, f"{self.operation}/{self.kwargs['card_id']}", body)

    def once(self, body: dict[str, Any], run: Callable[[str | None], Any]) -> None:
        """Run a write of this page once; `run` gets the key for the ledger."""
        asked = self.asked(body)

        def kept() -> tuple[int, Any, Any]:
            run(asked.key)
            return 200, {}, {}

        idempotency.once(self.merchant_id, asked, kept)

    def done(self, text: str, card_id: UUID | None = None) -> HttpResponseBase:
        """Go back to the card, or on to another one."""
        return self.to("card", self.code, card_id or self.kwargs["card_id"], text=text)


class Adjust(CardAction):
    """Put stamps or points right by hand."""

    operation = "adjust"

    def get_form(self, data: Any = None) -> AdjustForm:
        """Offer the units that the card's program counts."""
        with self.scope():
            program = self.card().program
        return AdjustForm(data, stamps=program.has_stamps, points=program.has_points)

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            **super().extra(),
            "title": _("Adjust the balance"),
            "text": _("For what no sale explains: a kindness, a mistake. The history shows it with your reason."),
            "action": _("Adjust"),
            "kind": "fill",
        }

    def save(self, form: AdjustForm) -> HttpResponseBase:
        """Adjust it."""
        deltas, reason = form.deltas(), form.cleaned_data["reason"]
        call = Call(
            credential=Credential("user", self.merchant_id, self.actor_id), asked=self.asked({**deltas, "why": reason}),
            at=timezone.now(), store_code=self.code, channel=Channel.DASHBOARD, ip=client_address(self.request),
            user_agent=user_agent(self.request),
        )  # fmt: skip
        adjustments.adjust(
            call, card_id=self.kwargs["card_id"], stamps_delta=deltas["stamps_delta"],
            points_delta=deltas["points_delta"], reason=reason,
        )  # fmt: skip
        return self.done(_("The balance is adjusted."))


class Freeze(CardAction):
    """Let a card rest, or go on: the page offers what fits its state."""

    form_class = FreezeForm
    operation = "freeze"

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        words, status = super().extra(), self.card().status
        if status == CardStatus.FROZEN:
            return {
                **words, "title": _("Unfreeze this card?"), "kind": "fill", "action": _("Let it go on"), "to": "active",
                "text": _("It earns and redeems again at once."),
            }  # fmt: skip
        return {
            **words, "title": _("Freeze this card?"), "kind": "danger", "action": _("Freeze it"), "to": "frozen",
            "text": _("No stamps, no points, no rewards until you let it go on. What is on it stays."),
        }  # fmt: skip

    def save(self, form: FreezeForm) -> HttpResponseBase:
        """Do what the page offered when it was opened, not the opposite of what somebody else did since."""
        reason, goes_on = form.cleaned_data["reason"], self.request.POST.get("to") == "active"
        change = freezing.unfreeze if goes_on else freezing.freeze
        self.once(
            {"reason": reason, "to": goes_on},
            lambda _key: change(
                merchant_id=self.merchant_id, card_id=self.kwargs["card_id"], reason=reason, at=timezone.now(),
                user_id=self.actor_id,
            ),
        )  # fmt: skip
        return self.done(_("The card goes on.") if goes_on else _("The card is frozen."))


class Merge(CardAction):
    """Choose the other card, see both side by side and what will happen, then confirm."""

    template_name = "dashboard/card_merge.html"
    operation = "merge"

    def extra(self) -> dict[str, Any]:
        """Return the cards to choose from, or both cards and what a merge makes of them."""
        words, source, target = super().extra(), self.card(), self._other()
        words |= {"source": words["side"], "target": None, "search": "", "found": None}
        if target is None:
            search = self.request.GET.get("search", "").strip()[:SEARCH_LENGTH]
            rows = cards.page(search=search, status="", after="").rows if search else []
            return {**words, "search": search, "rows": [row for row in rows if row.id != source.pk]}
        return {**words, "target": merging.side(target), "problem": "", **self._outcome(source, target)}

    def save(self, form: CorrectionForm) -> HttpResponseBase:
        """Merge."""
        with self.scope():
            target = self._other()
        if target is None:
            raise NotFound
        reason = form.cleaned_data["reason"]
        self.once(
            {"reason": reason, "into": str(target.pk)},
            lambda key: merges.merge(
                merchant_id=self.merchant_id, card_id=self.kwargs["card_id"], into_id=target.pk, reason=reason,
                at=timezone.now(), user_id=self.actor_id, channel=Channel.DASHBOARD, store_id=self.store.pk, key=key,
            ),
        )  # fmt: skip
        day = localdate(timezone.now() + UNDO_FOR, "long")
        return self.done(_("Merged. It can be taken back until %(day)s.") % {"day": day}, target.pk)

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for the other card first when the form names none."""
        with self.scope():
            self.card()
            if self._other() is None:
                return self.page(form=None, status=400)
        return super().post(*args, **kwargs)

    def _other(self) -> Card | None:
        """Return the card that was chosen, None when none was; raises NotFound for one that is not there."""
        text = self.request.POST.get("into") or self.request.GET.get("into") or ""
        if not text:
            return None
        try:
            found = merging.card(UUID(text))
        except ValueError:
            raise NotFound from None
        if found is None:
            raise NotFound
        return found

    def _outcome(self, source: Card, target: Card) -> dict[str, Any]:
        try:
            change = merges.preview(
                merchant_id=self.merchant_id, card_id=source.pk, into_id=target.pk, at=timezone.now()
            )  # fmt: skip
        except NotFound:
            raise
        except DomainError as refusal:
            return {"problem": _said(refusal)}
        return {
            "points": merging.consequences(source, target, change),
            "balance": merging.after(target, change),
            "ready": change["rewards_ready"],
        }


class Unmerge(CardAction):
    """Take a merge back."""

    operation = "unmerge"

    def extra(self) -> dict[str, Any]:
        """Return what would go back, or why nothing can."""
        words = {**super().extra(), "title": _("Take the merge back?"), "kind": "danger", "action": _("Take it back")}
        try:
            result = merges.preview_back(
                merchant_id=self.merchant_id, card_id=self.kwargs["card_id"], at=timezone.now()
            )  # fmt: skip
        except NotFound:
            raise
        except DomainError as refusal:
            return {**words, "problem": _said(refusal)}
        (merge,) = merging.past(self.card(), timezone.now())
        words["text"] = _("It was merged into card %(number)s, %(name)s. It can be taken back until %(day)s.") % {
            "number": f"•• {merge.other.number[-4:]}",
            "name": merge.other.title,
            "day": localdate(merge.undo_until, "long") if merge.undo_until else "",
        }
        return {**words, "merged": True, "points": merging.returns(result)}

    def save(self, form: CorrectionForm) -> HttpResponseBase:
        """Take it back."""
        reason = form.cleaned_data["reason"]
        self.once(
            {"reason": reason},
            lambda key: merges.unmerge(
                merchant_id=self.merchant_id, card_id=self.kwargs["card_id"], reason=reason, at=timezone.now(),
                user_id=self.actor_id, channel=Channel.DASHBOARD, store_id=self.store.pk, key=key,
            ),
        )  # fmt: skip
        return self.done(_("Both cards go on by themselves."))


class Owner(CardAction):
    """Say that a card is a colleague's own, or that it is not."""

    template_name = "dashboard/card_action.html"
    operation = "owner"

    def get_form(self, data: Any = None) -> OwnerForm:
        """Offer who works here."""
        with self.scope():
            return OwnerForm(data, people=colleagues(), initial={"staff": str(self.card().customer.staff_pin_id or "")})

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {**super().extra(), "title": _("Whose card is it?"), "kind": "fill", "action": _("Save")}

    def save(self, form: OwnerForm) -> HttpResponseBase:
        """Save it."""
        with self.scope():
            who: dict[str, Any] = {
                "merchant_id": self.merchant_id, "customer_id": self.card().customer_id, "at": timezone.now(),
                "user_id": self.actor_id,
            }  # fmt: skip
        chosen = form.cleaned_data["staff"]
        if chosen:
            own_cards.link(staff_id=UUID(chosen), **who)
            return self.done(_("Noted: this is a colleague’s own card."))
        own_cards.unlink(**who)
        return self.done(_("Noted: this is a customer’s card."))


def _said(refusal: DomainError) -> str:
    """Return a refusal in words, of a field too."""
    errors = getattr(refusal, "errors", {})
    texts = [str(text) for problems in errors.values() for _code, text in problems]
    return texts[0] if texts else refusal.detail
