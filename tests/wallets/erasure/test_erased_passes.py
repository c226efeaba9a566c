"""Erasing a person reaches their passes (rule 24, pitfall 48): void at once, then nobody's, and no name anywhere."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import tenancy
from loyalty.models import Card
from loyalty.services import erasure as persons
from tests.fakes.iphone import RefusedByPhone
from tests.support.wallets import Phones
from wallets import tasks
from wallets.models import AppleDevice, AppleDeviceRegistration, DeviceLog, GooglePass
from wallets.services import erasure, google_results

NAME = "Xqcanary Klein"
PERSON = {"name": NAME, "email": "xqcanary@example.com", "phone": "+352621777123"}
TABLES = (
    "wallets_applepass", "wallets_appledevice", "wallets_appledeviceregistration", "wallets_googlepass",
    "wallets_googleclass", "wallets_googlecallback", "wallets_passupdate", "wallets_devicelog",
)  # fmt: skip
DAYS = timedelta(days=1)


def traces(phones: Phones, card: Card, *words: str) -> set[str]:
    """Return the wallets' tables in which the person or the card's number or code is to be found."""
    found = set()
    wanted = ["xqcanary", "777123", *words]
    with tenancy.scope(phones.world.merchant_id), connection.cursor() as cursor:
        for table in TABLES:
            likes = " OR ".join(["t::text ILIKE %s"] * len(wanted))
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE {likes}", [f"%{word}%" for word in wanted])
            if (cursor.fetchone() or [0])[0]:
                found.add(table)
    return found


def erase(phones: Phones, card: Card) -> None:
    persons.erase_holder(merchant_id=phones.world.merchant_id, card_id=card.pk, at=timezone.now())


def kept(phones: Phones) -> tuple[Card, Any, Any, str]:
    """Return a card that is on an iPhone and at Google, both up to date, with a stamp."""
    card = phones.world.card(**PERSON)
    phones.work()
    phone, held = phones.iphone(card)
    name = phones.android(card)
    phones.world.stamp(card)
    phones.work()
    assert held.values["stamps"] == "1/10"
    assert phones.at_google(name)["accountName"] == NAME
    return card, phone, held, name


def test_no_table_of_the_wallets_names_the_person_any_more_at_once(phones: Phones) -> None:
    card, phone, _held, _name = kept(phones)
    with tenancy.scope(phones.world.merchant_id):
        GooglePass.objects.update(accepted_version=1)
    phone.report(f"Xqcanary says: pass {phones.apple_row(card).serial}", next(iter(phone.passes.values())))
    DeviceLog.objects.update(serial=phones.apple_row(card).serial)
    codes = (card.card_number, card.qr_code_data)
    assert traces(phones, card, *codes) >= {"wallets_googlepass", "wallets_devicelog"}

    erase(phones, card)

    assert traces(phones, card, *codes) == set()


def test_the_pass_is_void_names_nobody_and_goes_on_answering_for_30_days(phones: Phones) -> None:
    card, phone, held, _name = kept(phones)
    serial, token = held.file.serial, held.file.token

    erase(phones, card)
    phones.work()

    shown = json.dumps(held.content) + "".join(str(held.file.words(code)) for code in ("en", "fr", "de", "lb"))
    assert held.content["voided"] is True
    for word in ("Xqcanary", "777123", card.card_number, card.qr_code_data):
        assert word not in shown
    assert "barcodes" not in held.content
    assert (held.file.serial, held.file.token) == (serial, token)
    assert "webServiceURL" in held.content, "pitfall 31: without it it could never be mended"
    with time_machine.travel(timezone.now() + 30 * DAYS - timedelta(minutes=5)):
        assert phone.refresh(serial) in (200, 304)


def test_after_30_days_the_token_opens_nothing_and_no_device_is_left(phones: Phones) -> None:
    card, phone, held, _name = kept(phones)
    other = phones.world.card(name="Paul")
    phones.work()
    phones.iphone(other, "device-0")
    phones.iphone(card, "device-second")
    erase(phones, card)
    phones.work()
    over = timezone.now() + 30 * DAYS + timedelta(minutes=1)

    assert erasure.retire(at=over - 2 * timedelta(minutes=2)) == 0
    with time_machine.travel(over):
        assert phone.refresh(held.file.serial) == 401
        assert phone.register(held.file.serial) == 401
        tasks.retire()

    with tenancy.scope(phones.world.merchant_id):
        left = AppleDeviceRegistration.objects.values_list("apple_pass__card_id", flat=True)
        assert set(left) == {other.pk}
    assert set(AppleDevice.objects.values_list("device_library_id", flat=True)) == {"device-0"}
    assert erasure.retire(at=over) == 0


def test_the_download_is_gone_at_once(phones: Phones) -> None:
    card, phone, _held, _name = kept(phones)
    links = phones.links(card)

    erase(phones, card)

    with pytest.raises(RefusedByPhone, match="404"):
        phone.add(links["apple_url"] or "")
    assert Client().get((links["google_url"] or "").removeprefix(phones.url)).status_code == 404
    assert phones.links(card) == {"google_url": None, "apple_url": None}


def test_googles_object_is_expired_without_person_and_code_though_we_know_nothing_of_it(phones: Phones) -> None:
    card, _phone, _held, name = kept(phones)

    erase(phones, card)
    phones.work()

    there = phones.at_google(name)
    assert there["state"] == "EXPIRED"
    assert {"accountName", "accountId", "barcode"} & set(there) == set()
    for word in ("Xqcanary", card.card_number, card.qr_code_data):
        assert word not in json.dumps(there)
    assert traces(phones, card) == set()


def test_what_google_accepts_while_the_person_is_erased_is_not_written_down(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update with the name is on its way; its answer comes when everything was scrubbed already."""
    card, _phone, _held, name = kept(phones)
    phones.world.stamp(card)
    write = google_results.write

    def erased_meanwhile(done: Any, *, at: Any) -> None:
        erase(phones, card)
        write(done, at=at)

    with monkeypatch.context() as patched:
        patched.setattr(google_results, "write", erased_meanwhile)
        phones.work()
    assert traces(phones, card) == set()
    phones.work()

    assert phones.at_google(name)["state"] == "EXPIRED"
    assert "accountName" not in phones.at_google(name)


def test_a_person_without_passes_gets_none_by_being_erased(phones: Phones) -> None:
    card = phones.world.card(**PERSON)

    erase(phones, card)
    phones.work()

    with tenancy.scope(phones.world.merchant_id):
        assert not GooglePass.objects.filter(card_id=card.pk).exists()
    assert phones.google.calls("POST", "loyaltyObject") == []


def test_erasing_twice_does_not_begin_the_30_days_anew(phones: Phones) -> None:
    card, _phone, _held, _name = kept(phones)
    erase(phones, card)
    first = phones.apple_row(card).erased_at

    erase(phones, card)

    assert phones.apple_row(card).erased_at == first


def test_providers_that_are_away_do_not_hold_an_erasure_up(phones: Phones) -> None:
    card, _phone, held, _name = kept(phones)
    phones.google.faults.away = True
    phones.google.faults.latency = 1.0
    phones.apns.stop()

    began = timezone.now()
    erase(phones, card)

    assert timezone.now() - began < timedelta(seconds=2)
    assert traces(phones, card) == set()
    assert held.content.get("voided") is not True
