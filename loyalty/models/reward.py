"""The catalogue of rewards, and the rewards that were issued to cards."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from loyalty.enums import RewardSource, RewardState
from merchants.models import TenantModel


class Reward(TenantModel):
    """A reward that points buy; one that was ever redeemed is archived, not deleted."""

    program = TenantForeignKey("loyalty.Program")
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=300, blank=True)
    points_cost = models.PositiveIntegerField(_("points"), validators=[MinValueValidator(1)])
    image = models.ImageField(_("picture"), upload_to="rewards/", blank=True)
    valid_days = models.PositiveSmallIntegerField(_("days it stays valid"), null=True, blank=True)
    is_active = models.BooleanField(_("on offer"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(_("archived on"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering: ClassVar = ["position", "points_cost", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(points_cost__gte=1), name="loyalty_reward_cost")
        ]

    def __str__(self) -> str:
        return self.name


class IssuedReward(TenantModel):
    """A reward that belongs to a card: from a full stamp card, or bought with points and handed out at once.

    Name and price are those of the day it was issued. stamps_held: stamps that stay on a card which collects first, and
    leave it at redemption. `reinstates` names the one whose redemption was undone.
    """

    card = TenantForeignKey("loyalty.Card")
    program = TenantForeignKey("loyalty.Program")
    reward = TenantForeignKey("loyalty.Reward", null=True, blank=True)
    reinstates = TenantForeignKey("self", null=True, blank=True)
    source = models.CharField(_("paid with"), max_length=8, choices=RewardSource.choices)
    name = models.CharField(_("name"), max_length=120)
    state = models.CharField(_("state"), max_length=10, choices=RewardState.choices, default=RewardState.ISSUED)
    stamps_used = models.PositiveSmallIntegerField(default=0)
    stamps_held = models.PositiveSmallIntegerField(default=0)
    points_used = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField(_("issued on"))
    expires_at = models.DateTimeField(_("expires on"), null=True, blank=True)
    redeemed_at = models.DateTimeField(_("redeemed on"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("issued reward")
        verbose_name_plural = _("issued rewards")
        indexes: ClassVar = [
            models.Index(fields=["merchant", "card", "state"], name="loyalty_issued_of_card"),
            models.Index(
                fields=["merchant", "reward"], condition=models.Q(reward__isnull=False), name="loyalty_issued_reward"
            ),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state="issued", expires_at__isnull=False),
                name="loyalty_issued_expiring",
            ),
        ]

    def __str__(self) -> str:
        return self.name
