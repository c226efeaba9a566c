"""Google Wallet: a class per program, an object per card, and what Google reports about them."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey, TenantOneToOneField
from merchants.models import TenantModel
from wallets.enums import CallbackEvent
from wallets.models.delivery import Delivery


class GoogleClass(Delivery):
    """A program's class at Google, which all its objects share; it carries its own place in the queue.

    accepted: the class as Google last accepted it (JSON), empty before the first time.
    """

    program = TenantOneToOneField("loyalty.Program")
    class_id = models.CharField(_("class at Google"), max_length=120, unique=True, db_collation="C", editable=False)
    accepted_version = models.PositiveIntegerField(default=0, editable=False)
    accepted_at = models.DateTimeField(_("last accepted"), null=True, blank=True, editable=False)
    accepted = models.JSONField(default=dict, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = _("Google class")
        verbose_name_plural = _("Google classes")
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="wallets_class_due", condition=models.Q(state="queued")),
            models.Index(fields=["claimed_at"], name="wallets_class_inflight", condition=models.Q(state="inflight")),
        ]

    def __str__(self) -> str:
        return self.class_id


class GooglePass(TenantModel):
    """A card's object at Google.

    accepted: the object as Google last accepted it (JSON), the base of the next difference; empty when unknown.
    behind_since: the oldest change that Google has not accepted. saved: as the last callback said (or hasUsers).
    notified_at: when it was last sent with a notification, newest last, the last day's only: three a day at most.
    """

    card = TenantOneToOneField("loyalty.Card")
    object_id = models.CharField(_("object at Google"), max_length=120, unique=True, db_collation="C", editable=False)
    requested_version = models.PositiveIntegerField(default=1, editable=False)
    accepted_version = models.PositiveIntegerField(default=0, editable=False)
    accepted_at = models.DateTimeField(_("last accepted"), null=True, blank=True, editable=False)
    accepted = models.JSONField(default=dict, blank=True, editable=False)
    behind_since = models.DateTimeField(_("out of date since"), null=True, blank=True, editable=False)
    saved = models.BooleanField(_("in the wallet"), default=False, editable=False)
    saved_at = models.DateTimeField(_("since"), null=True, blank=True, editable=False)
    notified_at = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("Google pass")
        verbose_name_plural = _("Google passes")
        indexes: ClassVar = [
            models.Index(fields=["merchant"], name="wallets_google_saved", condition=models.Q(saved=True))
        ]

    def __str__(self) -> str:
        return self.object_id


class GoogleCallback(TenantModel):
    """A message of Google about an object, kept by its nonce so that a repetition has no effect."""

    google_pass = TenantForeignKey("wallets.GooglePass", null=True, blank=True)
    nonce = models.CharField(max_length=128, unique=True, db_collation="C")
    event = models.CharField(_("event"), max_length=4, choices=CallbackEvent.choices)
    expires_at = models.DateTimeField()
    received_at = models.DateTimeField(_("received"))

    class Meta(TenantModel.Meta):
        verbose_name = _("message of Google")
        verbose_name_plural = _("messages of Google")
        indexes: ClassVar = [
            models.Index(fields=["merchant", "google_pass", "-received_at"], name="wallets_callback_of"),
            models.Index(fields=["expires_at"], name="wallets_callback_age"),
        ]

    def __str__(self) -> str:
        return self.event
