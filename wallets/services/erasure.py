"""The wallets' part in erasing a person (rule 24, pitfall 48): nothing that is kept for their passes names them.

On the phones the passes stay: Google's object becomes EXPIRED without name and code by the update that loyalty asks
for; Apple's is void for 30 days, in which devices fetch it, and then nobody's: its token opens nothing any more.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from core import tenancy
from customers import extensions
from loyalty.queries import persons
from wallets.models import AppleDevice, AppleDeviceRegistration, ApplePass, DeviceLog, GooglePass, PassUpdate

VOID_FOR = timedelta(days=30)
STEP = 200


def nobody_else(_customers: Collection[UUID]) -> set[UUID]:
    """Tell that wallets know of no further records of a person."""
    return set()


def lock(customers: Collection[UUID]) -> None:
    """Lock the passes of these customers, which come after their cards."""
    cards = persons.cards_of(customers)
    for model in (ApplePass, GooglePass):
        rows: Any = model._default_manager.filter(card_id__in=cards).select_for_update(of=("self",), no_key=True)
        list(rows.order_by("pk").values_list("pk"))


def erase(customers: Collection[UUID], at: datetime) -> list[UUID]:
    """Scrub what is kept of these customers' passes; no answer of ours names them by one, so no ids come back.

    What Google last accepted bears the name and the code. Without it the next update sends the whole object, and
    clears what must not be there any more.
    """
    cards = persons.cards_of(customers)
    passes = ApplePass.objects.filter(card_id__in=cards)
    DeviceLog.objects.filter(serial__in=list(passes.values_list("serial", flat=True))).delete()
    passes.filter(erased_at__isnull=True).update(erased_at=at)
    GooglePass.objects.filter(card_id__in=cards).update(accepted={})
    PassUpdate.objects.filter(card_id__in=cards).update(last_error="")
    return []


def has_ended(erased_at: datetime | None, at: datetime) -> bool:
    """Tell whether an Apple pass whose person was erased then is nobody's by now: its token is to be refused."""
    return erased_at is not None and at - erased_at >= VOID_FOR


def retire(*, at: datetime) -> int:
    """Let the devices go that still hold passes of people who were erased 30 days ago; returns how many passes.

    From that day on the token of such a pass is refused (`has_ended`), so a device would ask in vain.
    """
    ended = 0
    while True:
        with tenancy.platform(reason="wallets: passes of erased people end after 30 days, at all merchants"):
            due = _due(at)
            for row in due:
                _end(row)
        ended += len(due)
        if len(due) < STEP:
            return ended


def _due(at: datetime) -> list[ApplePass]:
    held = Exists(AppleDeviceRegistration.objects.filter(apple_pass_id=OuterRef("pk")))
    rows = ApplePass.objects.filter(held, erased_at__lte=at - VOID_FOR)
    return list(rows.select_for_update(of=("self",), no_key=True, skip_locked=True).order_by("pk")[:STEP])


def _end(row: ApplePass) -> None:
    mine = AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk)
    ids = list(mine.values_list("device_id", flat=True))
    devices = set(
        AppleDevice.objects.filter(pk__in=ids).select_for_update().order_by("pk").values_list("pk", flat=True)
    )
    mine.delete()
    # The platform sees the registrations of all merchants: a device goes with the last of them.
    others = AppleDeviceRegistration.objects.filter(device_id__in=devices).values_list("device_id", flat=True)
    AppleDevice.objects.filter(pk__in=devices - set(others)).delete()
    ApplePass.objects.filter(pk=row.pk).update(behind_since=None)


ERASER = extensions.Eraser(related=nobody_else, lock=lock, erase=erase)
