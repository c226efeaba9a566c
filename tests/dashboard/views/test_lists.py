"""Lists cost the same whether they show one thing or three."""

from typing import Any

import pytest

from loyalty.services import rewards
from stores.services import api_keys, staff, stores, terminals
from tests.dashboard.conftest import Shop, open_shop
from tests.factories.merchants import MembershipFactory


def add_card(shop: Shop) -> None:
    card = shop.card(name="Marie Klein", email="")
    shop.world.stamp(card)


def add_reward(shop: Shop) -> None:
    rewards.create(
        merchant_id=shop.merchant_id, program_id=shop.world.program.pk, data={"name": "Mug", "points_cost": 9},
        at=shop.world.at,
    )  # fmt: skip


def add_staff(shop: Shop) -> None:
    staff.create(merchant_id=shop.merchant_id, name="Anna", stores=[shop.world.store.pk], at=shop.world.at)


def add_terminal(shop: Shop) -> None:
    code = terminals.make_pairing_code(
        merchant_id=shop.merchant_id, store_id=shop.world.store.pk, name="Till", user_id=shop.world.owner.pk,
        at=shop.world.at,
    )  # fmt: skip
    terminals.pair(code=code.code, at=shop.world.at)


def add_key(shop: Shop) -> None:
    api_keys.create(
        merchant_id=shop.merchant_id, name="POS", scopes=["read"], store_id=shop.world.store.pk, at=shop.world.at
    )  # fmt: skip


def add_store(shop: Shop) -> None:
    stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)


def add_member(shop: Shop) -> None:
    MembershipFactory(merchant=shop.world.program.merchant, role="manager")


# Nine before the page asks for anything: session, person, look-up, membership, stores, and the scope, which inside the
# test's own transaction is a savepoint, the setting, its restoring and the release.
LISTS = [
    ("", add_card, 28),
    ("cards", add_card, 13),
    ("rewards", add_reward, 11),
    ("staff", add_staff, 12),
    ("terminals", add_terminal, 10),
    ("/store/merchant/api-keys", add_key, 10),
    ("/store/merchant/stores", add_store, 9),
    ("/store/merchant/team", add_member, 11),
]


@pytest.mark.parametrize(("rest", "add", "queries"), LISTS, ids=[rest or "home" for rest, _add, _queries in LISTS])
def test_list_takes_the_same_queries_for_one_and_three(
    rest: str, add: Any, queries: int, db: None, django_assert_num_queries: Any
) -> None:
    shop = open_shop(loyalty_type="hybrid")
    browser, url = shop.client(), rest if rest.startswith("/") else shop.page(rest)
    browser.get(url)  # The first visit writes the merchant into the session.
    for more in (1, 2):
        for _ in range(more):
            add(shop)
        with django_assert_num_queries(queries, info=f"{url}"):
            assert browser.get(url).status_code == 200


def test_history_takes_the_same_queries_for_one_and_three(shop: Shop, django_assert_num_queries: Any) -> None:
    card = shop.card(name="Tom")
    browser, url = shop.client(), shop.page(f"cards/{card.pk}")
    browser.get(url)
    with django_assert_num_queries(24):
        browser.get(url)
    for _ in range(2):
        shop.world.tick(seconds=1)
        shop.world.stamp(card)
    with django_assert_num_queries(24):
        browser.get(url)
