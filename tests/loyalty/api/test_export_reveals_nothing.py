"""Rule 3 in the self-service export: whose address was only typed learns nothing of who is known by it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from tests.support.shop import Phone, Shop, click, done
from tests.support.world import NOON

MARIE, NADIA = "marie@example.com", "nadia@example.com"
PAUL, PIET = "paul@example.com", "piet@example.com"
Get = Callable[[Phone, Shop], bytes]


@pytest.fixture
def cafe(db: None, settings: Any) -> Iterator[Shop]:
    """Yield a shop that knows Marie; its clock stands still."""
    settings.LOYALTY_THROTTLE_SCALE = 1000
    with time_machine.travel(NOON, tick=False) as clock:
        shop = Shop.open(clock)
        shop.proven(MARIE, name="Marie Klein", phone="621 123 456")
        yield shop


def file(phone: Phone, _shop: Shop) -> bytes:
    answer = phone.ask("get", "export")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def page(phone: Phone, shop: Shop) -> bytes:
    return phone.page(f"/loyalty/{shop.code}/privacy/export").encode()


def told(phone: Phone, shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file(phone, shop))
    return found


def shape(value: Any) -> Any:
    """Fields and the lengths of their texts."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return len(value) if isinstance(value, str) else value


@pytest.mark.parametrize("get", [file, page])
@pytest.mark.parametrize("later", [False, True])
def test_who_joins_with_a_strangers_address_sees_what_anybody_sees(cafe: Shop, get: Get, later: bool) -> None:
    known, unknown = cafe.joins(email=MARIE), cafe.joins(email=NADIA)
    assert_same(cafe, get, (known, MARIE), (unknown, NADIA))
    if later:
        for phone in (known, unknown):
            done(phone.ask("patch", "profile", {"name": "Anna"}), 200)
    cafe.mails()

    assert_same(cafe, get, (known, MARIE), (unknown, NADIA))


@pytest.mark.parametrize("get", [file, page])
@pytest.mark.parametrize("own", [False, True])
def test_who_types_a_strangers_address_later_sees_it_neither(cafe: Shop, get: Get, own: bool) -> None:
    """own: they proved an address of their own before, and the stranger's one waits beside it."""
    phones = [cafe.proven(email) if own else cafe.joins() for email in (PAUL, PIET)]
    for phone, email in zip(phones, (MARIE, NADIA), strict=True):
        done(phone.ask("patch", "profile", {"email": email}), 200)

    known, unknown = zip(phones, (MARIE, NADIA), strict=True)
    assert_same(cafe, get, known, unknown)
    cafe.mails()
    assert_same(cafe, get, known, unknown)


def test_a_strangers_number_does_not_tell_the_address_behind_it(cafe: Shop) -> None:
    known, unknown = cafe.joins(phone="621 123 456"), cafe.joins(phone="621 999 999")
    cafe.mails()

    assert MARIE.encode() not in file(known, cafe) + page(known, cafe)
    assert shape(told(known, cafe)) == shape(told(unknown, cafe))


def test_nothing_is_listed_that_went_to_an_address_nobody_proved(cafe: Shop) -> None:
    new = cafe.joins(email=NADIA)
    [letter] = cafe.mails()
    assert (told(new, cafe)["mails"], told(new, cafe)["links"]) == ([], [])

    click(letter)
    cafe.later(hours=1)
    cafe.recovers(email=NADIA)
    cafe.mails()

    found = told(new, cafe)
    assert [mail["kind"] for mail in found["mails"]] == ["recover"]
    assert [(link["purpose"], link["address"]) for link in found["links"]] == [("confirm", NADIA), ("recover", NADIA)]
    assert "The way back to the card" in page(new, cafe).decode()


def test_the_owner_sees_the_mails_that_strangers_caused(cafe: Shop) -> None:
    owner = cafe.proven(NADIA)
    cafe.later(hours=1)
    cafe.joins(email=NADIA)
    [letter] = cafe.mails()
    assert letter.to == [NADIA]

    assert [mail["kind"] for mail in told(owner, cafe)["mails"]] == ["known"]


def assert_same(cafe: Shop, get: Get, one: tuple[Phone, str], other: tuple[Phone, str]) -> None:
    first, second = (get(phone, cafe) for phone, _email in (one, other))
    assert len(first) == len(second)
    assert [plain(body, *whose) for body, whose in ((first, one), (second, other))] == [plain(second, *other)] * 2


def plain(body: bytes, phone: Phone, email: str) -> str:
    """A document without what differs between any two cards: the addresses they typed, ids, numbers, random words."""
    text = body.decode()
    for own in (email, PAUL, PIET, phone.card["card_number"], phone.card["qr_code_data"]):
        text = text.replace(own, "OWN")
    text = re.sub(r"(\d{4}\s?){3}", "NUMBER", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[\w-]{32,}", "RANDOM", text)
