"""The team over the merchant API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry
from merchants.enums import Role
from merchants.models import Membership
from tests.factories.merchants import MembershipFactory
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at, named


def member(shop: Shop, role: str) -> Membership:
    made: Membership = MembershipFactory(merchant=shop.merchant, role=role)
    return made


def path(row: Membership) -> str:
    return at(f"team/{row.pk}")


def roles(shop: Shop) -> list[str]:
    with tenancy.scope(shop.merchant):
        return sorted(Membership.objects.filter(is_active=True).values_list("role", flat=True))


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_it_works_for_an_owner(shop: Shop) -> None:
    clerk, manager = member(shop, Role.STAFF), member(shop, Role.MANAGER)

    changed = shop.by_owner("patch", path(clerk), {"role": "manager"})
    raised = shop.by_owner("patch", path(manager), {"role": "owner"})
    gone = shop.by_owner("delete", path(clerk))

    assert changed.json() == {
        "id": str(clerk.pk), "user_id": str(clerk.user_id), "name": clerk.user.name, "email": clerk.user.email,
        "role": "manager", "joined_at": changed.json()["joined_at"],
    }  # fmt: skip
    assert (changed.status_code, raised.status_code, gone.status_code) == (200, 200, 204)
    assert roles(shop) == ["owner", "owner"]
    with tenancy.scope(shop.merchant):
        assert set(AuditEntry.objects.values_list("actor_id", flat=True)) == {shop.owner.pk}


def test_somebody_new_joins_by_an_invitation(shop: Shop) -> None:
    sent = {"email": "carla@example.com", "role": "manager"}

    first, again = (shop.by_owner("post", at("team"), sent, **{"Idempotency-Key": "i1"}) for _ in range(2))

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    (listed,) = shop.by_owner("get", at("team/invitations")).json()["results"]
    assert (listed["id"], listed["email"]) == (first.json()["id"], "carla@example.com")
    assert roles(shop) == ["owner"]
    assert refused(shop.by_key("post", at("team"), {**sent, "role": "owner"})) == (403, "permission_denied")
    assert shop.by_owner("post", at("team"), {"email": "no", "role": "manager"}).status_code == 400


def test_who_is_removed_is_out_at_once(shop: Shop) -> None:
    manager = member(shop, Role.MANAGER)
    assert shop.by_owner("get", at("team"), user=manager.user).status_code == 200

    shop.by_owner("delete", path(manager))

    assert shop.by_owner("get", at("team"), user=manager.user).status_code in (403, 404)
    assert shop.by_owner("delete", path(manager)).status_code == 404
    assert shop.by_owner("patch", path(manager), {"role": "staff"}).status_code == 404


@pytest.mark.parametrize("by", ["manager", "key"])
def test_only_an_owner_signed_in_touches_owners(shop: Shop, by: str) -> None:
    manager, other, clerk = member(shop, Role.MANAGER), member(shop, Role.OWNER), member(shop, Role.STAFF)

    def ask(method: str, address: str, body: Any = None) -> Any:
        if by == "key":
            return shop.by_key(method, address, body)
        return shop.by_owner(method, address, body, user=manager.user)

    assert ask("patch", path(clerk), {"role": "manager"}).status_code == 200
    for answer in (
        ask("patch", path(other), {"role": "staff"}), ask("patch", path(clerk), {"role": "owner"}),
        ask("patch", path(manager), {"role": "owner"}), ask("delete", path(other)),
    ):  # fmt: skip
        assert refused(answer) == (403, "permission_denied")
    assert roles(shop) == ["manager", "manager", "owner", "owner"]


def test_the_last_owner_stays(shop: Shop) -> None:
    with tenancy.scope(shop.merchant):
        owner = Membership.objects.get()

    assert refused(shop.by_owner("patch", path(owner), {"role": "manager"})) == (409, "last_owner")
    assert refused(shop.by_owner("delete", path(owner))) == (409, "last_owner")
    assert shop.by_owner("patch", path(owner), {"role": "owner"}).status_code == 200
    assert roles(shop) == ["owner"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"role": "boss"}, ("role", "invalid_choice")), ({"role": ""}, ("role", "invalid_choice")),
        ({"role": None}, ("role", "null")), ({"role": 1}, ("role", "invalid_choice")),
        ({"role": ["owner"]}, ("role", "invalid_choice")), ({"role": "o" * 99}, ("role", "invalid_choice")),
        ({"role": "a\x00"}, ("role", "null_characters_not_allowed")), ({"rolle": "owner"}, ("rolle", "unknown_field")),
        ({"role": "staff", "email": "x@example.com"}, ("email", "unknown_field")),
        ({"is_active": False}, ("is_active", "unknown_field")),
    ],
)  # fmt: skip
def test_refuses_bad_values_and_changes_nothing(shop: Shop, body: Any, problem: tuple[str, str]) -> None:
    clerk = member(shop, Role.MANAGER)

    assert named(shop.by_owner("patch", path(clerk), body)) == [problem]

    assert roles(shop) == ["manager", "owner"]


def test_the_same_key_changes_once(shop: Shop) -> None:
    clerk = member(shop, Role.STAFF)
    key = {"Idempotency-Key": "t1"}

    first = shop.by_owner("patch", path(clerk), {"role": "manager"}, **key)
    shop.by_owner("patch", path(clerk), {"role": "staff"})
    again = shop.by_owner("patch", path(clerk), {"role": "manager"}, **key)

    assert (again.status_code, again.json()) == (200, first.json())
    assert roles(shop) == ["owner", "staff"]
    gone = [shop.by_owner("delete", path(clerk), **{"Idempotency-Key": "t2"}).status_code for _ in range(2)]
    assert gone == [204, 204]


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_the_same_queries_for_one_and_three(shop: Shop, count: int) -> None:
    for _ in range(count - 1):
        member(shop, Role.STAFF)
    shop.by_key("get", at("team"))

    with CaptureQueriesContext(connection) as seen:
        answer = shop.by_key("get", at("team"))

    assert len(answer.json()["results"]) == count
    reads = [query for query in seen.captured_queries if "merchants_membership" in query["sql"]]
    assert len(reads) == 1


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_another_merchants_member_is_not_found_and_stays(
    shop: Shop, make_shop: Callable[[], Shop], method: str
) -> None:  # fmt: skip
    foreign = make_shop()
    theirs = member(foreign, Role.STAFF)

    for membership_id in (theirs.pk, uuid7()):
        answer = shop.by_owner(method, at(f"team/{membership_id}"), {"bad": 1} if method == "patch" else None)
        assert refused(answer) == (404, "not_found")

    assert roles(foreign) == ["owner", "staff"]
    assert theirs.user.email not in shop.by_owner("get", at("team")).content.decode()
