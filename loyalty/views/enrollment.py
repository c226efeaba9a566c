"""Joining: one screen, one button, no JavaScript; a card needs nothing but a tap."""

import hashlib
import re
import uuid
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import get_language

from core import idempotency
from core.errors import DomainError
from core.idempotency import IdempotencyKeyReused
from core.web import client_address, counted_address, user_agent
from loyalty import extensions
from loyalty.forms import EnrollForm
from loyalty.models import Card
from loyalty.queries import storefronts
from loyalty.rules import browsers
from loyalty.services import cards, limits
from loyalty.services.cards import CLOSED, EnrollmentClosed
from loyalty.views import shown
from loyalty.views.base import StorePage, keep_card

FORM_KEY = re.compile(r"^[0-9a-f]{32}$")


class EnrollPage(StorePage):
    """The enrolment page of a store, where its posters lead."""

    def count(self, request: HttpRequest, store_id: UUID) -> None:
        """Count what may become a card."""
        if request.method == "POST":
            limits.count_enrollment(address=counted_address(request), store_id=store_id)

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the form; who has a card here sees the card."""
        if self.face is not None:
            return HttpResponseRedirect(self.url("dashboard"))
        return self._form(EnrollForm(initial={"form_key": uuid.uuid4().hex}))

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Make the card and lead to it; what cannot be read is said beside its field."""
        if self.face is not None:
            return HttpResponseRedirect(self.url("dashboard"), status=303)
        form = EnrollForm(request.POST)
        if not form.is_valid():
            return self._form(form, status=400)
        try:
            if self.throttled is not None:
                raise self.throttled
            card = self._enroll(form)
        except EnrollmentClosed:
            return self._form(form)
        except DomainError as error:
            form.refuse(error)
            response = self._form(form, status=error.status)
            if error.retry_after is not None:
                response.headers["Retry-After"] = str(error.retry_after)
            return response
        response = HttpResponseRedirect(self.url("welcome"), status=303)
        keep_card(request, response, card)
        return response

    def _form(self, form: EnrollForm, status: int = 200) -> HttpResponse:
        reason = self.place.closed_reason()
        if reason is not None or self.place.program is None:
            words = CLOSED[reason or storefronts.PROGRAM_NOT_ACTIVE]
            return self.page("closed.html", reason=reason, words=words)
        program = self.place.program
        return self.page("enroll.html", form=form, status=status, rewards=storefronts.catalogue(program))

    def _enroll(self, form: EnrollForm) -> Card:
        """Make the card once, however often the button was tapped."""
        path, body = self.request.path, {**form.contact, **{str(kind): box for kind, box in form.consents.items()}}
        try:
            asked = idempotency.request(self._key(form), "enroll", path, body)
            answer = idempotency.once(self.place.merchant.pk, asked, lambda: self._make(form, asked.key))
        except IdempotencyKeyReused:
            # The page came back from the browser's memory and something else was typed: that is a new wish.
            asked = idempotency.request(None, "enroll", path, body)
            answer = idempotency.once(self.place.merchant.pk, asked, lambda: self._make(form, None))
        return Card.objects.get(pk=answer.body["card_id"])

    def _make(self, form: EnrollForm, key: str | None) -> tuple[int, Any, Any]:
        nobody_chose = getattr(self.request, "language_is_default", False)
        chosen = form.cleaned_data.get("language") or ("" if nobody_chose else get_language() or "")
        made = cards.enroll(
            merchant_id=self.place.merchant.pk, store_id=self.place.store.pk, at=timezone.now(), **form.contact,
            language=chosen, consents=form.consents, idempotency_key=key,
            ip=client_address(self.request), user_agent=user_agent(self.request),
        )  # fmt: skip
        body = {"card_id": str(made.card.pk)}
        return 201, body, body

    def _key(self, form: EnrollForm) -> str | None:
        """Return the key of this form in this browser: the form's alone could be known to somebody else."""
        key = form.cleaned_data.get("form_key", "")
        browser = self.request.META.get("CSRF_COOKIE") or get_token(self.request)
        if not FORM_KEY.match(key):
            return None
        return f"web-{hashlib.sha256(f'{browser}/{key}'.encode()).hexdigest()}"


class WelcomePage(StorePage):
    """The card is there: what to do with it."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the new card."""
        customer = self.own.card.customer
        mailed = customer.email if customer.email and customer.confirmed_at is None else ""
        return self.page(
            "welcome.html",
            card=shown.card_context(self.own),
            mailed=mailed,
            device=browsers.device(user_agent(request)),
            wallet=extensions.wallet_links(self.own.card),
            wallet_notice=extensions.wallet_notice(),
        )
