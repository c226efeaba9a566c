"""App configuration of wallets."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WalletsConfig(AppConfig):
    """Registers wallets with Django."""

    name = "wallets"
    verbose_name = _("Wallets")
