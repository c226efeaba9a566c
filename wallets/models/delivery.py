"""The queue of what providers are still to be told, and whether they listen."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from merchants.models import TenantModel
from wallets.enums import Priority, Provider, UpdateState


class Delivery(TenantModel):
    """What one thing at a provider is to become. One row per thing, for ever: many changes are one update.

    Each change raises wanted_version. A worker claims the row (inflight, claimed_version = wanted_version), tells the
    provider the state it then reads, and settles: to `sent` when nothing was wanted since, else back to `queued`. Both
    numbers stand in one row, so that a change and a settlement that meet cannot lose the change.
    queued_at: when what is still open was first asked for; it makes the age of the queue.
    """

    state = models.CharField(_("state"), max_length=8, choices=UpdateState.choices, default=UpdateState.QUEUED)
    priority = models.PositiveSmallIntegerField(_("urgency"), choices=Priority.choices, default=Priority.STAMP)
    wanted_version = models.PositiveIntegerField(default=1, editable=False)
    claimed_version = models.PositiveIntegerField(default=0, editable=False)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("due"))
    queued_at = models.DateTimeField(_("waiting since"))
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    settled_at = models.DateTimeField(_("last sent"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, default="")

    class Meta(TenantModel.Meta):
        abstract = True


class PassUpdate(Delivery):
    """The update of one card's pass at one provider."""

    provider = models.CharField(_("wallet"), max_length=6, choices=Provider.choices)
    card = TenantForeignKey("loyalty.Card")

    class Meta(TenantModel.Meta):
        verbose_name = _("pass update")
        verbose_name_plural = _("pass updates")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "card", "provider"], name="wallets_update_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["provider", "merchant", "priority", "due_at"], name="wallets_update_turns",
                condition=models.Q(state="queued"),
            ),
            models.Index(
                fields=["provider", "due_at"], name="wallets_update_due", condition=models.Q(state="queued")
            ),
            models.Index(fields=["claimed_at"], name="wallets_update_inflight", condition=models.Q(state="inflight")),
            models.Index(fields=["settled_at"], name="wallets_update_failed", condition=models.Q(state="failed")),
            models.Index(
                fields=["merchant", "provider"], name="wallets_update_failed_of", condition=models.Q(state="failed")
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.provider} {self.state}"


class ProviderState(models.Model):
    """Whether a provider accepts one of our credentials. A platform's table: the credentials are everybody's.

    credential: a fingerprint of the certificate or the service account. blocked_at: since when the provider refuses it;
    nothing is sent with it until it is another one or a probe succeeds.
    """

    provider = models.CharField(_("wallet"), max_length=6, choices=Provider.choices)
    credential = models.CharField(max_length=64)
    blocked_at = models.DateTimeField(_("refused since"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True, default="")
    next_probe_at = models.DateTimeField(_("next try"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("last accepted"), null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("wallet provider")
        verbose_name_plural = _("wallet providers")
        constraints: ClassVar = [models.UniqueConstraint(fields=["provider", "credential"], name="wallets_provider")]

    def __str__(self) -> str:
        return self.provider
