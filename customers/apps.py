"""App configuration of customers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Registers customers with Django."""

    name = "customers"
    verbose_name = _("Customers")
