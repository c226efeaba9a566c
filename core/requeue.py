"""Failed events of the outbox, put in the queue again by a person who has mended what made them fail."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import audit, outbox
from core.models import OutboxEvent, OutboxState


def failed_events(*, ids: Collection[int], reason: str, at: datetime, actor_id: UUID) -> int:
    """Queue failed events again with fresh tries, in the platform's scope; returns how many. Others are left alone."""
    why = audit.clean_reason(reason)
    rows = OutboxEvent.objects.select_for_update().filter(pk__in=ids, state=OutboxState.FAILED).order_by("pk")
    events = list(rows)
    for event in events:
        event.state, event.attempts, event.retry_at, event.claimed_at = OutboxState.QUEUED, 0, None, None
        event.save(update_fields=["state", "attempts", "retry_at", "claimed_at"])
        audit.note(
            action="event_requeued", target=f"event {event.pk}", actor_id=actor_id, merchant_id=event.merchant_id,
            reason=why, facts={"topic": event.topic, "at": at.isoformat()},
        )  # fmt: skip
    if events:
        transaction.on_commit(outbox.wake)
    return len(events)
