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


class ConsentSource(models.TextChoices):
    """Where a decision was made."""

    STOREFRONT = "storefront", _("With the card")
    PROFILE = "profile", _("On the pages of the card")
    STAFF = "staff", _("At the till")
    CONFIRMATION_LINK = "confirmation_link", _("By the link in a mail")
    UNSUBSCRIBE = "unsubscribe", _("By the link that unsubscribes")
    UNSUBSCRIBE_UNDONE = "unsubscribe_undone", _("Unsubscribing taken back")
    ADDRESS_CHANGED = "address_changed", _("With a new address")
    MERGE = "merge", _("When cards were merged")
    UNMERGE = "unmerge", _("When a merge was taken back")


class MailKind(models.TextChoices):
    """What a mail tells. The first four carry a link and need no consent; the others are reward news."""

    CONFIRM = "confirm", _("Confirm the address")
    KNOWN = "known", _("There is a card already")
    RECOVER = "recover", _("The way back to the card")
    CARD = "card", _("The card by mail")
    REWARD_READY = "reward_ready", _("A reward is ready")
    ONE_STAMP_AWAY = "one_stamp_away", _("One stamp away")
    POINTS_EXPIRING = "points_expiring", _("Points expire soon")


class MailState(models.TextChoices):
    """Where a mail stands: waiting, being sent, sent, dropped (no consent any more), failed."""

    QUEUED = "queued", _("Waiting")
    INFLIGHT = "inflight", _("Being sent")
    SENT = "sent", _("Sent")
    DROPPED = "dropped", _("Dropped")
    FAILED = "failed", _("Failed")


class LinkPurpose(models.TextChoices):
    """What a magic link does when it is used."""

    CONFIRM = "confirm", _("Confirm the address")
    RECOVER = "recover", _("Open the card")
