"""A place of a merchant where cards are shown."""

from datetime import time
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models import TenantModel


class Store(TenantModel):
    """A store; its code stands in addresses and on posters and is unique over the whole platform."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    street = models.CharField(_("street and number"), max_length=120, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("town"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=2, default="LU")
    latitude = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )  # fmt: skip
    longitude = models.DecimalField(
        _("longitude"), max_digits=9, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )  # fmt: skip
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Luxembourg")
    day_start = models.TimeField(_("business day starts at"), default=time(0, 0))
    opening_hours = models.JSONField(_("opening hours"), default=dict, blank=True)
    own_device_enabled = models.BooleanField(_("customers' own phones"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(_("closed on"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
