"""Scarce things over the merchant API, asked for by many at once: the last place for a store, the last owner."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from core import tenancy
from merchants.enums import Role
from merchants.models import Membership, MerchantSettings
from stores.models import ApiKey, Store
from tests.factories.merchants import MembershipFactory, MerchantFactory
from tests.factories.stores import ApiKeyFactory, StoreFactory, TerminalFactory
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at


def make() -> Shop:
    merchant = MerchantFactory()
    store = StoreFactory(merchant=merchant)
    owner = MembershipFactory(merchant=merchant).user
    return Shop(
        merchant, store, ApiKeyFactory(merchant=merchant), TerminalFactory(merchant=merchant, store=store), owner
    )


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls at the same moment, each on a connection of its own; returns status codes and codes of refusals."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            answer = call()
            return answer.status_code if answer.status_code < 400 else answer.json()["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_the_last_places_for_stores_go_once(real_db: Any) -> None:
    shop = make()
    with tenancy.scope(shop.merchant):
        MerchantSettings.objects.update(max_stores=3)

    outcomes = at_once(*[lambda: shop.by_key("post", at("stores"), {"name": "Gare"})] * 6)

    assert Counter(outcomes) == {201: 2, "store_limit_reached": 4}
    with tenancy.scope(shop.merchant):
        assert Store.objects.count() == 3


def test_one_wanted_code_goes_once(real_db: Any) -> None:
    shops = [make() for _ in range(3)]

    outcomes = at_once(
        *[lambda one=one: one.by_key("post", at("stores"), {"name": "Gare", "code": "gare"}) for one in shops]
    )

    assert Counter(outcomes) == {201: 1, "validation_error": 2}


def test_one_idempotency_key_makes_one_api_key(real_db: Any) -> None:
    shop = make()
    sent = {"name": "POS", "scopes": ["read"]}

    outcomes = at_once(*[lambda: shop.by_key("post", at("api-keys"), sent, **{"Idempotency-Key": "one"})] * 5)

    assert set(outcomes) <= {201, "idempotency_in_progress"}
    with tenancy.scope(shop.merchant):
        assert ApiKey.objects.count() == 2


def test_two_owners_who_step_down_at_once_leave_one(real_db: Any) -> None:
    shop = make()
    second = MembershipFactory(merchant=shop.merchant, role=Role.OWNER)
    with tenancy.scope(shop.merchant):
        first = Membership.objects.get(user=shop.owner)

    outcomes = at_once(
        lambda: shop.by_owner("patch", at(f"team/{first.pk}"), {"role": "manager"}),
        lambda: shop.by_owner("delete", at(f"team/{second.pk}"), user=second.user),
    )

    assert sum(outcome == "last_owner" for outcome in outcomes) == 1, outcomes
    with tenancy.scope(shop.merchant):
        assert Membership.objects.filter(role=Role.OWNER, is_active=True).count() == 1
