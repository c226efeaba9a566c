"""Enumerations of loyalty; the values reach the API."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LoyaltyType(models.TextChoices):
    """What a program counts."""

    STAMPS = "stamps", _("Stamps")
    POINTS = "points", _("Points")
    HYBRID = "hybrid", _("Stamps and points")


class ProgramStatus(models.TextChoices):
    """The life of a program: draft, active, paused (earning stops, redeeming goes on), ended."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class FullCard(models.TextChoices):
    """What happens when a card is full: the next begins at once, or the reward is collected first."""

    CARRY_OVER = "carry_over", _("The next card begins at once")
    COLLECT_FIRST = "collect_first", _("The reward is collected first")


class Rounding(models.TextChoices):
    """Whether fractions of a point are carried to the next purchase or dropped at each."""

    CARRY = "carry", _("Fractions are carried to the next purchase")
    PER_PURCHASE = "per_purchase", _("Fractions are dropped at each purchase")


class Shortfall(models.TextChoices):
    """What happens when a refund takes back more points than are left."""

    WRITE_OFF = "write_off", _("Take what is there")
    SETTLE_LATER = "settle_later", _("Later points settle the rest")


class CardStatus(models.TextChoices):
    """The state of a card."""

    ACTIVE = "active", _("Active")
    FROZEN = "frozen", _("Frozen")
    CLOSED = "closed", _("Closed")
    MERGED = "merged", _("Merged")


class RewardSource(models.TextChoices):
    """What a reward was earned or paid with."""

    STAMPS = "stamps", _("Stamps")
    POINTS = "points", _("Points")


class RewardState(models.TextChoices):
    """The life of an issued reward."""

    ISSUED = "issued", _("Ready")
    RESERVED = "reserved", _("Reserved")
    REDEEMED = "redeemed", _("Redeemed")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


class TransactionType(models.TextChoices):
    """What a ledger row records."""

    CARD_ENROLLED = "card_enrolled", _("Card made")
    WELCOME_BONUS = "welcome_bonus", _("Welcome bonus")
    STAMP_EARNED = "stamp_earned", _("Stamp")
    STAMP_REDEEMED = "stamp_redeemed", _("Reward redeemed")
    POINTS_EARNED = "points_earned", _("Points")
    POINTS_REDEEMED = "points_redeemed", _("Points redeemed")
    POINTS_EXPIRED = "points_expired", _("Points expired")
    REWARD_ISSUED = "reward_issued", _("Reward ready")
    REWARD_EXPIRED = "reward_expired", _("Reward expired")
    VOID = "void", _("Undone")
    REFUND = "refund", _("Refund")
    ADJUSTMENT = "adjustment", _("Adjustment")
    MERGE_IN = "merge_in", _("Merged in")
    MERGE_OUT = "merge_out", _("Merged out")
    IMPORT = "import", _("Imported")


class ReviewState(models.TextChoices):
    """What became of something that needed a manager's look."""

    OPEN = "open", _("To look at")
    ACCEPTED = "accepted", _("Booked")
    DISMISSED = "dismissed", _("Dismissed")


class Channel(models.TextChoices):
    """Through what an operation came."""

    API = "api", _("Till system")
    TERMINAL = "terminal", _("Terminal")
    DASHBOARD = "dashboard", _("Back office")
    STOREFRONT = "storefront", _("Customer's phone")
    SYSTEM = "system", _("System")
