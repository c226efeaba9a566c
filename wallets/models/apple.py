"""Apple Wallet: passes, the devices that hold them, and the numbers by which a device asks what changed."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey, TenantOneToOneField
from merchants.models import TenantModel


class ApplePass(TenantModel):
    """A card's pass in Apple Wallet. Serial and token are for life: neither can be changed on a device.

    token_sealed: the authentication token, encrypted with LOYALTY_DATA_KEYS (each new pass.json needs it in clear).
    change_tag: taken from TagCounter by the pipeline, after the change is committed and before the push.
    requested_version: raised by each change that the pass may have to show; pushed_version: up to which all devices
    were told; fetched_version: up to which a device fetched. behind_since: oldest change that no device has fetched.
    content_hash, last_modified: of what was last rendered; last_modified grows whenever the hash differs.
    handed_hash: of everything that was ever handed out, "*" once that was not always the same: it tells whether a
    device that registers can hold anything but the newest.
    erased_at: when the person was erased; the pass answers voided for 30 days more.
    """

    card = TenantOneToOneField("loyalty.Card")
    serial = models.CharField(_("serial number"), max_length=40, unique=True, db_collation="C", editable=False)
    token_sealed = models.TextField(editable=False)
    change_tag = models.BigIntegerField(default=0, editable=False)
    requested_version = models.PositiveIntegerField(default=1, editable=False)
    pushed_version = models.PositiveIntegerField(default=0, editable=False)
    fetched_version = models.PositiveIntegerField(default=0, editable=False)
    behind_since = models.DateTimeField(_("out of date since"), null=True, blank=True, editable=False)
    pushed_at = models.DateTimeField(_("last pushed"), null=True, blank=True, editable=False)
    fetched_at = models.DateTimeField(_("last fetched"), null=True, blank=True, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    last_modified = models.DateTimeField(null=True, blank=True, editable=False)
    handed_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("Apple pass")
        verbose_name_plural = _("Apple passes")
        indexes: ClassVar = [
            models.Index(fields=["erased_at"], name="wallets_apple_erased", condition=models.Q(erased_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.serial


class AppleDevice(models.Model):
    """A phone, watch or tablet. A platform's table: one device holds cards of several merchants.

    push_token: opaque, of any length, not unique. token_at: when the device last named it; a refusal of APNs that is
    older does not count. pushed_at: when it was last pushed; further changes within two seconds are one push.
    """

    device_library_id = models.CharField(max_length=255, unique=True, db_collation="C")
    push_token = models.TextField()
    token_at = models.DateTimeField()
    pushed_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("Apple device")
        verbose_name_plural = _("Apple devices")

    def __str__(self) -> str:
        return str(self.pk)


class AppleDeviceRegistration(TenantModel):
    """A device that wants to hear of one pass. tag: of the registration itself, from the same counter.

    pushed_version: up to which this device was told of the pass, so that a retry leaves out whom it reached.
    """

    apple_pass = TenantForeignKey("wallets.ApplePass")
    device = models.ForeignKey(AppleDevice, on_delete=models.CASCADE, related_name="+", db_index=False)
    tag = models.BigIntegerField(editable=False)
    pushed_version = models.PositiveIntegerField(default=0, editable=False)
    registered_at = models.DateTimeField(_("since"))

    class Meta(TenantModel.Meta):
        verbose_name = _("registration of a device")
        verbose_name_plural = _("registrations of devices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "apple_pass", "device"], name="wallets_registration_once")
        ]
        indexes: ClassVar = [models.Index(fields=["device"], name="wallets_registration_device")]

    def __str__(self) -> str:
        return f"{self.registered_at:%Y-%m-%d}"


class TagCounter(models.Model):
    """The last number taken for a pass type. Locked from taking it until the commit, so numbers commit in order."""

    pass_type = models.CharField(max_length=155, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.pass_type} {self.value}"


class DeviceLog(models.Model):
    """What a device reported to /v1/log, shortened; anybody may send it, so it is bounded and proves nothing."""

    received_at = models.DateTimeField(_("received"), db_index=True)
    message = models.CharField(_("message"), max_length=500)
    serial = models.CharField(_("serial number"), max_length=40, blank=True, default="", db_index=True)

    class Meta:
        verbose_name = _("message of a device")
        verbose_name_plural = _("messages of devices")

    def __str__(self) -> str:
        return self.message
