"""The process beside the stack (`beside.py`): opens merchants and runs management commands, for lines of JSON."""

import io
import json
import sys
import traceback
from typing import Any

import django

# What else is printed is not an answer.
MARK = "answer "


def main() -> None:
    """Do what each line asks for, until there is none."""
    from django.db import connections

    django.setup()
    for line in sys.stdin:
        try:
            told = {"done": _do(**json.loads(line))}
        except Exception:  # noqa: BLE001 - it goes to whoever asked
            told = {"broke": traceback.format_exc()}
        # The drill may stop the database next.
        connections.close_all()
        print(MARK + json.dumps(told), flush=True)


def _do(*, command: list[str] | None = None, shops: dict[str, Any] | None = None) -> Any:
    if shops is not None:
        return [_open(shops) for _ in range(shops["count"])]
    return _run(*(command or []))


def _run(*words: str) -> str:
    """Return what a command printed, with the fault that it ended with."""
    from django.core.management import CommandError, call_command

    said = io.StringIO()
    try:
        call_command(*words, stdout=said, stderr=said)
    except CommandError as error:
        said.write(f"{type(error).__name__}: {error}\n")
    return said.getvalue()


def _open(wanted: dict[str, Any]) -> dict[str, Any]:
    from allauth.account.models import EmailAddress
    from django.utils import timezone

    from core import tenancy
    from loyalty.queries import access
    from merchants.enums import Role
    from merchants.models import Membership, Merchant
    from tests.support.world import World

    world = World.make(at=timezone.now(), **wanted["rules"])
    EmailAddress.objects.create(user=world.owner, email=world.owner.email, verified=True, primary=True)
    with tenancy.scope(world.merchant_id):
        Membership.objects.create(user=world.owner, role=Role.OWNER)
        slug = Merchant.objects.get().slug
    staff_id, proof = world.staff(pin=wanted["pin"])
    cards = [world.card() for _ in range(wanted["cards"])]
    return {
        "merchant_id": str(world.merchant_id), "slug": slug, "store_id": str(world.store.pk),
        "store_code": world.store.code, "program_id": str(world.program.pk), "api_key": world.key_text,
        "staff_id": str(staff_id), "pin": proof.pin, "owner_email": world.owner.email,
        "cards": [str(card.pk) for card in cards], "secrets": [access.secret_of(card) for card in cards],
    }  # fmt: skip


if __name__ == "__main__":
    main()
