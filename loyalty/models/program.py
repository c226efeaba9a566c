"""A program, its numbered rule versions, and which store runs which."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from loyalty.enums import FullCard, LoyaltyType, ProgramStatus, Rounding, Shortfall
from merchants.models import TenantModel


class Program(TenantModel):
    """What customers collect and what they get for it. `version` counts the rule changes; each has a ProgramVersion.

    Points per unit of currency are a fraction (num/den): one point per 50 € is 1/50, exactly.
    expiry_not_before: set when a change would let points expire sooner, so that everybody is warned in time (rule 4).
    """

    name = models.CharField(_("name"), max_length=80)
    loyalty_type = models.CharField(_("kind"), max_length=8, choices=LoyaltyType.choices)
    status = models.CharField(_("status"), max_length=8, choices=ProgramStatus.choices, default=ProgramStatus.DRAFT)
    is_default = models.BooleanField(_("runs in every store without its own"), default=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    stamps_target = models.PositiveSmallIntegerField(
        _("stamps for a full card"), default=10, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    stamps_reward_description = models.CharField(_("reward for a full card"), max_length=120, blank=True)
    stamps_reward_valid_days = models.PositiveSmallIntegerField(
        _("days a reward stays valid"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    full_card = models.CharField(
        _("when a card is full"), max_length=16, choices=FullCard.choices, default=FullCard.CARRY_OVER
    )
    points_per_euro_num = models.PositiveIntegerField(default=10)
    points_per_euro_den = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    rounding = models.CharField(_("rounding"), max_length=12, choices=Rounding.choices, default=Rounding.CARRY)
    welcome_bonus_points = models.PositiveIntegerField(_("welcome bonus in points"), default=0)
    minimum_purchase_cents = models.PositiveIntegerField(_("smallest purchase that earns"), default=0)
    minimum_redemption_points = models.PositiveIntegerField(_("fewest points to redeem"), default=0)
    points_expiration_days = models.PositiveSmallIntegerField(_("points expire after days of silence"), default=0)
    cooldown_minutes = models.PositiveIntegerField(
        _("minutes between stamps"), default=15, validators=[MaxValueValidator(10080)]
    )
    max_daily_stamps = models.PositiveSmallIntegerField(
        _("stamps a day"), default=5, validators=[MaxValueValidator(1000)]
    )
    require_staff_pin = models.BooleanField(_("staff prove themselves with a PIN"), default=True)
    void_window_minutes = models.PositiveSmallIntegerField(_("minutes to undo"), default=10)
    refund_shortfall = models.CharField(
        _("when a refund takes more than is left"),
        max_length=12,
        choices=Shortfall.choices,
        default=Shortfall.WRITE_OFF,
    )
    card_color = models.CharField(_("card colour"), max_length=7, blank=True)
    terms = models.JSONField(_("terms"), default=dict, blank=True)
    ends_on = models.DateField(_("last day to redeem"), null=True, blank=True)
    expiry_not_before = models.DateField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant"], condition=models.Q(is_default=True), name="loyalty_program_one_default"
            ),
            models.CheckConstraint(condition=models.Q(points_per_euro_den__gte=1), name="loyalty_program_rate"),
            models.CheckConstraint(
                condition=models.Q(stamps_target__gte=1, stamps_target__lte=50), name="loyalty_program_target"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_stamps(self) -> bool:
        """Whether the program counts stamps."""
        return self.loyalty_type != LoyaltyType.POINTS

    @property
    def has_points(self) -> bool:
        """Whether the program counts points."""
        return self.loyalty_type != LoyaltyType.STAMPS


class ProgramVersion(TenantModel):
    """The rules as they stood from one change to the next; each ledger row names the version it was made under."""

    program = TenantForeignKey("loyalty.Program")
    number = models.PositiveIntegerField()
    rules = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("merchants.User", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "program", "number"], name="loyalty_programversion_number")
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class StoreProgram(TenantModel):
    """The program a store runs when it is not the merchant's default one."""

    store = TenantForeignKey("stores.Store")
    program = TenantForeignKey("loyalty.Program")

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "store"], name="loyalty_storeprogram_store")
        ]

    def __str__(self) -> str:
        return str(self.pk)
