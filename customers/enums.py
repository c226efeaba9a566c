"""Enumerations of customers; the values reach the API."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """What a message is for."""

    SERVICE = "service", _("Reward news")
    MARKETING = "marketing", _("Offers")


class Channel(models.TextChoices):
    """How a message travels."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class LinkPurpose(models.TextChoices):
    """What a magic link does when it is used."""

    CONFIRM = "confirm", _("Confirm the address")
    RECOVER = "recover", _("Open the card")
