"""Wallets: whether the merchant's cards can be added to phones, and how they arrive there."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from dashboard.queries import wallets
from dashboard.views import frame
from dashboard.views.base import MerchantView


class Wallets(MerchantView):
    """Both wallets: what works, what is missing, and whose it is to set it up."""

    template_name = "dashboard/wallets.html"
    section = "settings"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show them."""
        panels = wallets.panels(at=timezone.now())
        return self.page(
            panels=panels,
            all_work=all(panel.is_working for panel in panels),
            operator=settings.OPERATOR,
            in_development=settings.DEBUG,
            subpages=frame.settings_pages(self.desk, "dashboard:wallets"),
        )
