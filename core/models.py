"""The ground floor's tables: outbox, idempotency records, audit. They carry the tenant as a plain uuid."""

from typing import ClassVar

from django.db import models

from core.ids import uuid7
from core.tenancy import TenantScopedModel


class OutboxState(models.TextChoices):
    """Where an event stands on its way to the tasks that react to it."""

    QUEUED = "queued"
    INFLIGHT = "inflight"
    SENT = "sent"
    FAILED = "failed"


class OutboxEvent(TenantScopedModel):
    """Something that happened, written in the transaction in which it happened; the relay takes it to the tasks."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.UUIDField()
    topic = models.CharField(max_length=64)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=OutboxState.choices, default=OutboxState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "id"], name="core_outbox_queued", condition=models.Q(state="queued")),
            models.Index(fields=["claimed_at"], name="core_outbox_inflight", condition=models.Q(state="inflight")),
            models.Index(fields=["id"], name="core_outbox_failed", condition=models.Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"


class IdempotencyRecord(TenantScopedModel):
    """The answer that was given under a key, kept 30 days as it was sent (JSON text); only successes are kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    key = models.CharField(max_length=128, db_collation="C")
    operation = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "key"], name="core_idempotency_key")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="core_idempotency_age")]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"


class AuditEntry(TenantScopedModel):
    """Who did what to whom and why, where a person of the platform or a merchant's manager acted.

    Append-only by the database, so it never holds personal data of customers: ids, codes and settings only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(null=True, blank=True)
    actor_id = models.UUIDField(null=True, blank=True)
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=128, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "-created_at"], name="core_audit_merchant"),
            models.Index(fields=["action", "-created_at"], name="core_audit_action"),
            models.Index(fields=["target"], name="core_audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()
