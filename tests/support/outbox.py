"""Events for tests of the relay: who hears which topic, and rows read past the tenant boundary."""

from uuid import UUID

from core import outbox, tenancy
from core.ids import uuid7
from core.models import OutboxEvent

ROUTES = {"tests.heard": ("tests.hear",), "tests.heard_twice": ("tests.hear", "tests.hear_too")}


def publish(
    topic: str = "tests.heard", *, merchant_id: UUID | None = None, count: int = 1, **payload: object
) -> list[int]:
    """Write events of one merchant and return their ids."""
    merchant_id = merchant_id or uuid7()
    with tenancy.scope(merchant_id):
        return [outbox.publish(topic, merchant_id=merchant_id, **payload).pk for _ in range(count)]


def rows(*ids: int) -> list[OutboxEvent]:
    """Read events, all of them without ids."""
    with tenancy.platform(reason="tests"):
        found = OutboxEvent.objects.filter(pk__in=ids) if ids else OutboxEvent.objects.all()
        return list(found.order_by("pk"))


def states(*ids: int) -> list[str]:
    """Read where events stand."""
    return [row.state for row in rows(*ids)]
