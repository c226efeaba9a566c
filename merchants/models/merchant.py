"""The tenant, the people who belong to it, and what the platform allows it."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.tenancy import TenantScopedModel
from merchants.enums import MerchantStatus, OwnCardPolicy, PinPolicy, Role, Trade
from merchants.models.tenant import TenantModel

COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Write a colour as # and six digits, such as #5A2D1A."))


class Merchant(TenantScopedModel):
    """A business that runs its loyalty programme here: the tenant. It sees itself only (policy on id)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("short name"), max_length=50, unique=True)
    legal_name = models.CharField(_("legal name"), max_length=160, blank=True)
    trade = models.CharField(_("trade"), max_length=16, choices=Trade.choices, default=Trade.OTHER)
    country = models.CharField(_("country"), max_length=2, default="LU")
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Luxembourg")
    default_language = models.CharField(_("language"), max_length=5, default="fr")
    card_color = models.CharField(_("card colour"), max_length=7, default="#2F3BBF", validators=[COLOUR])
    logo = models.ImageField(_("logo"), upload_to="logos/", blank=True)
    branding_version = models.PositiveIntegerField(default=1, editable=False)
    onboarding_step = models.PositiveSmallIntegerField(default=1, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=MerchantStatus.choices, default=MerchantStatus.TRIAL)
    status_since = models.DateTimeField(_("status since"), default=timezone.now)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")

    def __str__(self) -> str:
        return self.name


class Membership(TenantModel):
    """A person's role at a merchant."""

    user = models.ForeignKey("merchants.User", on_delete=models.CASCADE, related_name="+")
    role = models.CharField(_("role"), max_length=8, choices=Role.choices)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "user"], name="merchants_membership_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["user"], name="merchants_membership_user")]

    def __str__(self) -> str:
        return f"{self.get_role_display()}"


class Invitation(TenantModel):
    """An invitation to join a merchant's team; the token is kept as a hash only. invited_by: None for a script."""

    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.MANAGER)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        "merchants.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email


class MerchantSettings(TenantModel):
    """What the platform allows one merchant; changed in the platform's admin only."""

    staff_pin_policy = models.CharField(
        _("staff PIN"), max_length=8, choices=PinPolicy.choices, default=PinPolicy.OPTIONAL
    )
    pin_max_failed_attempts = models.PositiveSmallIntegerField(
        _("wrong PINs before a lock"), default=5, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    pin_lockout_minutes = models.PositiveSmallIntegerField(
        _("minutes of a lock"), default=30, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    allow_self_enrollment = models.BooleanField(_("customers enrol themselves"), default=True)
    allow_void_transactions = models.BooleanField(_("voids allowed"), default=True)
    allow_cross_store_redemption = models.BooleanField(_("redeem in any store"), default=True)
    own_card_policy = models.CharField(
        _("staff at their own card"), max_length=8, choices=OwnCardPolicy.choices, default=OwnCardPolicy.REFUSE
    )
    ask_pin_again = models.BooleanField(_("ask for the PIN again to redeem and correct"), default=False)
    double_opt_in = models.BooleanField(_("consents by mail need a confirmation"), default=True)
    enrollment_suspended = models.BooleanField(_("new enrolments stopped by the platform"), default=False)
    messages_suspended = models.BooleanField(_("messages stopped by the platform"), default=False)
    max_stores = models.PositiveIntegerField(_("stores at most"), default=25)
    features = models.JSONField(_("feature switches"), default=dict, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("merchant settings")
        verbose_name_plural = _("merchant settings")
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant"], name="merchants_settings_once")]

    def __str__(self) -> str:
        return str(_("Settings"))
