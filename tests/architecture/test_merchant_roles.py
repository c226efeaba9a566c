"""Who may do what, as merchants.permissions says: every address of the merchant API × method × role × scope."""

from typing import Any

import pytest
from django.test import Client

from merchants import permissions
from merchants.enums import Role
from merchants.permissions import MANAGE, RIGHTS, SCOPES
from tests.architecture import sweep
from tests.architecture.routes import STORE_API
from tests.support.house import House, send, undone

BASE = "api/v1/merchant"
USES = [
    (pattern, method, use)
    for pattern, route in sweep.routes(STORE_API)
    if pattern.startswith(BASE)
    for method, use in route.uses.items()
]
# The view decides file by file what is a full export: tests/dashboard/api/test_exports.py.
DECIDES_ITSELF = {
    f"{BASE}/exports/{kind}.csv": permissions.FULL_EXPORT for kind in ("cards", "transactions", "customers")
}


def right_of(pattern: str) -> str:
    """Return the right that the view of an address names."""
    return str(sweep.own_patterns()[pattern].view_class.right or DECIDES_ITSELF.get(pattern, ""))


@pytest.fixture
def house(db: None) -> House:
    return House.make("ours")


def ask(house: House, client: Client, pattern: str, method: str, use: Any, **headers: str) -> int:
    """Send a request that works but for who sends it, and take it back."""
    with undone():
        path = sweep.address(pattern, house.ids)
        return int(send(client, method, path, use.body_for(house), **headers).status_code)


def test_there_is_something_to_walk() -> None:
    assert len(USES) >= 20
    assert {"GET", "POST", "PATCH", "DELETE"} <= {method for _, method, _ in USES}


def test_every_address_names_a_right_of_the_table() -> None:
    assert {pattern: right_of(pattern) for pattern, _, _ in USES if right_of(pattern) not in RIGHTS} == {}


def test_staff_have_no_right_and_owners_have_all() -> None:
    for right, roles in RIGHTS.items():
        assert Role.STAFF not in roles, right
        assert Role.OWNER in roles, right
    owners_alone = {right for right, roles in RIGHTS.items() if roles == {Role.OWNER}}
    assert owners_alone == {"billing", "close_merchant", "owner_roles", "full_export", "support_looks"}
    assert not permissions.has_right(Role.OWNER, "a right that nobody wrote down")


@pytest.mark.parametrize("role", Role.values)
def test_a_person_does_what_the_role_may(house: House, role: str) -> None:
    browser, faults = house.person(role), {}
    for pattern, method, use in USES:
        status = ask(house, browser, pattern, method, use)
        allowed = permissions.has_right(role, right_of(pattern))
        if (status == 403) == allowed or (allowed and status >= 400):
            faults[f"{method} {pattern}"] = (status, "allowed" if allowed else "refused")
    assert faults == {}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_needs_manage_for_all_of_it(house: House, scope: str) -> None:
    keys = {True: house.key([scope]), False: house.key([one for one in SCOPES if one != scope])}
    faults = {}
    for pattern, method, use in USES:
        for alone, key in keys.items():
            status = ask(house, Client(), pattern, method, use, Authorization=f"Bearer {key}")
            allowed = alone == (scope == MANAGE)
            if (status == 403) == allowed or (allowed and status >= 400):
                faults[f"{method} {pattern} {'only' if alone else 'without'} {scope}"] = status
    assert faults == {}


def test_a_terminal_manages_nothing(house: House) -> None:
    for pattern, method, use in USES:
        assert ask(house, house.terminal(), pattern, method, use) == 403, (method, pattern)


def test_a_person_of_no_merchant_is_refused(house: House) -> None:
    from tests.factories.merchants import UserFactory

    stranger = Client()
    stranger.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    for pattern, method, use in USES:
        assert ask(house, stranger, pattern, method, use) == 403, (method, pattern)
        code = {"X_Store_Code": house.world.store.code}
        assert ask(house, stranger, pattern, method, use, **code) == 404, (method, pattern)
