"""The pass for a browser: by its signed address, or for whoever holds the card's secret."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views import View

from core.api.errors import problem_response
from core.errors import DomainError, NotFound
from loyalty.queries import access
from wallets.api.apple import package_response
from wallets.enums import Provider
from wallets.queries import providers
from wallets.services import fetches, links

SCHEME = "card"


class ApplePassView(View):
    """A card's .pkpass; without the right to it there is nothing here, without usable credentials nothing for now."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, serial: str) -> HttpResponse:
        """Return the pass as it is now."""
        found = links.find(serial)
        in_use = found is not None and providers.in_use(Provider.APPLE, found.merchant_id)
        if found is None or not in_use or not self._may(serial, found.card_id):
            return problem_response(NotFound())
        try:
            package = fetches.download(
                merchant_id=found.merchant_id, pass_id=found.pass_id, at=timezone.now(), body=request.method == "GET"
            )
        except DomainError as refusal:
            return problem_response(refusal)
        return package_response(request, package)

    def _may(self, serial: str, card_id: object) -> bool:
        """Tell whether the address is signed, or the header opens this very card."""
        if links.is_signed(serial, self.request.GET.get("s", "")):
            return True
        scheme, _, secret = self.request.headers.get("Authorization", "").strip().partition(" ")
        opened = access.card_of(secret.strip()) if scheme.lower() == SCHEME and secret.strip() else None
        return opened is not None and opened[1] == card_id
