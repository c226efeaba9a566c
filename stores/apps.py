"""App configuration of stores."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StoresConfig(AppConfig):
    """Registers stores with Django."""

    name = "stores"
    verbose_name = _("Stores")
