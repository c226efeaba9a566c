"""The page behind List-Unsubscribe: one click by the mail program, or one button by a person; no login."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from core import tenancy
from core.errors import NotFound
from core.middleware import known_language
from customers.models import Customer
from customers.services import unsubscribes
from customers.services.consents import TEXTS
from customers.services.unsubscribes import Subscription
from loyalty.views.base import merchant_frame
from merchants.models import Merchant


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribePage(View):
    """The signed address itself is the proof: a mail program posts without a cookie (RFC 8058)."""

    @sensitive_variables("token")
    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Show one button; mail scanners open every address, so looking changes nothing."""
        return self._answer(request, token)

    @sensitive_variables("token")
    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Unsubscribe at once, or take that back (`undo=yes`)."""
        change = unsubscribes.undo if request.POST.get("undo") == "yes" else unsubscribes.unsubscribe
        try:
            change(unsubscribes.read(token), at=timezone.now())
        except NotFound:
            raise Http404 from None
        return self._answer(request, token, changed=True)

    def _answer(self, request: HttpRequest, token: str, *, changed: bool = False) -> HttpResponseBase:
        try:
            subscription = unsubscribes.read(token)
            with tenancy.scope(subscription.merchant_id):
                customer = unsubscribes.find(subscription)
                _speak(request, customer)
                response = render(request, "loyalty/unsubscribe.html", _context(subscription, changed))
        except NotFound:
            raise Http404 from None
        response.headers["Cache-Control"] = "private, no-store"
        # The address is a key: it must not travel on in a Referer, nor stand in a search engine.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex"
        return response


def _speak(request: HttpRequest, customer: Customer) -> None:
    """Use the customer's language, unless the switch says another one."""
    saved = known_language(customer.language)
    if saved and not getattr(request, "language_from_cookie", False):
        translation.activate(saved)
        request.LANGUAGE_CODE = saved


def _context(subscription: Subscription, changed: bool) -> dict[str, Any]:
    merchant = Merchant.objects.get(pk=subscription.merchant_id)
    return {
        **merchant_frame(merchant),
        "text": TEXTS[subscription.purpose, subscription.channel],
        "purpose": subscription.purpose,
        "is_on": unsubscribes.is_on(subscription),
        "changed": changed,
    }
