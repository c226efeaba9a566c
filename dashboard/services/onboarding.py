"""The first steps of a merchant: each is saved as one transaction over the services that own the rows."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

from core import tenancy
from dashboard.queries import setup
from loyalty.enums import ProgramStatus
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from loyalty.queries import rewards as reward_queries
from loyalty.services import programs, rewards
from merchants.models import Merchant
from merchants.services import logos, merchants
from stores.models import StaffPin
from stores.services import staff, stores
from stores.services.staff import NewPin

PROGRAM, LOOKS, SHOP, READY, DONE = 1, 2, 3, 4, 5
# A form that comes again so soon was sent twice.
TWICE = timedelta(minutes=1)


def describe_program(
    *,
    merchant_id: UUID,
    store_id: UUID,
    rules: Mapping[str, Any],
    reward: Mapping[str, Any] | None,
    actor_id: UUID,
    at: datetime,
) -> Program:
    """Make the store's program and start it, or change the one that is there; with the first reward that points buy.

    Raises what programs.create, programs.update and rewards.create raise.
    """
    with tenancy.scope(merchant_id):
        program = program_queries.for_store(store_id)
        if program is None:
            program = programs.create(
                merchant_id=merchant_id, store_id=store_id, user_id=actor_id, at=at,
                data={**rules, "status": ProgramStatus.ACTIVE.value},
            )  # fmt: skip
        else:
            programs.update(
                merchant_id=merchant_id, program_id=program.pk, data=rules, user_id=actor_id, at=at
            )  # fmt: skip
        if reward is not None:
            _first_reward(merchant_id, program.pk, reward, at)
        merchants.reach_step(merchant_id=merchant_id, step=LOOKS)
    return program


def choose_looks(
    *, merchant_id: UUID, card_color: str, logo: IO[bytes] | None, actor_id: UUID, at: datetime
) -> None:  # fmt: skip
    """Keep the colour of the card and, when one was chosen, the logo: both or none.

    Raises what merchants.update and logos.replace raise: a colour on which nothing reads, a file that is no picture.
    """
    # The picture takes a while: it is made before anything is locked.
    with logos.made(logo) if logo is not None else nullcontext("") as name, tenancy.scope(merchant_id):
        merchants.update(merchant_id=merchant_id, actor_id=actor_id, at=at, card_color=card_color)
        if name:
            logos.put(merchant_id=merchant_id, name=name, actor_id=actor_id)
        merchants.reach_step(merchant_id=merchant_id, step=SHOP)


def open_shop(
    *, merchant_id: UUID, store_id: UUID, details: Mapping[str, Any], person: str, actor_id: UUID, at: datetime
) -> NewPin | None:
    """Keep name and address of the first store and add who works there; the PIN is returned this once.

    person: a first name, "" when somebody works there already; it is left out when somebody came to work there since.
    A form that is sent twice makes one person, and both answers show a PIN: the one made last, which counts.
    """
    with tenancy.scope(merchant_id):
        # The same form may have come twice: the second waits here, and then sees whom the first one made.
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
        stores.update(merchant_id=merchant_id, store_id=store_id, actor_id=actor_id, at=at, **details)
        made = None
        if person and not setup.state(store_id).has_staff:
            made = staff.create(merchant_id=merchant_id, name=person, actor_id=actor_id, at=at)
        elif person and (same := _just_added(person, at)):
            made = staff.rotate(merchant_id=merchant_id, staff_id=same.pk, actor_id=actor_id, at=at)
        merchants.reach_step(merchant_id=merchant_id, step=READY)
    return made


def _just_added(name: str, at: datetime) -> StaffPin | None:
    """Return who was added under this name a moment ago and has not been at the till: the answer may be lost."""
    news = StaffPin.objects.filter(is_active=True, last_used_at=None, rotated_at__gte=at - TWICE)
    return news.filter(name=" ".join(name.split())).first()


def _first_reward(merchant_id: UUID, program_id: UUID, reward: Mapping[str, Any], at: datetime) -> None:
    known = reward_queries.catalogue(program_id).first()
    if known is None:
        rewards.create(merchant_id=merchant_id, program_id=program_id, data=reward, at=at)
    else:
        rewards.update(merchant_id=merchant_id, reward_id=known.pk, data=reward, at=at)
