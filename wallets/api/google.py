"""Google's doors: the address behind the button "Add to Google Wallet", and the callback that Google posts to."""

import logging
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View, defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from core import throttling
from core.api.errors import problem_response
from core.api.parsers import RequestTooLarge
from core.errors import DomainError, NotFound, ServiceUnavailable, Throttled, ValidationFailed
from core.web import counted_address
from wallets.providers.google import callbacks as messages
from wallets.providers.google.callbacks import BadMessage
from wallets.providers.google.root_keys import KeysAway
from wallets.services import callbacks, google_links

logger = logging.getLogger(__name__)
KEYS_AWAY_SECONDS, AWAY_SECONDS = 60, 10
MOST, PERIOD = 1200, 60


class SaveRedirect(View):
    """Leads whoever holds the signed address on to Google, with the card already there."""

    @sensitive_variables("token")
    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Make the object at Google and redirect to its link; 404 for a card that is over, 503 while Google is away."""
        try:
            response: HttpResponse = HttpResponseRedirect(google_links.open_token(token, at=timezone.now()))
        except DomainError as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                error.retry_after = error.retry_after or AWAY_SECONDS
            response = _refusal(request, error)
        # The address is a key, and so is the one that it leads to.
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        return response


@method_decorator(csrf_exempt, name="dispatch")
class GoogleCallback(View):
    """Hears from Google that a card was added or removed; the signature is the proof, whoever it came from."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take a message: 200, also for one that was taken before; 4xx for what Google did not sign for us."""
        try:
            self._count(request)
            callbacks.receive(self._read(request), at=timezone.now())
        except BadMessage as error:
            logger.warning("a message that is none of google's: %s", error)
            return problem_response(ValidationFailed({}), request)
        except DomainError as error:
            return problem_response(error, request)
        return JsonResponse({})

    @staticmethod
    def _count(request: HttpRequest) -> None:
        if not throttling.allow(f"google-callback:{counted_address(request)}", limit=MOST, period=PERIOD):
            raise Throttled(retry_after=throttling.seconds_left(PERIOD))

    @staticmethod
    def _read(request: HttpRequest) -> messages.Message:
        if not settings.LOYALTY_GOOGLE_ISSUER_ID:
            raise NotFound
        raw = request.read(messages.MAX_BYTES + 1)
        if len(raw) > messages.MAX_BYTES:
            raise RequestTooLarge
        try:
            return messages.verify(
                raw, issuer_id=settings.LOYALTY_GOOGLE_ISSUER_ID, at=timezone.now(),
                keys_url=settings.LOYALTY_GOOGLE_CALLBACK_KEYS_URL,
            )  # fmt: skip
        except KeysAway as error:
            raise ServiceUnavailable(retry_after=KEYS_AWAY_SECONDS) from error


def _refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer people with a page and programs with a problem document."""
    if "text/html" not in request.headers.get("Accept", ""):
        return problem_response(error, request)
    if error.status == HTTPStatus.NOT_FOUND:
        return defaults.page_not_found(request, Http404())
    response = render(request, "wallets/google_away.html", status=error.status)
    for name, value in problem_response(error, request).headers.items():
        if name == "Retry-After":
            response.headers[name] = value
    return response
