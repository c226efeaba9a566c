"""/pair: the device at the till types a manager's code once and is a terminal from then on."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from core import throttling
from core.errors import DomainError, Throttled
from core.web import counted_address
from stores.forms import PairingForm
from stores.queries.devices import TERMINAL_COOKIE
from stores.services import terminals

COOKIE_AGE = 400 * 24 * 3600
TRIES, TRIES_PERIOD = 20, 600


@method_decorator(never_cache, name="dispatch")
class PairView(View):
    """The form and its answer."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form; the code may come with the address (from the QR code on the manager's screen)."""
        return self._page(PairingForm(initial={"code": request.GET.get("code", "")[:16]}))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Pair the device and open its terminal, or say why not."""
        form = PairingForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=400)
        try:
            self._count_try()
            paired = terminals.pair(code=form.cleaned_data["code"], at=timezone.now())
        except DomainError as error:
            form.add_error("code", error.detail)
            return self._page(form, status=error.status)
        response = HttpResponseRedirect(f"/store/{paired.terminal.store.code}/loyalty/terminal")
        response.set_cookie(
            TERMINAL_COOKIE, paired.token, max_age=COOKIE_AGE, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
        return response

    def _count_try(self) -> None:
        """Guessing a code needs many tries: refuse them early, also while Redis is away."""
        subject = f"pair:{counted_address(self.request)}"
        if not throttling.allow(subject, limit=TRIES, period=TRIES_PERIOD, closed_without_redis=True):
            raise Throttled(retry_after=throttling.seconds_left(TRIES_PERIOD))

    def _page(self, form: PairingForm, status: int = 200) -> HttpResponse:
        context: dict[str, Any] = {"form": form, "action": _("Pair this device")}
        return render(self.request, "stores/pair.html", context, status=status)
