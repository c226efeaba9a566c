"""What an administrator does about a pass that looks wrong: send it again, or queue again what had failed."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from core import audit, tenancy
from core.errors import NotFound
from customers.services.erasure import words
from loyalty.models import Card
from wallets.enums import Priority, Provider, UpdateState
from wallets.models import GoogleClass, PassUpdate
from wallets.queries.providers import in_use
from wallets.services import google_holders, queue
from wallets.services.changes import OVER

RESYNCED, REQUEUED = "wallets_resynced", "wallet_update_requeued"


def card(*, merchant_id: UUID, card_id: UUID, reason: str, actor_id: UUID, at: datetime) -> None:
    """Tell both wallets of a card anew, everything there is to tell; audited. Raises NotFound, ValidationFailed.

    A living card that has no object at Google gets one; an Apple pass comes into being when somebody asks for it.
    """
    with tenancy.scope(merchant_id):
        row = Card.objects.select_related("customer").filter(pk=card_id).first()
        if row is None:
            raise NotFound
        why = audit.clean_reason(reason, without=words([row.customer]))
        asked: dict[str, Any] = {"merchant_id": merchant_id, "card_id": card_id, "at": at, "priority": Priority.REDEEM}
        google_holders.forget(card_id)
        google = in_use(Provider.GOOGLE, merchant_id) and row.status not in OVER
        queued = [
            provider for provider, was_queued in (
                (Provider.APPLE, queue.request_apple(**asked, make=False)),
                (Provider.GOOGLE, queue.request_google(**asked, make=google)),
            ) if was_queued
        ]  # fmt: skip
        for provider in queued:
            queue.announce(merchant_id=merchant_id, provider=provider)
        audit.note(
            action=RESYNCED, target=f"card {card_id}", actor_id=actor_id, merchant_id=merchant_id, reason=why,
            facts={"queued": queued},
        )  # fmt: skip


def requeue(*, ids: Collection[UUID], reason: str, actor_id: UUID, at: datetime) -> int:
    """Queue failed updates of passes again with fresh tries; returns how many. Others are left alone. Audited."""
    return _requeue(PassUpdate, ids, reason, actor_id, at)


def requeue_classes(*, ids: Collection[UUID], reason: str, actor_id: UUID, at: datetime) -> int:
    """Queue failed classes at Google again with fresh tries; returns how many. Others are left alone. Audited."""
    return _requeue(GoogleClass, ids, reason, actor_id, at)


def _requeue(model: type[Model], ids: Collection[UUID], reason: str, actor_id: UUID, at: datetime) -> int:
    why = audit.clean_reason(reason)
    with tenancy.platform(reason="wallets: an administrator queues failed updates again"):
        failed = model._default_manager.select_for_update(of=("self",))
        rows: list[Any] = list(failed.filter(pk__in=ids, state=UpdateState.FAILED).order_by("pk"))
        wanted = model._default_manager.filter(pk__in=[row.pk for row in rows])
        wanted.update(state=UpdateState.QUEUED, attempts=0, due_at=at, queued_at=at, priority=Priority.REDEEM)
        for row in rows:
            audit.note(
                action=REQUEUED, target=f"{model._meta.model_name} {row.pk}", actor_id=actor_id,
                merchant_id=row.merchant_id, reason=why, facts={"attempts": row.attempts, "at": at.isoformat()},
            )  # fmt: skip
        for provider, merchant_id in {
            getattr(row, "provider", Provider.GOOGLE): row.merchant_id for row in rows
        }.items():
            queue.announce(merchant_id=merchant_id, provider=Provider(provider))
    return len(rows)
