"""The merchant's files over the API: what is in them, who may take them, and that their size costs no memory."""

import csv as reader
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.models import AuditEntry
from customers.models import Customer
from loyalty.models import Transaction
from loyalty.queries import exports
from loyalty.services import load
from stores.models import ApiKey
from tests.support.api import Caller, assert_problem
from tests.support.world import World

BASE = "/api/v1/merchant/exports/"
FILES = ("cards", "transactions", "customers")
NASTY = "=cmd|' /C calc'!A0"


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    text = answer.getvalue().decode("utf-8-sig")
    return list(reader.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def world(db: None) -> World:
    return World.make(loyalty_type="hybrid", points_per_euro="1")


def audits(world: World) -> list[AuditEntry]:
    with tenancy.scope(world.merchant_id):
        return list(AuditEntry.objects.filter(action="export").order_by("created_at"))


def test_it_works_with_real_commits(real_db: Any) -> None:
    """Outside of a test's own transaction the body has no scope but the one it opens itself."""
    world = World.make(loyalty_type="hybrid", points_per_euro="1")
    card = world.card(name="Marie Klein", email="marie@example.com", birthday="05-17")
    world.sale(card, 2000, order_reference="A-1")
    caller = Caller.of(world)

    found = {name: table(caller.get(f"{BASE}{name}.csv")) for name in FILES}

    assert [len(rows) for rows in found.values()] == [1, 3, 1]
    [shown], [person] = found["cards"], found["customers"]
    assert (shown["id"], shown["card_number"]) == (str(card.pk), card.card_number)
    assert (shown["customer_name"], shown["points_balance"], shown["stamp_count"]) == ("Marie Klein", "20", "1")
    assert (person["email"], person["birthday"]) == ("marie@example.com", "05-17")
    sale = next(row for row in found["transactions"] if row["type"] == "points_earned")
    assert (sale["purchase_amount_cents"], sale["currency"], sale["points_delta"]) == ("2000", "EUR", "20")
    assert (sale["order_reference"], sale["store_code"]) == ("A-1", world.store.code)


def test_answers_as_a_file_to_keep(world: World) -> None:
    world.card()
    answer = Caller.of(world).get(f"{BASE}cards.csv", Accept="text/csv")

    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="m-')
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.getvalue().startswith(b"\xef\xbb\xbfid,")


@pytest.mark.parametrize("name", FILES)
def test_columns_are_those_of_the_header_and_an_empty_file_has_them_too(world: World, name: str) -> None:
    empty = Caller.of(world).get(f"{BASE}{name}.csv").getvalue().decode("utf-8-sig")
    world.sale(world.card(name="Marie"), 1000)

    rows = table(Caller.of(world).get(f"{BASE}{name}.csv"))

    assert empty == ",".join(exports.HEADERS[name]) + "\r\n"
    assert tuple(rows[0]) == exports.HEADERS[name]
    assert None not in rows[0]


def test_names_never_run_as_formulas(world: World) -> None:
    world.card(name=NASTY, email="marie@example.com")
    with tenancy.scope(world.merchant_id):
        world.program.name = "+Programme"
        world.program.save()
    caller = Caller.of(world)

    texts = [caller.get(f"{BASE}{name}.csv").getvalue().decode() for name in FILES]

    assert f",'{NASTY}," in texts[0]
    assert f",'{NASTY}," in texts[2]
    assert ",'+Programme," in texts[0]
    assert all(f",{start}" not in text for text in texts for start in "=+@")


def test_holds_no_byte_of_another_merchant(world: World) -> None:
    other = World.make(loyalty_type="hybrid", points_per_euro="1")
    canary = other.card(name="Canary-Klein", email="canary@example.com", phone="+352621999888")
    other.sale(canary, 4200, order_reference="Canary-Order")
    world.sale(world.card(name="Marie"), 1000)
    words = ("Canary", "canary", canary.card_number, str(canary.pk), other.store.code, str(other.merchant_id), "999888")

    for name in FILES:
        text = Caller.of(world).get(f"{BASE}{name}.csv").getvalue().decode()
        assert [word for word in words if word in text] == []
    refused = Caller.of(world).get(f"{BASE}transactions.csv?store={other.store.code}")
    assert_problem(refused, 404, "not_found")


def test_reads_in_chunks_without_losing_or_doubling_a_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [world.card(name=f"Person {number}") for number in range(7)]
    monkeypatch.setattr(exports, "CHUNK", 3)

    rows = table(Caller.of(world).get(f"{BASE}cards.csv"))

    assert [row["id"] for row in rows] == sorted(str(card.pk) for card in cards)


@pytest.mark.parametrize("people", [1, 3])
def test_costs_the_same_for_one_and_for_three(world: World, people: int, django_assert_num_queries: Any) -> None:
    for _ in range(people):
        world.sale(world.card(name="Marie"), 1000)

    for name, queries in (("cards", 8), ("transactions", 7), ("customers", 7)):
        with django_assert_num_queries(queries):
            assert list(exports.rows(name, world.merchant_id))


def test_100_000_rows_do_not_grow_memory(real_db: Any) -> None:
    made = load.make(cards=1_000, transactions=230_000, at=timezone.now())
    merchant_id = made.merchants[0].id
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    blocks = exports.stream("transactions", merchant_id)
    seen = sum(next(blocks).count(b"\r\n") for _ in range(100))
    before, most = resident(), 0
    for block in blocks:
        seen += block.count(b"\r\n")
        most = max(most, resident())

    assert seen >= 100_000
    assert most - before < 15_000_000


def test_takes_a_period_and_a_store(world: World) -> None:
    card = world.card()
    world.sale(card, 1000)
    world.tick(days=40)
    world.sale(card, 2000)
    with tenancy.scope(world.merchant_id):
        last = Transaction.objects.order_by("-business_date").values_list("business_date", flat=True)[0]
    caller = Caller.of(world)

    late = table(caller.get(f"{BASE}transactions.csv?from={last}&to={last}"))
    early = table(caller.get(f"{BASE}transactions.csv?to={last - timedelta(days=1)}&store={world.store.code}"))

    assert {row["purchase_amount_cents"] for row in late} == {"2000", ""}
    assert {row["purchase_amount_cents"] for row in early} == {"1000", ""}
    assert len(late) + len(early) == len(table(caller.get(f"{BASE}transactions.csv")))
    assert len(table(caller.get(f"{BASE}cards.csv?store={world.store.code}"))) == 1


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("transactions.csv?from=yesterday", "from"), ("transactions.csv?to=2026-13-01", "to"),
        ("transactions.csv?from=2026-W01-1", "from"), ("transactions.csv?from=%00", "from"),
        ("transactions.csv?from=2026-02-01&to=2026-01-31", "to"), ("customers.csv?store=x", "store"),
        ("cards.csv?from=2026-01-01", "from"), ("transactions.csv?from=" + "9" * 500, "from"),
    ],
)  # fmt: skip
def test_refuses_what_it_cannot_narrow_by(world: World, address: str, field: str) -> None:
    assert_problem(Caller.of(world).get(BASE + address), 400, "validation_error", field)
    assert audits(world) == []


@pytest.mark.parametrize("store", ["nowhere", "%00", "x" * 300])
def test_an_unknown_store_404(world: World, store: str) -> None:
    assert_problem(Caller.of(world).get(f"{BASE}cards.csv?store={store}"), 404, "not_found")


def test_every_export_leaves_a_trace_without_persons(world: World) -> None:
    world.card(name="Marie")
    owner = Caller.person(world, "owner")

    owner.get(f"{BASE}customers.csv")
    Caller.of(world).get(f"{BASE}transactions.csv?from=2026-01-01&to=2026-01-31")

    first, second = audits(world)
    assert (first.target, first.actor_id is not None) == ("customers.csv", True)
    assert (second.target, second.actor_id) == ("transactions.csv", None)
    assert (second.facts["from"], second.facts["api_key"]) == ("2026-01-01", str(world.key.id))
    assert "Marie" not in str(first.facts) + first.reason


def test_full_exports_are_the_owners(world: World) -> None:
    manager, owner, staff = (Caller.person(world, role) for role in ("manager", "owner", "staff"))

    for name in FILES:
        assert owner.get(f"{BASE}{name}.csv").status_code == 200
        assert_problem(manager.get(f"{BASE}{name}.csv"), 403, "permission_denied")
        assert_problem(staff.get(f"{BASE}{name}.csv"), 403, "permission_denied")
        assert_problem(Client().get(f"{BASE}{name}.csv"), 401, "not_authenticated")
    assert manager.get(f"{BASE}transactions.csv?from=2026-01-01&to=2026-12-31").status_code == 200
    for period in ("from=2024-01-01&to=2026-12-31", "from=2026-01-01", "to=2026-12-31"):
        assert_problem(manager.get(f"{BASE}transactions.csv?{period}"), 403, "permission_denied")


def test_a_managers_key_takes_no_more_than_the_manager(world: World) -> None:
    manager = Caller.person(world, "manager")
    made = Caller.with_scopes(world, ["manage"])
    with tenancy.scope(world.merchant_id):
        who = manager.client.session["_auth_user_id"]
        ApiKey.objects.exclude(pk=world.key.id).update(created_by_id=who)

    assert_problem(made.get(f"{BASE}customers.csv"), 403, "permission_denied")
    assert made.get(f"{BASE}transactions.csv?from=2026-01-01&to=2026-01-31").status_code == 200


def test_keys_need_the_scope_manage(world: World) -> None:
    reading = Caller.with_scopes(world, ["read", "earn", "redeem"])

    for name in FILES:
        assert_problem(reading.get(f"{BASE}{name}.csv"), 403, "permission_denied")
        assert_problem(Caller.terminal(world).get(f"{BASE}{name}.csv"), 403, "permission_denied")


def test_who_was_erased_is_in_no_file(world: World) -> None:
    gone = world.card(name="Marie", email="marie@example.com")
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=gone.customer_id).update(erased_at=timezone.now(), name="", email="")

    assert table(Caller.of(world).get(f"{BASE}customers.csv")) == []
    assert table(Caller.of(world).get(f"{BASE}cards.csv"))[0]["customer_name"] == ""
