"""Staff and their PINs, and the counters that make guessing pointless."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from merchants.models import TenantModel


class StaffPin(TenantModel):
    """A staff member who works with a PIN. The PIN itself is never readable again: argon2id over the peppered PIN.

    `pin_bucket` holds 5 bits of a keyed hash to narrow the candidates when a PIN comes alone; `version` rises with
    every change of PIN or revocation and ends the sessions made before.
    """

    name = models.CharField(_("name"), max_length=60)
    all_stores = models.BooleanField(_("works in all stores"), default=True)
    external_id = models.CharField(_("id in your own system"), max_length=64, blank=True)
    pin_hash = models.CharField(max_length=256, editable=False)
    pin_bucket = models.PositiveSmallIntegerField(editable=False)
    pepper_id = models.CharField(max_length=16, editable=False)
    pin_digits = models.PositiveSmallIntegerField(editable=False, default=6)
    version = models.PositiveIntegerField(default=1, editable=False)
    failed_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    locked_until = models.DateTimeField(null=True, blank=True, editable=False)
    user = models.ForeignKey("merchants.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = _("staff member")
        verbose_name_plural = _("staff members")
        ordering: ClassVar = ["name", "id"]
        indexes: ClassVar = [
            models.Index(
                fields=["merchant", "pin_bucket"], name="stores_pin_bucket", condition=models.Q(is_active=True)
            )
        ]

    def __str__(self) -> str:
        return self.name


class StaffPinStore(TenantModel):
    """A store in which a staff member works who does not work in all of them."""

    staff_pin = TenantForeignKey("stores.StaffPin", on_delete=models.CASCADE, related_name="store_links")
    store = TenantForeignKey("stores.Store", on_delete=models.CASCADE)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "staff_pin", "store"], name="stores_staffpinstore_once")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PinGuard(TenantModel):
    """Wrong PINs that matched nobody, counted against what sent them: a terminal, an API key (per till), a person.

    Locks double (level 0: pin_lockout_minutes, then twice that … 24 hours) until a right PIN.
    """

    subject_kind = models.CharField(max_length=12)
    subject_id = models.UUIDField()
    device = models.CharField(max_length=64, blank=True, default="")
    failed_attempts = models.PositiveSmallIntegerField(default=0)
    lock_level = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "subject_kind", "subject_id", "device"], name="stores_pinguard_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"
