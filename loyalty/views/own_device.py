"""Staff give on the customer's own phone: a page that shows the card and asks for the amount and the PIN.

It works without a script; a script adds the PIN pad. The same addresses take JSON (loyalty.api.own_device).
"""

import hashlib
import uuid
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.views import APIView

from core import idempotency, tenancy, throttling
from core.api.errors import MEDIA_TYPE, exception_handler
from core.api.throttling import StorefrontThrottle
from core.errors import DomainError, NotFound, Throttled
from core.templatetags.ui import clock
from core.web import client_address, counted_address, user_agent
from loyalty.api.own_device import OwnPointsApi, OwnStampApi
from loyalty.forms import OwnDeviceForm
from loyalty.models import Transaction
from loyalty.queries import history, storefronts
from loyalty.services import own_device
from loyalty.services.operations import DuplicateSuspected
from loyalty.services.own_device import Phone
from loyalty.views import shown
from loyalty.views.base import StorePage, find_store, own_face

# How long "given" is shown of a booking: later it is history.
SHOWN_FOR = timedelta(minutes=10)


@method_decorator(csrf_exempt, name="dispatch")
@method_decorator(sensitive_post_parameters("staff_pin"), name="dispatch")
class OwnDevicePage(StorePage):
    """The page of one store; what is typed is booked before the page's own scope opens, as every operation is."""

    http_method_names = ["get", "post", "head", "options"]
    api: ClassVar[type[APIView]]
    with_amount = False
    form: OwnDeviceForm | None = None
    answer: idempotency.Answer | None = None
    refusal: DomainError | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Give JSON to the API, which guards itself; a form needs the token of its page."""
        if (request.method or "").lower() not in self.http_method_names:
            return self._no_such_method(request)
        if request.method == "POST" and request.content_type == "application/json":
            return self.api.as_view()(request, *args, **kwargs)
        return self._serve(request, *args, **kwargs)

    def _no_such_method(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse a method that neither the page nor the API has, to scripts in their own way."""
        response: HttpResponse = HttpResponseNotAllowed([name.upper() for name in self.http_method_names])
        if request.content_type == "application/json" or not request.accepts("text/html"):
            refusal = exception_handler(MethodNotAllowed(request.method or ""), {})
            headers = {"Allow": response.headers["Allow"]}
            data = refusal.data if refusal is not None else {}
            response = JsonResponse(data, status=405, headers=headers, content_type=MEDIA_TYPE)
        return response

    @method_decorator(csrf_protect)
    def _serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            self._take(request, kwargs["store_code"])
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Show the card and the pad, or what was given just now."""
        given = self._given(request.GET.get("given", ""))
        if given is not None:
            return self.page("own_device_given.html", card=shown.card_context(self.own), **_words(given))
        return self._form(status=200)

    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Lead to what was given, or say beside the field why nothing was."""
        if self.answer is not None:
            address = f"{self.address}?given={self.answer.body['transaction_id']}"
            return HttpResponseRedirect(address, status=303)
        return self._form(status=self.refusal.status if self.refusal else 400)

    @property
    def address(self) -> str:
        """The address of this very page."""
        return self.url("own-points" if self.with_amount else "own-stamp")

    def book(self, phone: Phone, asked: idempotency.Request, data: dict[str, Any]) -> idempotency.Answer:
        """Call the one service of this page."""
        raise NotImplementedError

    def _take(self, request: HttpRequest, store_code: str) -> None:
        """Read the form and book it, outside of any scope; what came of it stands in `answer`, `refusal`, `form`."""
        merchant_id, store_id = find_store(store_code)
        limits = StorefrontThrottle
        if not throttling.allow(f"{limits.name}:{counted_address(request)}", limit=limits.limit, period=limits.period):
            self.refusal = Throttled(retry_after=throttling.seconds_left(limits.period))
            return
        with tenancy.scope(merchant_id):
            try:
                place = storefronts.load(store_id)
            except NotFound:
                raise Http404 from None
            face = own_face(request, place)
        if face is None or place.program is None or not place.store.own_device_enabled:
            return
        self.form = OwnDeviceForm(request.POST, currency=place.program.currency, with_amount=self.with_amount)
        if not self.form.is_valid():
            return
        data = self.form.cleaned_data
        if data["pass_id"] != face.card.pk:
            raise Http404
        phone = Phone(
            merchant_id=merchant_id, card_id=face.card.pk, store_code=place.store.code, at=timezone.now(),
            address=counted_address(request), ip=client_address(request), user_agent=user_agent(request),
        )  # fmt: skip
        try:
            self.answer = self.book(phone, self._asked(face.card.pk, data), data)
        except DomainError as refusal:
            self.refusal = refusal

    def _asked(self, card_id: UUID, data: dict[str, Any]) -> idempotency.Request:
        """Describe the form: tapped twice it counts once. The key is tied to the card, so that it is nobody else's."""
        name = data.get("form_key")
        key = f"own-{hashlib.sha256(f'{card_id}/{name}'.encode()).hexdigest()}" if name else None
        body = {"pass_id": str(card_id), "amount": data.get("amount")}
        return idempotency.request(key, "points" if self.with_amount else "stamp", self.request.path, body)

    def _form(self, *, status: int) -> HttpResponse:
        """Show the pad, or in kind words why there is none here."""
        closed = self._closed()
        if closed is not None:
            return self.page("own_device_off.html", **closed)
        program, asks_again = self.own.card.program, isinstance(self.refusal, DuplicateSuspected)
        form = self.form or OwnDeviceForm(currency=program.currency, with_amount=self.with_amount)
        if self.refusal is not None and not asks_again:
            self._explain(form, self.refusal)
        form = form if form.is_bound else self._fresh(program.currency)
        response = self.page(
            "own_device.html", status=status, form=form, card=shown.card_context(self.own), action=self.address,
            asks_again=asks_again, again_text=self._again_text() if asks_again else "", with_amount=self.with_amount,
            wrong=[*form.non_field_errors()] if form.is_bound else [self.refusal.detail] if self.refusal else [],
            other_url=self._other() if program.has_stamps and program.has_points else "",
        )  # fmt: skip
        if self.refusal is not None and self.refusal.retry_after is not None:
            response.headers["Retry-After"] = str(self.refusal.retry_after)
        return response

    def _fresh(self, currency: str) -> OwnDeviceForm:
        initial = {"pass_id": self.own.card.pk, "form_key": uuid.uuid4().hex}
        return OwnDeviceForm(initial=initial, currency=currency, with_amount=self.with_amount)

    def _explain(self, form: OwnDeviceForm, refusal: DomainError) -> None:
        if not form.is_bound:
            return
        next_at = refusal.facts.get("next_stamp_available_at") or refusal.facts.get("resets_at")
        if refusal.code.startswith("staff_pin"):
            form.add_error("staff_pin", refusal.detail)
        elif next_at is not None:
            form.add_error(None, _("Next stamp possible at %(time)s") % {"time": clock(next_at)})
        else:
            form.refuse(refusal)

    def _again_text(self) -> str:
        at = self.refusal.facts["last_at"] if self.refusal else timezone.now()
        return _("Just booked at %(time)s. Once more?") % {"time": clock(at)}

    def _other(self) -> str:
        return self.url("own-stamp" if self.with_amount else "own-points")

    def _closed(self) -> dict[str, Any] | None:
        """Return the words of the page where nothing can be given on this phone here, None where it can."""
        if not self.place.store.own_device_enabled:
            text = _("Show your card at the till: the team takes care of the rest.")
            return {"title": _("Stamps and points are given at the till here"), "text": text, **self._next()}
        if self.face is None:
            text = _("Then hand this phone to the team, and your first visit counts.")
            return {"title": _("First your card, one tap away"), "text": text, **self._next()}
        program = self.face.card.program
        if program.has_points if self.with_amount else program.has_stamps:
            return None
        text = _("You collect points here.") if program.has_points else _("You collect stamps here.")
        title = _("This page is for another kind of card")
        return {"title": title, "text": text, "next_url": self._other(), "next_label": _("To the right page")}

    def _next(self) -> dict[str, str]:
        if self.face is None:
            return {"next_url": self.url("enroll"), "next_label": _("Get my card")}
        return {"next_url": self.url("dashboard"), "next_label": _("Your card")}

    def _given(self, text: str) -> Transaction | None:
        """Return the row of this card that was booked just now, None when the address names none."""
        if self.face is None or not text:
            return None
        try:
            row_id = UUID(text)
        except ValueError:
            return None
        found = history.of_card(self.face.card.pk).filter(pk=row_id, recorded_at__gt=timezone.now() - SHOWN_FOR)
        return found.first()


class OwnStampPage(OwnDevicePage):
    """`/stamp/<store>`."""

    api = OwnStampApi

    def book(self, phone: Phone, asked: idempotency.Request, data: dict[str, Any]) -> idempotency.Answer:
        """Give a stamp."""
        return own_device.stamp(phone, asked, pin=data["staff_pin"], confirm=data["confirm"])


class OwnPointsPage(OwnDevicePage):
    """`/points/<store>`."""

    api = OwnPointsApi
    with_amount = True

    def book(self, phone: Phone, asked: idempotency.Request, data: dict[str, Any]) -> idempotency.Answer:
        """Grant the points of the purchase."""
        return own_device.earn(
            phone, asked, cents=data["amount"], pin=data["staff_pin"], confirm=data["confirm"]
        )  # fmt: skip


def _words(row: Transaction) -> dict[str, Any]:
    """Return what was given, in large and in small."""
    count = row.points_granted if row.purchase_amount_cents is not None else row.stamps_delta
    if row.purchase_amount_cents is not None:
        title = ngettext("%(count)s point given", "%(count)s points given", count)
    else:
        title = ngettext("Stamp given", "%(count)s stamps given", count)
    return {"title": title % {"count": count}, "at": clock(row.recorded_at)}
