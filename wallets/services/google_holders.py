"""Who holds an object at Google: nobody but Google knows, and it says so only when it is asked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core import tenancy
from wallets.enums import Priority
from wallets.models import GooglePass
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.providers.google import credentials, pace
from wallets.providers.google.client import OBJECT, Reply, connect

PATIENCE_SECONDS = 10


def check(*, merchant_id: UUID, card_id: UUID, at: datetime) -> bool | None:
    """Ask Google whether anybody holds a card's object, and note it; None when Google did not say."""
    with tenancy.scope(merchant_id):
        object_id = GooglePass.objects.filter(card_id=card_id).values_list("object_id", flat=True).first()
    reply = ask(merchant_id=merchant_id, object_id=object_id) if object_id is not None else None
    if object_id is None or reply is None or not (reply.accepted or reply.missing):
        return None
    held = holds(reply.body) if reply.accepted else False
    if held is None:
        return None
    note(merchant_id=merchant_id, object_id=object_id, held=held, at=at)
    return held


def ask(*, merchant_id: UUID, object_id: str) -> Reply | None:
    """Read an object at Google, behind everything that is more urgent; None when it is not to be had now."""
    try:
        account = credentials.current(merchant_id)
    except (NotConfigured, BrokenCredential):
        return None
    if not pace.take(Priority.BULK, seconds=PATIENCE_SECONDS):
        return None
    return connect(account).get(OBJECT, object_id)


def holds(body: dict[str, Any]) -> bool | None:
    """Tell whether an object, as Google returns it, is in anybody's wallet; None where it does not say."""
    said = body.get("hasUsers")
    return said if isinstance(said, bool) else None


def note(*, merchant_id: UUID, object_id: str, held: bool, at: datetime) -> bool:
    """Note whether anybody holds an object; returns whether that was news."""
    with tenancy.scope(merchant_id):
        other = GooglePass.objects.filter(object_id=object_id, saved=not held)
        return bool(other.update(saved=held, saved_at=at if held else None))


def forget(card_id: UUID) -> None:
    """Forget what Google is known to have of a card, so that all of it is sent; in the merchant's scope."""
    GooglePass.objects.filter(card_id=card_id).update(accepted={})
