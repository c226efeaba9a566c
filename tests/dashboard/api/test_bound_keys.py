"""A key that is bound to a store sees that store's people and takes that store's files, whatever else it may."""

import csv
import io
from typing import Any

import pytest

from core import tenancy
from core.models import AuditEntry
from loyalty.models import Card
from stores.models import Store
from tests.support.api import Caller, assert_problem
from tests.support.world import World

BASE = "/api/v1/merchant/"
FILES = ("cards", "transactions", "customers")


class Two:
    """A merchant with two stores, a customer of each, and a key bound to the first one."""

    def __init__(self) -> None:
        self.world = World.make(loyalty_type="hybrid", points_per_euro="1")
        self.here = self.world.store
        with tenancy.scope(self.world.merchant_id):
            self.there = Store.objects.create(name="Kirchberg", code=f"{self.here.code}-2", time_zone="Europe/Berlin")
        self.mine, self.theirs = self.world.card(name="Marie"), self.world.card(name="Paul")
        with tenancy.scope(self.world.merchant_id):
            Card.objects.filter(pk=self.theirs.pk).update(enrolled_store_id=self.there.pk)
        self.free = Caller.of(self.world)
        self.bound = Caller.with_scopes(self.world, ("manage",), self.here)
        for store, cents in ((self.here, 1000), (self.there, 2000)):
            sale = {"card_id": str(self.mine.pk), "purchase_amount_cents": cents}
            assert self.free.post("points", sale, X_Store_Code=store.code).status_code == 201


@pytest.fixture
def two(db: None) -> Two:
    return Two()


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return sorted(row["name"] for row in answer.json()["results"])


@pytest.mark.parametrize("asked", ["", "?store={here}"])
def test_files_are_those_of_its_store(two: Two, asked: str) -> None:
    asked = asked.format(here=two.here.code)

    cards = table(two.bound.get(f"{BASE}exports/cards.csv{asked}"))
    rows = table(two.bound.get(f"{BASE}exports/transactions.csv{asked}"))

    assert [row["id"] for row in cards] == [str(two.mine.pk)]
    assert {row["store_code"] for row in rows} == {two.here.code}
    assert {row["purchase_amount_cents"] for row in rows} >= {"1000"}
    assert [row["name"] for row in table(two.bound.get(f"{BASE}exports/customers.csv"))] == ["Marie"]


def test_lists_the_customers_of_its_store(two: Two) -> None:
    assert names(two.bound.get(f"{BASE}customers")) == ["Marie"]
    assert names(two.bound.get(f"{BASE}customers?search=Paul")) == []
    assert names(two.bound.get(f"{BASE}customers?store={two.here.code}")) == ["Marie"]


@pytest.mark.parametrize("path", ["customers", "exports/cards.csv", "exports/transactions.csv", "analytics"])
def test_another_store_of_the_merchant_is_403_and_a_foreign_one_404(two: Two, path: str) -> None:
    other = World.make()

    assert_problem(two.bound.get(f"{BASE}{path}?store={two.there.code}"), 403, "permission_denied")
    assert_problem(two.bound.get(f"{BASE}{path}?store={other.store.code}"), 404, "not_found")


def test_a_key_for_all_stores_and_an_owner_see_everything(two: Two) -> None:
    for caller in (two.free, Caller.person(two.world, "owner")):
        assert names(caller.get(f"{BASE}customers")) == ["Marie", "Paul"]
        assert names(caller.get(f"{BASE}customers?store={two.there.code}")) == ["Paul"]
        assert [len(table(caller.get(f"{BASE}exports/{name}.csv"))) for name in FILES][::2] == [2, 2]
        assert len({row["store_code"] for row in table(caller.get(f"{BASE}exports/transactions.csv"))}) == 2


def test_the_audit_names_the_store_of_a_file(two: Two) -> None:
    two.bound.get(f"{BASE}exports/cards.csv")
    two.free.get(f"{BASE}exports/cards.csv")

    with tenancy.scope(two.world.merchant_id):
        facts = [row.facts for row in AuditEntry.objects.filter(action="export").order_by("created_at")]
    assert [row.get("store_id") for row in facts] == [str(two.here.pk), None]
