"""The words of the wallets: providers, what becomes of an update, what is urgent, what Google reports."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Provider(models.TextChoices):
    """Whose wallet a pass lives in."""

    APPLE = "apple", "Apple Wallet"
    GOOGLE = "google", "Google Wallet"


class UpdateState(models.TextChoices):
    """Where a pass stands on its way to its provider."""

    QUEUED = "queued", _("Waiting")
    INFLIGHT = "inflight", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Priority(models.IntegerChoices):
    """What goes first when a provider allows only so many requests a second; the smallest number first."""

    SAVE = 0, _("somebody is adding the card")
    REDEEM = 1, _("a reward was handed out or a card changed its state")
    STAMP = 2, _("a stamp or points")
    BULK = 3, _("a change of the program, or a repair")


class CallbackEvent(models.TextChoices):
    """What a customer did with the object, as Google names it."""

    SAVED = "save", _("added to the wallet")
    REMOVED = "del", _("removed from the wallet")
