"""Staff give on the customer's own phone, as JSON and as a page (rules 18, 21, 22; promise 13)."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from loyalty import card_cookie
from loyalty.models import Card, RefusedAttempt
from loyalty.queries import access, verification
from merchants.models import MerchantSettings
from stores.models import PinGuard, StaffPin, Store
from tests.support.api import assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
PIN = "482193"
EN = {"Accept-Language": "en"}


@pytest.fixture
def world() -> World:
    return opened(World.make(at=timezone.now(), loyalty_type="hybrid", points_per_euro="10"))


def opened(world: World) -> World:
    """Switch the flow on and let Anna work."""
    with tenancy.scope(world.merchant_id):
        Store.objects.filter(pk=world.store.pk).update(own_device_enabled=True)
    world.staff(pin=PIN)
    return world


def allow(world: World, **settings: Any) -> None:
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(**settings)


def secret(world: World, card: Card) -> str:
    with tenancy.scope(world.merchant_id):
        return access.secret_of(Card.objects.get(pk=card.pk))


def phone(world: World, card: Card, **options: Any) -> Client:
    """A browser that keeps the card."""
    response, browser = HttpResponse(), Client(headers=EN, **options)
    card_cookie.write(HttpRequest(), response, card.program_id, secret(world, card))
    browser.cookies.update(response.cookies)
    browser.cookies["django_language"] = "en"
    return browser


def post(world: World, card: Card, path: str = "stamp", *, pin: Any = PIN, ip: str = "10.0.0.1", **more: Any) -> Any:
    """POST JSON with the card's secret, or that of `who`; a name in capitals is a header."""
    headers = {"Authorization": f"Card {more.pop('who', None) or secret(world, card)}"}
    headers |= {name.replace("_", "-"): more.pop(name) for name in list(more) if name[0].isupper()}
    address = f"/{path}/{more.pop('code', world.store.code)}"
    body = {"pass_id": str(card.pk), "staff_pin": pin, **more}
    return Client(REMOTE_ADDR=ip).post(address, body, content_type="application/json", headers=headers)


def guards(world: World) -> dict[str, int]:
    with tenancy.scope(world.merchant_id):
        return {row.subject_kind: row.failed_attempts for row in PinGuard.objects.exclude(subject_kind="day")}


def strikes(world: World) -> list[int]:
    with tenancy.scope(world.merchant_id):
        return list(StaffPin.objects.values_list("failed_attempts", flat=True))


def test_it_works(world: World) -> None:
    card = world.card()

    stamp = post(world, card)
    sale = post(world, card, "points", amount="12.50")

    assert (stamp.status_code, stamp.json()["stamp_count"]) == (201, 1)
    assert (sale.status_code, sale.json()["points_earned"], sale.json()["stamp"]["given"]) == (201, 125, True)
    row = world.rows(card)[1]
    assert (row.channel, row.staff_pin_id is not None, row.terminal_id, row.user_id) == ("storefront", True, None, None)
    assert row.store_id == world.store.pk
    world.assert_adds_up(card)
    assert verification.verify().differences == ()


@pytest.mark.parametrize(("amount", "cents"), [("12,5", 1250), ("3", 300), (7, 700), (0.29, 29), (".5", 50)])
def test_an_amount_is_a_number_or_a_text_read_exactly(world: World, amount: Any, cents: int) -> None:
    assert post(world, world.card(), "points", amount=amount).json()["purchase_amount_cents"] == cents


BAD = [
    ("stamp", {"pass_id": "x"}, "pass_id"), ("stamp", {"pass_id": 12}, "pass_id"),
    ("stamp", {"pass_id": None}, "pass_id"),
    ("stamp", {"staff_pin": 482193}, "staff_pin"), ("stamp", {"staff_pin": ""}, "staff_pin"),
    ("stamp", {"staff_pin": None}, "staff_pin"), ("stamp", {"staff_pin": "1" * 17}, "staff_pin"),
    ("stamp", {"staff_pin": "12\x003"}, "staff_pin"), ("stamp", {"confirm": "yes"}, "confirm"),
    ("stamp", {"quantity": 3}, "quantity"), ("stamp", {"amount": "5"}, "amount"),
    ("stamp", {"staff_id": str(uuid7())}, "staff_id"),
    *[("points", {"amount": bad}, "amount") for bad in (
        None, "", "x", "1.234", 1.234, "-5", -5, 0, "0", "1e3", True, [], {}, "1000000.01", 10**9, "٣", "NaN",
    )],
]  # fmt: skip


@pytest.mark.parametrize(("path", "change", "field"), BAD)
def test_bad_input_is_400_and_tries_no_pin(world: World, path: str, change: dict[str, Any], field: str) -> None:
    card = world.card()
    body = {"pass_id": str(card.pk), "staff_pin": "111222", **({"amount": "5"} if path == "points" else {}), **change}

    answer = Client().post(
        f"/{path}/{world.store.code}", body, content_type="application/json",
        headers={"Authorization": f"Card {secret(world, card)}"},
    )  # fmt: skip

    assert_problem(answer, 400, "validation_error", field)
    assert guards(world) == {}


def test_yen_have_no_digits_behind_the_point(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        type(world.program).objects.update(currency="JPY")

    assert_problem(post(world, world.card(), "points", amount="5.5"), 400, "validation_error", "amount")
    assert post(world, world.card(), "points", amount="500").json()["purchase_amount_cents"] == 500


def test_the_card_is_proved_and_is_the_one_named(world: World) -> None:
    card, neighbour, elsewhere = world.card(), world.card(), opened(World.make(at=world.at))
    foreign = elsewhere.card()

    nobody = Client().post(
        f"/stamp/{world.store.code}", {"pass_id": str(card.pk), "staff_pin": PIN}, "application/json"
    )

    assert_problem(nobody, 401, "not_authenticated")
    assert_problem(post(world, card, who="nonsense"), 401, "not_authenticated")
    assert_problem(post(world, card, who=secret(world, neighbour)), 404, "not_found")
    assert_problem(post(world, card, who=secret(elsewhere, foreign)), 404, "not_found")
    assert_problem(post(world, card, code=elsewhere.store.code), 404, "not_found")
    assert_problem(post(world, card, code="no-such-store"), 404, "not_found")
    assert world.fresh(card).seq == world.fresh(neighbour).seq == elsewhere.fresh(foreign).seq == 1
    assert guards(world) == guards(elsewhere) == {}


def test_a_cookie_needs_the_csrf_token(world: World) -> None:
    card = world.card()
    browser = phone(world, card, enforce_csrf_checks=True)
    body = {"pass_id": str(card.pk), "staff_pin": PIN}

    refused = browser.post(f"/stamp/{world.store.code}", body, content_type="application/json")
    token = re.search(
        r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(f"/stamp/{world.store.code}").content.decode()
    )
    assert token
    given = browser.post(
        f"/stamp/{world.store.code}", body, content_type="application/json", headers={"X-CSRFToken": token[1]}
    )

    assert_problem(refused, 403, "permission_denied")
    assert given.status_code == 201
    assert browser.post(f"/stamp/{world.store.code}", {"staff_pin": PIN}).status_code == 403


def test_off_is_409_and_tries_no_pin(world: World) -> None:
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(own_device_enabled=False)

    assert_problem(post(world, card), 409, "own_device_off")
    assert_problem(post(world, card, "points", amount="5", pin="111222"), 409, "own_device_off")
    assert guards(world) == {}


@pytest.mark.parametrize("path", ["stamp", "points"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_method_that_is_not_there_is_405(world: World, method: str, path: str) -> None:
    card, address = world.card(), f"/{path}/{world.store.code}"
    browser = phone(world, card, enforce_csrf_checks=True)

    page = getattr(browser, method)(address)
    answers = [
        getattr(browser, method)(address, "{}", content_type="application/json"),
        getattr(browser, method)(address, headers={"Accept": "application/json"}),
        getattr(Client(), method)(
            address, "{}", content_type="application/json", headers={"Authorization": "Card nonsense"}
        ),
    ]

    for answer in answers:
        assert_problem(answer, 405, "method_not_allowed")
    assert page.status_code == 405
    assert not page["Content-Type"].startswith("application/")
    for answer in (page, *answers):
        assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert world.fresh(card).seq == 1


@pytest.mark.parametrize("policy", ["disabled", "optional", "required"])
def test_rule_21_a_pin_is_asked_for_whatever_the_policy(world: World, policy: str) -> None:
    allow(world, staff_pin_policy=policy)
    card = world.card()

    assert_problem(post(world, card, pin="111222"), 403, "staff_pin_invalid")
    assert world.fresh(card).stamp_count == 0
    assert post(world, card).status_code == 201


def test_promise_13_wrong_pins_count_on_card_and_address_never_on_staff(world: World) -> None:
    card = world.card()

    answers = [post(world, card, pin=f"11122{number}") for number in range(7)]

    assert [answer.status_code for answer in answers] == [403] * 5 + [423] * 2
    assert [answer.json().get("attempts_remaining") for answer in answers[:5]] == [4, 3, 2, 1, 0]
    assert int(answers[5]["Retry-After"]) > 0
    assert strikes(world) == [0]
    assert_problem(post(world, card), 423, "staff_pin_locked")
    assert world.fresh(card).stamp_count == 0
    till = world.terminal()
    assert world.stamp(card, who=till)["stamp_count"] == 1, "the shop itself goes on"
    assert post(world, world.card()).status_code == 201, "another card, the same address: under the address's limit"


def test_promise_13_an_address_that_tries_many_cards_is_locked(world: World) -> None:
    answers = [post(world, world.card(), pin=f"1112{number:02}") for number in range(22)]

    assert [answer.status_code for answer in answers] == [403] * 20 + [423] * 2
    fresh = world.card()
    assert_problem(post(world, fresh), 423, "staff_pin_locked")
    assert post(world, fresh, ip="10.9.9.9").status_code == 201
    assert strikes(world) == [0]
    with tenancy.scope(world.merchant_id):
        assert "10.0.0.1" not in str(list(PinGuard.objects.values()))


def test_rule_18_the_same_twice_is_asked_once(world: World) -> None:
    card = world.card()
    assert post(world, card).status_code == 201

    again = post(world, card)

    assert_problem(again, 409, "duplicate_suspected")
    assert post(world, card, confirm=True).json()["stamp_count"] == 2


def test_rule_18_one_key_one_effect(world: World) -> None:
    card = world.card()
    first = post(world, card, Idempotency_Key="p-1")

    second = post(world, card, Idempotency_Key="p-1", pin="111222")

    assert (second.status_code, second.json(), second["Idempotent-Replay"]) == (201, first.json(), "true")
    assert_problem(post(world, card, "points", amount="5", Idempotency_Key="p-1"), 422, "idempotency_key_reused")
    assert world.fresh(card).stamp_count == 1


def test_the_rules_of_the_till_hold_here_too(world: World) -> None:
    world.change(cooldown_minutes=15)
    card, frozen = world.card(), world.card()
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=frozen.pk).update(status="frozen")
    post(world, card)

    assert_problem(post(world, card, confirm=True), 409, "cooldown_active")
    assert_problem(post(world, frozen), 409, "card_not_active")
    with tenancy.scope(world.merchant_id):
        kept = {(row.code, row.caller_kind) for row in RefusedAttempt.objects.all()}
    assert kept == {("cooldown_active", "card"), ("card_not_active", "card")}


def test_a_program_without_points_says_so(world: World) -> None:
    stamps = opened(World.make(at=world.at))

    assert_problem(post(stamps, stamps.card(), "points", amount="5"), 409, "wrong_program_type")


def test_a_secret_opens_nothing_of_the_store_api(world: World) -> None:
    card = world.card()
    answer = Client().post(
        "/api/v1/store/loyalty/stamp", {"card_id": str(card.pk), "staff_pin": PIN}, content_type="application/json",
        headers={"Authorization": f"Card {secret(world, card)}"},
    )  # fmt: skip

    assert_problem(answer, 401, "not_authenticated")


# The page


def form(browser: Client, address: str) -> dict[str, str]:
    html = browser.get(address).content.decode()
    return dict(re.findall(r'<input type="hidden" name="(pass_id|form_key)" value="([^"]+)"', html))


def test_the_page_works_without_a_script(world: World) -> None:
    card = world.card()
    browser, address = phone(world, card), f"/stamp/{world.store.code}"
    typed = form(browser, address)

    done = browser.post(address, {**typed, "staff_pin": PIN})
    tapped_twice = browser.post(address, {**typed, "staff_pin": PIN})

    assert (done.status_code, tapped_twice.status_code) == (303, 303)
    assert done["Location"] == tapped_twice["Location"]
    html = browser.get(done["Location"]).content.decode()
    assert "Stamp given" in html
    assert "1 / 10" in html
    assert world.assert_adds_up(card).stamp_count == 1


def test_the_points_page_takes_an_amount(world: World) -> None:
    card = world.card()
    browser, address = phone(world, card), f"/points/{world.store.code}"

    bad = browser.post(address, {**form(browser, address), "staff_pin": "111222", "amount": "12.345"})
    done = browser.post(address, {**form(browser, address), "staff_pin": PIN, "amount": "12,50"})

    assert bad.status_code == 400
    assert "Write an amount such as 12.50." in bad.content.decode()
    assert guards(world) == {}
    assert "125 points given" in browser.get(done["Location"]).content.decode()
    assert (world.fresh(card).points_balance, world.fresh(card).stamp_count) == (125, 1)


def test_the_page_says_kindly_what_was_wrong(world: World) -> None:
    card = world.card()
    browser, address = phone(world, card), f"/stamp/{world.store.code}"

    wrong = browser.post(address, {**form(browser, address), "staff_pin": "111222"})
    assert wrong.status_code == 403
    assert "Wrong PIN. 4 tries left." in wrong.content.decode()
    assert "111222" not in wrong.content.decode()
    browser.post(address, {**form(browser, address), "staff_pin": PIN})
    again = browser.post(address, {**form(browser, address), "staff_pin": PIN})
    html = again.content.decode()
    assert again.status_code == 409
    assert "Once more?" in html
    assert 'name="confirm"' in html
    assert browser.post(address, {**form(browser, address), "staff_pin": PIN, "confirm": "on"}).status_code == 303
    assert world.fresh(card).stamp_count == 2


def test_the_page_without_a_card_leads_to_one(world: World) -> None:
    for path in ("stamp", "points"):
        answer = Client(headers=EN).get(f"/{path}/{world.store.code}")
        assert answer.status_code == 200
        assert f"/loyalty/{world.store.code}/enroll" in answer.content.decode()
    assert Client().post(f"/stamp/{world.store.code}", {"staff_pin": PIN}).status_code in (200, 400)
    assert Client().get("/stamp/no-such-store").status_code == 404


def test_the_page_of_a_store_that_does_not_want_it_says_so(world: World) -> None:
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(own_device_enabled=False)
    browser, address = phone(world, card), f"/stamp/{world.store.code}"

    answer = browser.get(address)

    assert answer.status_code == 200
    assert "given at the till here" in answer.content.decode()
    assert "staff_pin" not in answer.content.decode()
    browser.post(address, {"pass_id": str(card.pk), "staff_pin": PIN})
    assert world.fresh(card).stamp_count == 0


def test_the_page_leads_to_the_right_one(world: World) -> None:
    stamps = opened(World.make(at=world.at))
    browser = phone(stamps, stamps.card())

    html = browser.get(f"/points/{stamps.store.code}").content.decode()

    assert f'href="/stamp/{stamps.store.code}"' in html
    assert "staff_pin" not in html


def test_the_card_page_offers_it_only_while_something_may_be_given(world: World) -> None:
    card = world.card()
    browser, door = phone(world, card), f'href="/stamp/{world.store.code}"'

    def offered() -> bool:
        return door in browser.get(f"/loyalty/{world.store.code}/dashboard").content.decode()

    assert offered()
    for status, seen in (("frozen", False), ("active", True)):
        with tenancy.scope(world.merchant_id):
            Card.objects.filter(pk=card.pk).update(status=status)
        assert offered() is seen
    world.change(status="paused")
    assert not offered()


def test_a_form_of_another_card_is_404_and_nothing_changes(world: World) -> None:
    card, neighbour = world.card(), world.card()
    browser, address = phone(world, card), f"/stamp/{world.store.code}"

    answer = browser.post(address, {**form(browser, address), "pass_id": str(neighbour.pk), "staff_pin": PIN})

    assert answer.status_code == 404
    assert world.fresh(card).seq == world.fresh(neighbour).seq == 1


@pytest.mark.parametrize(
    "typed", [{}, {"staff_pin": ""}, {"staff_pin": "x" * 500}, {"staff_pin": "\x00"},
              {"staff_pin": PIN, "pass_id": "x"},
              {"staff_pin": PIN, "pass_id": ""}, {"staff_pin": PIN, "form_key": "x" * 99}],
)  # fmt: skip
def test_a_bad_form_is_400_and_nothing_changes(world: World, typed: dict[str, str]) -> None:
    card = world.card()
    browser, address = phone(world, card), f"/stamp/{world.store.code}"

    answer = browser.post(address, {"pass_id": str(card.pk), **typed})

    assert answer.status_code == 400
    assert world.fresh(card).seq == 1


def test_given_shows_only_rows_of_the_own_card(world: World) -> None:
    card, neighbour = world.card(), world.card()
    mine, theirs = world.stamp(card), world.stamp(neighbour)
    browser, address = phone(world, card), f"/stamp/{world.store.code}"

    assert "Stamp given" in browser.get(f"{address}?given={mine['transaction_id']}").content.decode()
    for other in (theirs["transaction_id"], "x", str(UUID(int=0))):
        assert "Stamp given" not in browser.get(f"{address}?given={other}").content.decode()


def test_the_card_page_leads_here_only_where_the_store_wants_it(world: World) -> None:
    card = world.card()
    browser, address = phone(world, card), f"/stamp/{world.store.code}"
    own_page = f"/loyalty/{world.store.code}/dashboard"

    assert address in browser.get(own_page).content.decode()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(own_device_enabled=False)
    assert address not in browser.get(own_page).content.decode()
