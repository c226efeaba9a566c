"""May the platform's people look into these pages: granted for a while, ended at once, and who has looked."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError, NotFound
from dashboard.views import frame
from dashboard.views.base import MerchantView
from merchants.permissions import SUPPORT_LOOKS, has_right
from merchants.queries import support as looks
from merchants.services import support

LATEST = 30
# For how long, as the buttons say it.
SPANS = (
    (1, gettext_lazy("1 hour")), (24, gettext_lazy("24 hours")), (168, gettext_lazy("7 days")),
)  # fmt: skip


class Support(MerchantView):
    """The page: what a look is, whether one is allowed now, and what was looked at."""

    template_name = "dashboard/support.html"
    section = "settings"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show it."""
        return self.page(
            consent=looks.consent(at=timezone.now()),
            may_decide=has_right(self.desk.role, SUPPORT_LOOKS) and self.desk.looks_until is None,
            spans=SPANS,
            looks=looks.looks(self.merchant_id, count=LATEST),
            subpages=frame.settings_pages(self.desk, "dashboard:support"),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Allow looks for a while, or say why not."""
        hours = self.request.POST.get("hours", "")
        try:
            support.allow(
                merchant_id=self.merchant_id, hours=int(hours) if hours.isdecimal() and len(hours) < 4 else 0,
                at=timezone.now(), actor_id=self.actor_id,
            )  # fmt: skip
        except NotFound:
            raise
        except DomainError as error:
            return self.back("support", error=error)
        return self.to("support", text=_("The platform's people may look now."))


class SupportWithdraw(MerchantView):
    """End it."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """End every look at once."""
        try:
            support.withdraw(merchant_id=self.merchant_id, at=timezone.now(), actor_id=self.actor_id)
        except NotFound:
            raise
        except DomainError as error:
            return self.back("support", error=error)
        return self.to("support", text=_("It is ended. Nobody of the platform can look any more."))
