"""What may speak for a store: paired terminals and API keys. Secrets are kept as SHA-256 only."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from merchants.models import TenantModel


class Terminal(TenantModel):
    """A device at the till, paired once by a manager's code, revocable at any time."""

    name = models.CharField(_("name"), max_length=60)
    store = TenantForeignKey("stores.Store")
    token_prefix = models.CharField(max_length=12, unique=True, editable=False)
    token_hash = models.CharField(max_length=64, editable=False)
    paired_by = models.ForeignKey("merchants.User", on_delete=models.SET_NULL, null=True, related_name="+")
    paired_at = models.DateTimeField(_("paired on"))
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked on"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("terminal")
        verbose_name_plural = _("terminals")
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class TerminalPairing(TenantModel):
    """A pairing code, shown once to the manager, good for some minutes and for one device."""

    name = models.CharField(_("name"), max_length=60)
    store = TenantForeignKey("stores.Store")
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey("merchants.User", on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class ApiKey(TenantModel):
    """A key for a POS or a script, with scopes; bound to one store or good for all of them."""

    name = models.CharField(_("name"), max_length=60)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    key_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=8), verbose_name=_("scopes"), default=list)
    store = TenantForeignKey("stores.Store", null=True, blank=True)
    created_by = models.ForeignKey(
        "merchants.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires on"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked on"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
