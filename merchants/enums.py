"""Enumerations of merchants; the values reach the API."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MerchantStatus(models.TextChoices):
    """Where a merchant stands with the platform."""

    TRIAL = "trial", _("Trial")
    ACTIVE = "active", _("Active")
    LATE = "late", _("Late with the bill")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")


# Standings in which the 60 days of rule 5 run; from one to the other they run on.
UNPAID = frozenset({MerchantStatus.LATE, MerchantStatus.SUSPENDED})


class Role(models.TextChoices):
    """What a person may do at a merchant; see permissions.py."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    STAFF = "staff", _("Staff")


class PinPolicy(models.TextChoices):
    """Whether staff prove themselves with a PIN; `optional` leaves it to the program."""

    REQUIRED = "required", _("Required")
    OPTIONAL = "optional", _("As the program says")
    DISABLED = "disabled", _("Disabled")


class OwnCardPolicy(models.TextChoices):
    """What happens when staff give stamps or points to a card that is linked to themselves."""

    REFUSE = "refuse", _("Refuse it")
    ALLOW = "allow", _("Allow and log it")


class Trade(models.TextChoices):
    """The merchant's trade: it picks presets and the icon on the stamps."""

    CAFE = "cafe", _("Café")
    RESTAURANT = "restaurant", _("Restaurant")
    BAKERY = "bakery", _("Bakery")
    BARBER = "barber", _("Barber or hairdresser")
    BOUTIQUE = "boutique", _("Boutique")
    FLORIST = "florist", _("Florist")
    PETS = "pets", _("Pets")
    OTHER = "other", _("Other")
