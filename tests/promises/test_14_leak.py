"""Promise 14: whoever has the whole database and not the pepper finds no PIN, and the pepper is nowhere but in memory.

The thief has every table. He tries all 10,000 PINs of four digits against each stored row: as they are, and mixed with
whatever the dump offers as a key. argon2id costs him next to nothing here (`cheap_hashes`), so that the whole space is
walked through; what stops him is the pepper, and the last test shows that the same walk finds every PIN with it.
"""

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from django.conf import settings
from django.db import connection

from core import tenancy
from stores.models import StaffPin
from stores.services import pin_hashing, staff
from tests.support.api import Caller
from tests.support.world import World

PINS = {"Anna": "4821", "Ben": "7359", "Carl": "9064"}
SPACE = [f"{number:04}" for number in range(10**4)]


@pytest.fixture
def world(real_db: Any, cheap_hashes: PasswordHasher) -> World:
    """A shop at work: right PINs and wrong ones were typed, by till and by key."""
    world = World.make(loyalty_type="hybrid", require_staff_pin=True)
    made = {name: staff.create(merchant_id=world.merchant_id, name=name, pin=pin, at=world.at).staff.pk
            for name, pin in PINS.items()}  # fmt: skip
    caller, card = Caller.of(world), world.card(name="Marie")
    for name, pin in PINS.items():
        assert caller.post("pins/verify", {"staff_id": str(made[name]), "staff_pin": pin}).status_code == 200
        assert caller.post("pins/verify", {"staff_pin": pin[::-1]}).status_code == 403
        answer = caller.post(
            "points", {"card_id": str(card.pk), "purchase_amount_cents": 500, "staff_pin": pin}, Idempotency_Key=name
        )
        assert answer.status_code == 201, answer.content
    return world


def tables(real_db: Any) -> Iterator[tuple[str, bytes]]:
    """Yield every table of the database as an administrator's dump writes it."""
    with psycopg.connect(real_db.superuser_url) as connected:
        names = connected.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (name,) in names:
            with connected.cursor().copy(f"COPY {name} TO STDOUT") as copy:
                yield name, b"".join(bytes(block) for block in copy)


def rows(world: World) -> list[StaffPin]:
    with tenancy.scope(world.merchant_id):
        return list(StaffPin.objects.all())


def forms_of(secret: str) -> list[bytes]:
    """Return a secret as it may stand somewhere: plain, encoded, or as its plain digest."""
    raw = secret.encode()
    return [
        raw, base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode(),
        hashlib.sha256(raw).hexdigest().encode(),
    ]  # fmt: skip


def keys_in_the_dump(row: StaffPin) -> list[bytes]:
    """Return what the thief has that could be a pepper."""
    found = [b"", row.pepper_id.encode(), row.merchant_id.bytes, str(row.merchant_id).encode(), row.pk.bytes]
    return [*found, row.name.encode(), b"loyalty", b"pin"]


def guesses(row: StaffPin, keys: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield (PIN, password to try) for the whole space: plain, salted with the dump's ids, and under each key."""
    for pin in SPACE:
        yield pin, pin.encode()
        yield pin, row.merchant_id.bytes + pin.encode()
        for key in keys:
            yield pin, hmac.digest(key, b"pin" + pin.encode(), "sha256")


def cracked(row: StaffPin, keys: list[bytes]) -> str:
    """Return the PIN of a row, "" when the walk through the space does not find it."""
    hasher = pin_hashing._hasher
    for pin, password in guesses(row, keys):
        try:
            hasher.verify(row.pin_hash, password)
        except VerifyMismatchError:
            continue
        return pin
    return ""


@pytest.mark.slow
def test_promise_14_the_whole_space_without_the_pepper_finds_nothing(world: World) -> None:
    assert [cracked(row, keys_in_the_dump(row)) for row in rows(world)] == ["", "", ""]


@pytest.mark.slow
def test_promise_14_the_same_walk_with_the_pepper_finds_them_all(world: World) -> None:
    """So that the test above is known to be able to fail; and what the pepper guards is worth guarding."""
    pepper = pin_hashing.peppers()[0]

    found = {row.name: cracked(row, [pepper.secret]) for row in rows(world)}

    assert found == PINS


def test_promise_14_the_bucket_tells_five_bits_only(world: World) -> None:
    """Even a pepper that leaks, too, leaves 1 PIN in 32 to be tried against argon2id at its full cost."""
    pepper, found = pin_hashing.peppers()[0], rows(world)
    for row in found:
        left = [pin for pin in SPACE if pin_hashing.bucket(pepper, world.merchant_id, pin) == row.pin_bucket]
        assert PINS[row.name] in left
        assert len(SPACE) / 64 < len(left) < len(SPACE) / 16


def test_promise_14_no_table_holds_the_pepper_or_a_pin(world: World, real_db: Any) -> None:
    """Nor do the answers kept under a key: a PIN is in no table, neither as it is nor as a plain digest."""
    wanted = [form for pepper in settings.LOYALTY_PIN_PEPPERS for form in forms_of(pepper)]
    digests = [form for pin in PINS.values() for form in forms_of(pin)[3:]]
    quoted = [mark.replace("PIN", pin).encode() for pin in PINS.values() for mark in ('"PIN"', "\tPIN\t", ": PIN,")]
    seen = {}

    for name, dump in tables(real_db):
        seen[name] = len(dump)
        assert [form for form in [*wanted, *digests, *quoted] if form in dump] == [], name

    assert seen["public.stores_staffpin"] > 300
    assert seen["public.core_idempotencyrecord"] > 300
    assert len(seen) > 30


@pytest.mark.slow
def test_promise_14_no_log_line_holds_the_pepper_or_a_pin(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Every logger at its most talkative, every statement with its values; refusals among the requests."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="django.db.backends")
    caller, card = Caller.of(world), world.card()
    connection.force_debug_cursor = True
    try:
        for pin in PINS.values():
            body = {"card_id": str(card.pk), "staff_pin": pin}
            for path in ("pins/verify", "stamp", "stamp/redeem", "preview"):
                caller.post(path, {"staff_pin": pin} if path == "pins/verify" else body)
            caller.post("stamp", {"card_id": "x", "staff_pin": pin, "nonsense": pin})
        staff.create(merchant_id=world.merchant_id, name="Dora", pin="608132", at=world.at)
    finally:
        connection.force_debug_cursor = False
    text = "\n".join(f"{record.getMessage()} {record.exc_text or ''} {record.__dict__}" for record in caplog.records)

    assert "stores_staffpin" in text, "the statements are there"
    peppers = settings.LOYALTY_PIN_PEPPERS
    assert [form for pepper in peppers for form in forms_of(pepper) if form.decode() in text] == []
    for pin in (*PINS.values(), "608132"):
        assert f"'{pin}'" not in text
        assert f'"{pin}"' not in text
        assert f" {pin} " not in text


def test_promise_14_the_pepper_stands_in_no_answer_and_no_session(world: World) -> None:
    made = rows(world)[0]
    answer = Caller.of(world).post("pins/verify", {"staff_id": str(made.pk), "staff_pin": PINS[made.name]})

    token = answer.json()["staff_session"]
    body = answer.content + base64.urlsafe_b64decode(token.split(":")[0].lstrip(".") + "===")
    for secret in (*settings.LOYALTY_PIN_PEPPERS, made.pin_hash):
        assert secret.encode() not in body
    assert PINS[made.name].encode() not in body.replace(token.encode(), b"")
