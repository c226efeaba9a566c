"""Rule 26: a pass keeps its name and token, its numbers grow, it names nobody, and no provider holds a till up."""

import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import time_machine
from django.test import Client
from django.utils import timezone

from core import tenancy
from loyalty.extensions import wallet_states
from loyalty.models import Card
from loyalty.queries import access
from loyalty.services import freezing, merges
from tests.fakes.iphone import Held
from tests.support.wallets import Phones
from wallets.models import GoogleClass, GooglePass

PERSON = {"name": "Marie Muller", "email": "marie.muller@example.com", "phone": "+352621777123"}


def live(phones: Phones, card: Card) -> Any:
    """Yield after each of the things that happen to a card."""
    world = phones.world
    yield world.stamp(card)
    yield world.sale(card, 4000)
    yield world.stamp(card, 2)
    yield world.redeem(card)
    yield freezing.freeze(merchant_id=world.merchant_id, card_id=card.pk, reason="lost", at=timezone.now())
    yield freezing.unfreeze(merchant_id=world.merchant_id, card_id=card.pk, reason="found", at=timezone.now())
    world.change(name="Coffee Club")
    yield world.stamp(card)
    yield merges.merge(
        merchant_id=world.merchant_id, card_id=card.pk, into_id=world.card().pk, reason="same", at=timezone.now(),
        channel="api",
    )  # fmt: skip


def everything_in(held: Held) -> str:
    """Return all texts of a pass at Apple."""
    files = {name: data.decode("utf-8", "replace") for name, data in held.files.items() if not name.endswith(".png")}
    return json.dumps(held.content, ensure_ascii=False) + json.dumps(files, ensure_ascii=False)


def test_serial_and_token_and_names_never_change(phones: Phones) -> None:
    card = phones.world.card(**PERSON)
    phones.work()
    phone, held = phones.iphone(card)
    name = phones.android(card)
    before = held.file.serial, held.file.token

    for _ in live(phones, card):
        phones.world.tick(hours=1)
        phones.work()
        assert (held.file.serial, held.file.token) == before
        with tenancy.scope(phones.world.merchant_id):
            assert GooglePass.objects.get(card_id=card.pk).object_id == name

    assert held.content["voided"] is True, "the merged card is over, and its pass says so under the same name"
    assert phones.at_google(name)["state"] == "EXPIRED"
    assert phone.log == []


def test_numbers_by_which_a_device_asks_strictly_grow(phones: Phones) -> None:
    card, other = phones.world.card(), phones.world.card()
    phones.work()
    phones.iphone(card)
    tags = [phones.apple_row(card).change_tag]

    for _ in live(phones, card):
        phones.world.tick(hours=1)
        phones.work()
        tags.append(phones.apple_row(card).change_tag)
    second, _held = phones.iphone(other)
    second.on_push()

    assert tags == sorted(set(tags)), tags
    assert int(next(iter(second.tags.values()))) > tags[-1], "a registration takes a number, too"


def test_no_pass_of_either_wallet_bears_an_address_a_number_or_a_database_id(phones: Phones) -> None:
    world = phones.world
    card = world.card(**PERSON)
    phones.work()
    _phone, held = phones.iphone(card)
    name = phones.android(card)
    world.stamp(card)
    phones.work()
    link = Client().get(urlsplit(phones.links(card)["google_url"] or "").path)["Location"]
    with tenancy.scope(world.merchant_id):
        above = GoogleClass.objects.get().class_id

    shown = {
        "apple": everything_in(held), "object": json.dumps(phones.at_google(name)), "link": link,
        "class": json.dumps(phones.google.shelf.get("loyaltyClass", above)), "asked": json.dumps(
            [call.body for call in phones.google.calls()] + [call.path for call in phones.google.calls()]
        ),
    }  # fmt: skip

    ids = (card.pk, card.customer_id, world.merchant_id, world.store.pk, world.program.pk)
    secret = access.secret_of(world.fresh(card))
    wanted = [text for one in ids for text in (str(one), one.hex)] + [
        secret,
        "marie.muller",
        "@example.com",
        "621777123",
    ]
    found = [(where, word) for where, text in shown.items() for word in wanted if word.lower() in text.lower()]
    assert found == []
    assert "621 777" not in shown["apple"] + shown["object"]


def test_the_qr_is_the_cards_random_code(phones: Phones) -> None:
    card = phones.world.card(**PERSON)
    phones.work()
    _phone, held = phones.iphone(card)
    name = phones.android(card)

    address = f"{phones.url}/c/{card.qr_code_data}"

    assert [code["message"] for code in held.content["barcodes"]] == [address] * len(held.content["barcodes"])
    assert phones.at_google(name)["barcode"]["value"] == address


def test_a_customer_hears_of_at_most_three_rewards_a_day_from_google(phones: Phones) -> None:
    card = phones.world.card()
    phones.work()
    name = phones.android(card)
    now = timezone.now()

    for number in range(5):
        with time_machine.travel(now + timedelta(minutes=number)):
            phones.world.tick(minutes=10)
            phones.world.stamp(card, 3)
            phones.work()

    told = [call for call in phones.google.calls("PATCH", "loyaltyObject") if "notifyPreference" in (call.body or {})]
    assert len(told) == 3
    assert [call.status for call in told] == [200] * 3
    with tenancy.scope(phones.world.merchant_id):
        row = GooglePass.objects.get(card_id=card.pk)
    assert row.accepted_version == row.requested_version, "what was not announced is there all the same"
    assert phones.at_google(name)["state"] == "ACTIVE"


def test_providers_that_are_away_hold_no_stamp_up_and_the_lag_is_seen(phones: Phones) -> None:
    card = phones.world.card()
    phones.work()
    phones.iphone(card)
    phones.android(card)
    phones.google.faults.away = True
    phones.apns.stop()

    began = time.monotonic()
    phones.world.stamp(card)
    taken = time.monotonic() - began
    phones.work()

    assert taken < 1
    with tenancy.scope(phones.world.merchant_id):
        state = wallet_states([card.pk])[card.pk]
    assert state["out_of_date_since"] is not None
