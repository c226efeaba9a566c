"""Everybody who may call about a house, over real HTTP."""

from typing import Any

from core.ids import uuid7
from loyalty.queries import access
from merchants.enums import Role
from stores.models import Store
from tests.drills.wire import Browser
from tests.support.house import House


def house(word: str) -> House:
    """Make a house whose words are its own in this database; its store gives on customers' phones, too."""
    from core import tenancy

    made = House.make(f"{word}{uuid7().hex[-10:]}")
    with tenancy.scope(made.world.merchant_id):
        Store.objects.update(own_device_enabled=True)
    return made


def everybody(of: House, base: str, **headers: str) -> dict[str, Browser]:
    """Return the callers of a house by name: its people by role, its till, its key, its customer, and nobody."""

    def browser(name: str, client: Any = None, **sent: str) -> Browser:
        cookies = {key: morsel.value for key, morsel in client.cookies.items()} if client is not None else {}
        return Browser(base, cookies, {**headers, **sent}, name)

    people = {str(role): browser(str(role), of.person(role)) for role in Role.values}
    return {
        "key": browser("key", Authorization=f"Bearer {of.world.key_text}"),
        **people,
        "till": browser("till", of.terminal()),
        "customer": browser("customer", of.customer()),
        "card": browser("card", Authorization=f"Card {access.secret_of(of.card)}"),
        "nobody": browser("nobody"),
    }
