"""The store's program over HTTP."""

from typing import Any

import pytest

from core import tenancy
from loyalty.api.program_serializers import ProgramInputSerializer, RewardInputSerializer
from loyalty.models import Program, ProgramVersion
from loyalty.services import program_fields, rewards
from stores.models import Store
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
FIELDS = {
    "id", "name", "status", "version", "loyalty_type", "stamps_target", "stamps_reward_description", "full_card",
    "points_per_euro", "rounding", "welcome_bonus_points", "minimum_purchase_cents", "minimum_redemption_points",
    "points_expiration_days", "cooldown_minutes", "max_daily_stamps", "require_staff_pin", "void_window_minutes",
    "refund_shortfall", "card_color", "terms",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return World.make()


def second_store(world: World) -> Store:
    with tenancy.scope(world.merchant_id):
        return Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")


def stored(world: World) -> Program:
    with tenancy.scope(world.merchant_id):
        return Program.objects.get(pk=world.program.pk)


def test_it_works(world: World, django_assert_num_queries: Any) -> None:
    caller = Caller.of(world)
    caller.get("program")  # notes that the key was used

    with django_assert_num_queries(6):
        answer = caller.get("program")

    body = answer.json()
    assert answer.status_code == 200
    assert set(body) >= FIELDS
    assert (body["points_per_euro"], body["card_color"], body["version"]) == ("10", "#2F3BBF", 1)


def test_post_makes_a_program_for_the_store(world: World) -> None:
    store, caller = second_store(world), Caller.of(world)

    made = caller.post(
        "program", '{"name": "Points", "loyalty_type": "points", "points_per_euro": 0.1}', X_Store_Code=store.code
    )

    assert made.status_code == 201
    assert made.json()["points_per_euro"] == "1/10"
    assert made.json()["status"] == "draft"
    assert caller.get("program", X_Store_Code=store.code).json()["id"] == made.json()["id"]
    assert caller.get("program", X_Store_Code=world.store.code).json()["id"] == str(world.program.pk)
    again = caller.post("program", {"name": "Once more", "loyalty_type": "stamps"}, X_Store_Code=store.code)
    assert_problem(again, 409, "program_exists")


def test_post_twice_with_one_key_makes_one_program(world: World) -> None:
    store, caller = second_store(world), Caller.of(world)
    body = {"name": "Points", "loyalty_type": "points", "points_per_euro": 0.1}

    first = caller.post("program", body, X_Store_Code=store.code, Idempotency_Key="k1")
    second = caller.post("program", body, X_Store_Code=store.code, Idempotency_Key="k1")
    other = caller.post("program", {**body, "name": "Other"}, X_Store_Code=store.code, Idempotency_Key="k1")
    elsewhere = caller.post("program", body, X_Store_Code=world.store.code, Idempotency_Key="k1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Idempotent-Replay"] == "true"
    assert_problem(other, 422, "idempotency_key_reused")
    assert_problem(elsewhere, 422, "idempotency_key_reused")
    with tenancy.scope(world.merchant_id):
        assert Program.objects.count() == 2


def test_patch_says_to_whom_each_change_applies(world: World) -> None:
    answer = Caller.of(world).patch("program", {"stamps_target": 8, "max_daily_stamps": 3, "points_per_euro": "1/50"})

    assert answer.status_code == 200
    assert answer.json()["version"] == 2
    assert answer.json()["effects"] == [
        {"field": "stamps_target", "old": 10, "new": 8, "applies_to": "new_cycles"},
        {"field": "points_per_euro", "old": "10", "new": "1/50", "applies_to": "new_sales"},
        {"field": "max_daily_stamps", "old": 0, "new": 3, "applies_to": "now"},
    ]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("10", "10"), ("0.1", "1/10"), ('"0.1"', "1/10"), ('"1/50"', "1/50"), ("0.10", "1/10"), ('"2/4"', "1/2"),
        ("2e-2", "1/50"),
    ],
)  # fmt: skip
def test_points_per_euro_is_read_as_its_decimal_text(world: World, sent: str, shown: str) -> None:
    answer = Caller.of(world).patch("program", f'{{"points_per_euro": {sent}}}')

    assert answer.json()["points_per_euro"] == shown


def test_status_follows_the_life_of_a_program(world: World) -> None:
    caller = Caller.of(world)

    refused = assert_problem(caller.patch("program", {"status": "ended"}), 409, "status_change_refused")
    assert (refused["from_status"], refused["to_status"]) == ("active", "ended")
    for status in ("paused", "active", "paused", "ended"):
        assert caller.patch("program", {"status": status}).json()["status"] == status
    assert_problem(caller.patch("program", {"status": "active"}), 409, "status_change_refused")


BODIES: list[tuple[Any, tuple[str, ...]]] = [
    ({"stamps_target": 0}, ("stamps_target",)),
    ({"stamps_target": True}, ("stamps_target",)),
    ({"stamps_target": None}, ("stamps_target",)),
    ({"points_per_euro": -1}, ("points_per_euro",)),
    ('{"points_per_euro": 1e400}', ("non_field_errors",)),
    ('{"points_per_euro": NaN}', ("non_field_errors",)),
    ({"foo": 1, "name": ""}, ("foo", "name")),
    ({"name": "a\0"}, ("name",)),
    ("[]", ("non_field_errors",)),
    ('"text"', ("non_field_errors",)),
    ("{", ("non_field_errors",)),
    ("null", ("non_field_errors",)),
    (b"\xff\xfe", ("non_field_errors",)),
    ("[" * 100_000, ("non_field_errors",)),
    ('{"stamps_target": 1, "stamps_target": 2}', ("non_field_errors",)),
]


@pytest.mark.parametrize(("body", "fields"), BODIES)
def test_bad_bodies_name_the_field_and_change_nothing(world: World, body: Any, fields: tuple[str, ...]) -> None:
    caller, store = Caller.of(world), second_store(world)

    assert_problem(caller.patch("program", body, X_Store_Code=world.store.code), 400, "validation_error", *fields)
    made = caller.post("program", body, X_Store_Code=store.code)
    assert made.status_code == 400
    assert set(fields) <= {problem["field"] for problem in made.json()["errors"]}

    assert stored(world).version == 1
    with tenancy.scope(world.merchant_id):
        assert Program.objects.count() == 1


def test_too_large_and_wrongly_typed_bodies_are_refused(world: World) -> None:
    caller = Caller.of(world)

    assert_problem(caller.patch("program", '{"name": "' + "x" * 1_000_001 + '"}'), 413, "request_too_large")
    answer = caller.client.patch(
        "/api/v1/store/loyalty/program", "name=x", content_type="text/plain", headers=caller.headers
    )
    assert_problem(answer, 415, "unsupported_media_type")
    assert stored(world).name == "CoffeeLux"


def test_errors_speak_the_callers_language(world: World) -> None:
    caller = Caller.of(world)

    answer = caller.patch("program", {"name": ""}, Accept_Language="fr")

    assert answer["Content-Language"] == "fr"
    assert_problem(answer, 400, "validation_error", "name")


@pytest.mark.parametrize(
    ("method", "path"), [("post", "program"), ("patch", "program"), ("post", "rewards"), ("delete", "program")]
)
def test_without_manage_nothing_is_changed(world: World, method: str, path: str) -> None:
    callers = [Caller.with_scopes(world, ["read", "earn", "redeem"]), Caller.person(world, "staff")]

    for caller in callers:
        answer = caller.send(method, path, {"name": "Mine", "points_cost": 1, "nonsense": True})
        expected = 405 if method == "delete" else 403
        assert answer.status_code in (403, expected)

    assert stored(world).name == "CoffeeLux"


def test_managers_and_owners_may_change_it(world: World) -> None:
    for role in ("manager", "owner"):
        assert Caller.person(world, role).patch("program", {"name": role}).status_code == 200

    with tenancy.scope(world.merchant_id):
        latest = ProgramVersion.objects.latest("number")
        assert latest.created_by is not None
        assert latest.created_by.email.startswith("owner@")


def test_a_key_without_read_sees_nothing(world: World) -> None:
    assert_problem(Caller.with_scopes(world, ["earn"]).get("program"), 403, "permission_denied")


def test_nobody_is_let_in_without_a_proof(world: World) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        for method in ("get", "post", "patch"):
            assert_problem(Caller(headers).send(method, "program"), 401, "not_authenticated")


def test_another_tenant_is_not_found_and_unchanged(world: World) -> None:
    other = World.make()

    for method in ("get", "post", "patch"):
        answer = Caller.of(world).send(method, "program", {"name": "Mine"}, X_Store_Code=other.store.code)
        assert_problem(answer, 404, "not_found")

    assert stored(other).name == "CoffeeLux"


def test_which_store_is_meant_must_be_clear(world: World) -> None:
    store, caller = second_store(world), Caller.of(world)

    assert_problem(caller.get("program"), 400, "store_required")
    assert_problem(caller.get("program", X_Store_Code="unknown"), 404, "not_found")
    bound = Caller.with_scopes(world, ["read"], store=store)
    assert bound.get("program").status_code == 200
    assert_problem(bound.get("program", X_Store_Code=world.store.code), 403, "permission_denied")


def test_the_document_describes_what_the_services_take() -> None:
    assert set(ProgramInputSerializer().fields) == set(program_fields.FIELDS)
    assert set(RewardInputSerializer().fields) == set(rewards.FIELDS)
    nullable = {name for name, field in ProgramInputSerializer().fields.items() if field.allow_null}
    assert nullable == set(program_fields.NULLABLE)
