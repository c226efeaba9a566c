"""The card from the desktop to the phone: a QR code that is good for two minutes and opens the card once."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.debug import sensitive_variables

from core.errors import Throttled
from customers.services.links import LinkExpired
from loyalty.services import handovers
from loyalty.views.base import StorePage, keep_card


class HandoverPage(StorePage):
    """Shows the code, when it is asked for: nobody sees it who only looks over a shoulder at the card."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Say what it is, and ask."""
        return self._shown()

    @sensitive_variables("token")
    def post(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Make a link and show it as a code."""
        try:
            token = handovers.make(merchant_id=self.place.merchant.pk, card=self.own.card)
        except Throttled as refusal:
            return self._shown(refusal=refusal.detail, status=refusal.status)
        return self._shown(link=f"{settings.SITE_URL}{self.url('open', token)}")

    def _shown(self, *, status: int = 200, **context: Any) -> HttpResponse:
        response = self.page("handover.html", minutes=handovers.SECONDS // 60, status=status, **context)
        # What is over goes off the screen by itself, without a script.
        if "link" in context:
            response.headers["Refresh"] = f"{handovers.SECONDS}; url={self.url('handover')}"
        return response


class OpenPage(StorePage):
    """Where the code leads: one button, so that a camera's preview of the address does not use it up."""

    @sensitive_variables("token")
    def get(self, request: HttpRequest, store_code: str, token: str) -> HttpResponseBase:
        """Show the button."""
        if not handovers.is_good(merchant_id=self.place.merchant.pk, token=token):
            return self._over()
        return self.page("open.html")

    @sensitive_variables("token")
    def post(self, request: HttpRequest, store_code: str, token: str) -> HttpResponseBase:
        """Keep the card in this browser and show it."""
        program = self.place.program
        try:
            if program is None:
                raise LinkExpired
            card = handovers.take(merchant_id=self.place.merchant.pk, token=token, program_id=program.pk)
        except LinkExpired:
            return self._over()
        response = HttpResponseRedirect(self.url("dashboard"), status=303)
        keep_card(request, response, card)
        return response

    def _over(self) -> HttpResponse:
        return self.page("open.html", over=True, status=LinkExpired.status)
