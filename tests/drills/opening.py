"""Opens merchants for the drills, in a process of its own beside the stack; prints them as JSON."""

import json
import sys
from typing import Any

import django


def main() -> None:
    """Open what the one argument describes."""
    django.setup()
    wanted = json.loads(sys.argv[1])
    shops = [_open(wanted) for _ in range(wanted["count"])]
    json.dump(shops, sys.stdout)


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
