"""The admin API: the platform's staff with a session and a second factor, nobody else; figures from the rollups."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import Count, Sum
from django.test import Client

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry
from dashboard.services import rollups
from loyalty.models import Card, Program, Transaction
from merchants.enums import Role
from tests.support.desk import Desk
from tests.support.house import House, send
from tests.support.world import World

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/admin/loyalty"


def addresses(program_id: Any) -> list[str]:
    return [f"{ROOT}/{end}" for end in ("programs", f"programs/{program_id}", f"programs/{program_id}/stats", "stats")]


@pytest.fixture
def desk() -> Desk:
    return Desk.open()


@pytest.fixture
def house() -> House:
    return House.make("ours")


def test_it_works(desk: Desk, house: House) -> None:
    for path in addresses(house.world.program.pk):
        answer = desk.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), path

    program = desk.get(f"{ROOT}/programs/{house.world.program.pk}").json()
    assert program["name"] == "Programme-ours"
    assert program["merchant"]["id"] == str(house.world.merchant_id)
    assert program["merchant"]["status"] == "trial"


def test_everybody_else_is_refused_and_told_nothing(house: House) -> None:
    callers: dict[str, tuple[Any, dict[str, str], int]] = {
        "anonymous": (Client(), {}, 401),
        "api key": (Client(), {"Authorization": f"Bearer {house.world.key_text}"}, 401),
        "card": (Client(), {"Authorization": f"Card {house.private_words[-1]}"}, 401),
        "till": (house.terminal(), {}, 401),
        "customer": (house.customer(), {}, 401),
        "owner": (house.person(), {}, 403),
        "manager": (house.person(Role.MANAGER), {}, 403),
        "staff": (house.person(Role.STAFF), {}, 403),
        "administrator without a second factor": (Desk.open(second_factor=False), {}, 403),
    }
    before = house.picture()

    for who, (browser, headers, status) in callers.items():
        for path in [*addresses(house.world.program.pk), *addresses(uuid7()), f"{ROOT}/nowhere", "/api/v1/admin/x"]:
            for method in ("GET", "POST"):
                answer = send(browser, method, path, **headers)
                assert answer.status_code == status, (who, path)
                assert answer["Content-Type"] == "application/problem+json"
                text = answer.content.decode()
                assert not [word for word in house.public_words + house.private_words if word in text], (who, path)
    assert house.picture() == before


def test_an_administrator_who_left_is_refused(desk: Desk, house: House) -> None:
    desk.user.is_active = False
    desk.user.save()

    assert desk.get(f"{ROOT}/stats").status_code == 401


def test_without_the_second_factor_says_so(house: House, settings: Any) -> None:
    desk = Desk.open(second_factor=False)

    assert desk.get(f"{ROOT}/stats").json()["code"] == "second_factor_required"
    settings.DEBUG = True
    assert desk.get(f"{ROOT}/stats").status_code == 200


def test_reads_only(desk: Desk, house: House) -> None:
    for path in addresses(house.world.program.pk):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert send(desk, method, path).status_code == 405, (method, path)


def test_programs_are_searched_filtered_and_paged(desk: Desk) -> None:
    worlds = [World.make(name=f"Programme {number}") for number in range(3)]
    worlds[1].change(status="paused")

    def names(**query: Any) -> list[str]:
        return [row["name"] for row in desk.get(f"{ROOT}/programs", query).json()["results"]]

    with tenancy.scope(worlds[2].merchant_id):
        slug = worlds[2].store.merchant.slug
    assert names() == ["Programme 2", "Programme 1", "Programme 0"]
    assert names(search="programme 1") == ["Programme 1"]
    assert names(search=slug.upper()) == ["Programme 2"]
    assert names(status="paused") == ["Programme 1"]
    assert names(merchant=slug) == ["Programme 2"]
    assert names(merchant=str(worlds[0].merchant_id)) == ["Programme 0"]
    assert names(merchant="nobody") == names(search="%") == []
    first = desk.get(f"{ROOT}/programs", {"page_size": 2}).json()
    second = desk.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == names()
    assert (second["next"], desk.get(second["previous"]).json()["results"]) == (None, first["results"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "nonsense"}, "status"), ({"search": "\x00"}, "search"), ({"search": "x" * 300}, "search"),
        ({"cursor": "nonsense"}, "cursor"), ({"page_size": "0"}, "page_size"), ({"page_size": "101"}, "page_size"),
        ({"merchant": "\x00"}, "merchant"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(desk: Desk, query: dict[str, str], field: str) -> None:
    answer = desk.get(f"{ROOT}/programs", query)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert answer.json()["errors"][0]["field"] == field


def test_unknown_programs_are_404(desk: Desk, house: House) -> None:
    for path in addresses(uuid7())[1:3]:
        assert (desk.get(path).status_code, desk.get(path)["Content-Type"]) == (404, "application/problem+json")
    assert desk.get(f"{ROOT}/programs/nonsense").status_code == 404


def test_figures_equal_what_happened(desk: Desk, house: House) -> None:
    world, other = house.world, World.make(at=house.world.at)
    other.stamp(other.card(), 3)
    rows: dict[Any, list[Transaction]] = {}
    outstanding: dict[Any, dict[str, int]] = {}
    for merchant_id in (world.merchant_id, other.merchant_id):
        rollups.rebuild(merchant_id=merchant_id, at=world.at)
        with tenancy.scope(merchant_id):
            rows[merchant_id] = list(Transaction.objects.all())
            outstanding[merchant_id] = Card.objects.aggregate(
                cards=Count("pk"), stamps=Sum("stamp_count"), points=Sum("points_balance")
            )
    mine = outstanding[world.merchant_id]

    ours = desk.get(f"{ROOT}/programs/{world.program.pk}/stats").json()
    total = desk.get(f"{ROOT}/stats").json()

    assert (ours["cards"], ours["new_cards_30d"]) == (mine["cards"], mine["cards"])
    assert ours["stamps_given"] == given(rows[world.merchant_id]) > 0
    assert (ours["stamps_outstanding"], ours["points_outstanding"]) == (mine["stamps"], mine["points"])
    assert (total["merchants"], total["merchants_by_status"]["trial"]) == (2, 2)
    assert (total["programs"], total["programs_by_status"]) == (2, {"active": 2})
    assert (total["stores"], total["cards"]) == (2, mine["cards"] + 1)
    assert total["members_30d"] == 2
    assert total["stamps_given"] == sum(map(given, rows.values()))
    assert total["points_outstanding"] == sum(found["points"] for found in outstanding.values())
    assert total["sales_30d"] == [{"currency": "EUR", "sales": 1, "sales_cents": 2000}]


def given(rows: list[Transaction]) -> int:
    """Return the stamps given; none of them was undone."""
    return sum(row.stamps_delta for row in rows if row.type == "stamp_earned")


def test_totals_cost_the_same_for_one_and_for_three(desk: Desk, django_assert_num_queries: Any) -> None:
    for _number in range(3):
        world = World.make()
        world.stamp(world.card())
        rollups.rebuild(merchant_id=world.merchant_id, at=world.at)
        cache.clear()
        with django_assert_num_queries(15) as asked:
            assert desk.get(f"{ROOT}/stats").status_code == 200
        assert not [query["sql"] for query in asked.captured_queries if "loyalty_transaction" in query["sql"]]
    with django_assert_num_queries(7):
        desk.get(f"{ROOT}/stats")


def test_the_list_costs_the_same_for_one_and_for_three(desk: Desk, django_assert_num_queries: Any) -> None:
    for _number in range(3):
        World.make()
        with django_assert_num_queries(8):
            assert desk.get(f"{ROOT}/programs").status_code == 200


def test_leaves_no_scope_behind_and_no_audit_of_reads(desk: Desk, house: House) -> None:
    desk.get(f"{ROOT}/stats")

    assert not tenancy.in_platform()
    with pytest.raises(tenancy.NoTenantScope):
        Program.objects.count()
    with tenancy.platform(reason="test"):
        assert not AuditEntry.objects.filter(actor_id=desk.user.pk).exists()
