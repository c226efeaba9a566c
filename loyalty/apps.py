"""App configuration of loyalty."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    """Registers loyalty with Django."""

    name = "loyalty"
    verbose_name = _("Loyalty")

    def ready(self) -> None:
        """Let programs follow the merchant's currency, and take part in erasing a person."""
        from customers import extensions as of_customers
        from loyalty.services import currencies, erasure
        from merchants import extensions

        extensions.on_currency_change(currencies.follow)
        of_customers.on_erasure(erasure.ERASER)
