"""Pushes to Apple: one per device, every answer that Apple gives, and nothing lost wherever a worker dies."""

import threading
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from loyalty.models import Card
from tests.conftest import RealDatabase
from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.support.relay import eventually
from tests.wallets.pipeline.phones import Phones
from wallets.enums import UpdateState
from wallets.models import AppleDevice, ProviderState
from wallets.providers.apple import apns as client
from wallets.providers.apple.credentials import current
from wallets.services import apple_push, breakers, listeners, queue


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def test_a_change_is_one_push_with_an_empty_body_and_the_pass_type_as_topic(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    phones.note(card)
    before = phones.pass_of(card)

    assert phones.push() == 1

    (push,) = apns.pushes
    assert (push.token, push.topic, push.body) == ("token-phone", "pass.example.pipeline", b"{}")
    after = phones.pass_of(card)
    assert after.change_tag > before.change_tag
    assert after.pushed_version == after.requested_version > after.fetched_version
    assert phones.told(card) == {"phone": after.requested_version}
    assert phones.update_of(card).state == UpdateState.SENT
    assert phones.push() == 0


def test_pitfall_16_the_number_is_there_before_the_push_arrives(
    phones: Phones, apns: FakeApns, real_db: RealDatabase
) -> None:
    card = phones.card("phone")
    phones.note(card)
    row, seen = phones.pass_of(card), []

    def look(token: str) -> None:
        with real_db.connect_as_superuser() as own:
            found = own.execute("SELECT change_tag FROM wallets_applepass WHERE id = %s", [row.pk]).fetchone()
            seen.append(found[0] if found else None)

    apns.hooks[""] = look
    phones.push()

    assert eventually(lambda: bool(seen), 5.0)
    assert seen[0] > row.change_tag


def test_ten_quick_stamps_are_two_pushes_at_most(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    for _ in range(10):
        phones.note(card)
        phones.push()
        phones.tick(0.15)
    assert len(apns.pushes) == 1

    phones.tick(1)
    phones.push()

    assert len(apns.pushes) == 2
    assert phones.told(card) == {"phone": phones.pass_of(card).requested_version}


def test_a_device_with_several_changed_passes_is_pushed_once(phones: Phones, apns: FakeApns) -> None:
    cards = [phones.card("phone") for _ in range(3)]
    for card in cards:
        phones.note(card)

    assert phones.push() == 3

    assert len(apns.pushes) == 1
    assert all(phones.pass_of(card).pushed_version == phones.pass_of(card).requested_version for card in cards)
    assert len({phones.pass_of(card).change_tag for card in cards}) == 3


def test_another_pass_of_a_device_waits_for_the_end_of_its_two_seconds(phones: Phones, apns: FakeApns) -> None:
    first, second = phones.card("phone"), phones.card("phone")
    phones.note(first)
    phones.push()
    phones.tick(0.5)
    phones.note(second)
    tag = phones.pass_of(second).change_tag

    phones.push()
    assert (len(apns.pushes), phones.pass_of(second).change_tag) == (1, tag)
    row = phones.update_of(second)
    assert (row.state, row.attempts) == (UpdateState.QUEUED, 0)
    assert row.due_at == phones.world.at + listeners.WINDOW

    phones.tick(1.5)
    phones.push()
    assert len(apns.pushes) == 2


def test_a_second_try_leaves_out_whom_the_first_one_reached(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone", "watch")
    apns.answer("token-watch", 500, "InternalServerError", times=1)
    phones.note(card)

    phones.push()
    row = phones.update_of(card)
    assert (row.state, row.attempts, row.last_error) == (UpdateState.QUEUED, 1, "500 InternalServerError")
    assert phones.pass_of(card).pushed_version < phones.pass_of(card).requested_version

    phones.tick(1.3)
    phones.push()

    assert sorted(apns.tokens) == ["token-phone", "token-watch"]
    assert phones.update_of(card).state == UpdateState.SENT
    assert phones.pass_of(card).pushed_version == phones.pass_of(card).requested_version


def test_nobody_listens_any_more(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    phones.note(card)
    device = phones.device("phone")
    assert device is not None
    assert listeners.forget(device.pk, "token-phone", since=None)

    assert phones.push() == 1

    assert (apns.pushes, phones.update_of(card).state) == ([], UpdateState.SENT)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, "TooManyRequests"), (500, "InternalServerError"), (503, "ServiceUnavailable"), (503, "Shutdown")],
)
def test_a_passing_fault_is_tried_again(phones: Phones, apns: FakeApns, status: int, reason: str) -> None:
    card = phones.card("phone")
    apns.answer("token-phone", status, reason, times=3)
    phones.note(card)

    for pause in (0, 1.3, 2.5, 5):
        phones.tick(pause)
        phones.push()

    assert [push.status for push in apns.pushes] == [status] * 3 + [200]
    assert phones.update_of(card).state == UpdateState.SENT
    assert apns.opened == (4 if status == 503 else 1)


def test_the_pause_that_apple_asks_for_is_kept(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    apns.answer("token-phone", 429, "TooManyRequests", times=1, retry_after=30)
    phones.note(card)
    phones.push()

    assert (phones.update_of(card).due_at - phones.at).total_seconds() == 30


def test_pitfall_14_410_after_the_registration_forgets_the_device_on_all_passes(phones: Phones, apns: FakeApns) -> None:
    card, other = phones.card("phone", "watch"), phones.card("phone")
    phones.tick(10)
    apns.answer("token-phone", 410, "Unregistered", timestamp=milliseconds(phones.at))
    phones.note(card)

    phones.push()

    assert phones.device("phone") is None
    assert (list(phones.told(card)), phones.told(other)) == (["watch"], {})
    assert phones.update_of(card).state == UpdateState.SENT


def test_pitfall_14_410_of_before_the_registration_does_not_count(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    apns.answer("token-phone", 410, "Unregistered", timestamp=milliseconds(phones.at) - 1, times=1)
    phones.note(card)

    phones.push()
    assert phones.device("phone") is not None
    assert phones.update_of(card).state == UpdateState.QUEUED

    phones.tick(3)
    phones.push()
    assert apns.tokens == ["token-phone"]


def test_an_unknown_token_is_tried_once_and_then_dropped_but_the_device_stays(phones: Phones, apns: FakeApns) -> None:
    good, bad = phones.card("phone"), phones.card("broken")
    apns.answer("token-broken", 400, "BadDeviceToken")
    phones.note(good)
    phones.note(bad)
    phones.push()

    row = phones.update_of(bad)
    assert (row.state, row.last_error) == (UpdateState.FAILED, "BadDeviceToken")
    assert phones.update_of(good).state == UpdateState.SENT
    device = phones.device("broken")
    assert device is not None
    assert device.push_token == ""
    tag = phones.pass_of(bad).change_tag

    phones.tick(5)
    phones.note(bad)
    phones.push()
    assert [push.token for push in apns.pushes].count("token-broken") == 1
    assert phones.pass_of(bad).change_tag > tag  # it may still ask by itself

    phones.add(bad, "broken", "token-new")
    phones.push()
    assert apns.tokens[-1] == "token-new"


def test_the_log_says_what_becomes_of_an_unknown_token(
    phones: Phones, apns: FakeApns, caplog: pytest.LogCaptureFixture
) -> None:
    apns.answer("token-broken", 400, "BadDeviceToken")
    for name in ("phone", "broken"):
        phones.note(phones.card(name))

    phones.push()

    assert "BadDeviceToken" in caplog.text
    assert "stays registered and is not pushed again until it registers anew" in caplog.text


def test_a_chain_of_our_own_making_is_not_shown_to_apple(
    phones: Phones, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: Any, **__: Any) -> Any:
        raise AssertionError("Apple was asked")

    monkeypatch.setattr(client.Connection, "open", no_network)
    monkeypatch.setattr(client, "Channel", no_network)
    assert settings.LOYALTY_APPLE_APNS_URL == "https://api.push.apple.com"
    card = phones.card("phone")
    tag, told = phones.pass_of(card).change_tag, phones.told(card)
    phones.note(card)

    assert phones.push() == 1

    row = phones.update_of(card)
    assert (row.state, row.last_error) == (UpdateState.SENT, "")
    assert phones.pass_of(card).change_tag > tag  # whoever asks by itself hears of it
    assert phones.told(card) == told
    assert not ProviderState.objects.exists()


def test_what_apple_refused_of_our_own_making_before_blocks_nothing(phones: Phones, settings: Any) -> None:
    assert settings.LOYALTY_APPLE_APNS_URL == "https://api.push.apple.com"
    cards = [phones.card(f"phone-{number}") for number in range(3)]
    breakers.block(provider="apple", credential=current().fingerprint, reason="certificate refused", at=phones.world.at)
    for card in cards:
        phones.note(card)

    assert phones.push() == 3


def test_many_unknown_tokens_at_once_are_the_wrong_host_and_nobody_is_dropped(phones: Phones, apns: FakeApns) -> None:
    cards = [phones.card(f"phone-{number}") for number in range(apple_push.BURST)]
    apns.answer("", 400, "BadDeviceToken")
    for card in cards:
        phones.note(card)

    phones.push()

    state = ProviderState.objects.get()
    assert state.blocked_at is not None
    assert "host" in state.reason
    assert {phones.update_of(card).state for card in cards} == {UpdateState.QUEUED}
    assert all(device and device.push_token for device in (phones.device(f"phone-{n}") for n in range(10)))


def test_a_token_of_another_topic_is_an_alert_and_nobody_is_deleted(phones: Phones, apns: FakeApns) -> None:
    good, bad = phones.card("phone"), phones.card("foreign")
    apns.answer("token-foreign", 400, "DeviceTokenNotForTopic")
    for _ in range(3):
        phones.note(bad)
        phones.push()
        phones.tick(20)
    phones.note(good)
    phones.push()

    row = phones.update_of(bad)
    assert (row.state, row.attempts, row.last_error) == (UpdateState.FAILED, 3, "400 DeviceTokenNotForTopic")
    assert phones.update_of(good).state == UpdateState.SENT
    device, state = phones.device("foreign"), ProviderState.objects.get()
    assert device is not None
    assert device.push_token == "token-foreign"
    assert (state.blocked_at, state.reason) == (None, "DeviceTokenNotForTopic: 1 of 1 devices")


@pytest.mark.parametrize(("status", "reason"), [(404, "BadPath"), (405, "MethodNotAllowed"), (413, "PayloadTooLarge")])
def test_a_bug_of_ours_fails_after_three_tries(phones: Phones, apns: FakeApns, status: int, reason: str) -> None:
    card = phones.card("phone")
    apns.answer("", status, reason)
    phones.note(card)
    for _ in range(5):
        phones.push()
        phones.tick(20)

    assert len(apns.pushes) == 3
    row = phones.update_of(card)
    assert (row.state, row.last_error) == (UpdateState.FAILED, f"{status} {reason}")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "BadCertificate"), (403, "ExpiredProviderToken"), (403, "InvalidProviderToken"), (400, "TopicDisallowed")],
)
def test_a_refused_credential_stops_everything_but_a_probe(
    phones: Phones, apns: FakeApns, status: int, reason: str
) -> None:
    cards = [phones.card(f"phone-{number}") for number in range(5)]
    apns.answer("", status, reason)
    for card in cards:
        phones.note(card)
    phones.push()
    tried = len(apns.pushes)
    state = ProviderState.objects.get()
    assert (state.blocked_at, state.reason) == (phones.at, reason)

    phones.tick(60)
    assert phones.push() is None
    phones.tick(241)
    phones.push()
    assert len(apns.pushes) == tried + 1
    assert {phones.update_of(card).state for card in cards} == {UpdateState.QUEUED}
    assert all(phones.device(f"phone-{number}") for number in range(5))

    apns.heal()
    phones.tick(301)
    phones.push()
    assert ProviderState.objects.get().blocked_at is None
    phones.push()
    assert sorted(set(apns.tokens)) == [f"token-phone-{number}" for number in range(5)]
    assert {phones.update_of(card).state for card in cards} == {UpdateState.SENT}
    assert {phones.update_of(card).attempts for card in cards} == {0}


def test_another_certificate_is_free_at_once(phones: Phones, apns: FakeApns, files: credentials.Files) -> None:
    card = phones.card("phone")
    apns.answer("", 403, "BadCertificate")
    phones.note(card)
    phones.push()
    assert phones.push() is None

    apns.heal()
    credentials.rotate(files, pass_type="pass.example.pipeline", team="TEAM123456")
    assert phones.push() == 1

    assert apns.tokens == ["token-phone"]
    assert ProviderState.objects.count() == 2


def test_silence_is_a_fault_that_passes(phones: Phones, apns: FakeApns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    card = phones.card("phone")
    apns.silent = True
    phones.note(card)
    phones.push()
    row = phones.update_of(card)
    assert (row.state, row.last_error) == (UpdateState.QUEUED, "no answer in time")

    apns.heal()
    phones.tick(2)
    phones.push()
    assert apns.tokens == ["token-phone"]


def test_an_outage_is_over_within_a_minute(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    apns.stop()
    phones.note(card)
    for _ in range(30):
        phones.push()
        phones.tick(1)
    assert phones.update_of(card).state == UpdateState.QUEUED

    apns.start()
    for _ in range(60):
        phones.push()
        phones.tick(1)
    assert apns.tokens == ["token-phone"]


def test_after_a_day_it_is_given_up_and_can_be_queued_again(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    apns.answer("", 500, "InternalServerError")
    phones.note(card)
    for _ in range(25):
        phones.push()
        phones.tick(3600)
    assert phones.update_of(card).state == UpdateState.FAILED

    apns.heal()
    phones.note(card)
    phones.push()
    assert phones.update_of(card).state == UpdateState.SENT


def test_a_worker_may_die_between_any_two_steps(phones: Phones, apns: FakeApns) -> None:
    def dies_after(steps: int) -> None:
        phones.note(card)
        claimed = phones.claim()
        assert len(claimed) == 1
        if steps == 0:
            return
        found = listeners.number(claimed, pass_type="pass.example.pipeline", at=phones.at)
        (listener,) = next(iter(found.values()))
        if steps == 1:
            return
        tokens, _busy = listeners.claim_devices([listener.device_id], at=phones.at)
        if steps == 2:
            return
        client.push(current(), list(tokens.values()))
        if steps == 3:
            return
        listeners.note_reached([listener], tokens)
        if steps == 4:
            return
        listeners.note_pushed({listener.pass_id: listener.version}, at=phones.at)

    for steps in range(6):
        card, before = phones.card(f"phone-{steps}"), len(apns.pushes)
        dies_after(steps)
        phones.tick(queue.STALE.total_seconds() + 1)
        assert queue.rescue(at=phones.at) == 1
        phones.push()

        assert phones.update_of(card).state == UpdateState.SENT
        assert phones.told(card) == {f"phone-{steps}": phones.pass_of(card).requested_version}
        # Only a death between the push and its record sends it twice.
        assert len(apns.pushes) - before == (2 if steps == 3 else 1)


def test_whom_a_push_reached_is_noted_while_others_are_under_way(phones: Phones, apns: FakeApns) -> None:
    """A worker that dies in mid batch takes little with it: what it knew is not sent again."""
    quick, slow = [phones.card(f"quick-{n}") for n in range(5)], phones.card("slow")
    apns.answer("token-slow", latency=1.5)
    for card in (*quick, slow):
        phones.note(card)
    wanted = {card.pk: phones.pass_of(card).requested_version for card in quick}

    worker = threading.Thread(target=lambda: (phones.push(), connection.close()))
    worker.start()
    noted = eventually(lambda: all(wanted[card.pk] in phones.told(card).values() for card in quick), 5.0)
    assert worker.is_alive(), "the batch was over before anybody could look"
    worker.join()

    assert noted
    assert {phones.update_of(card).state for card in (*quick, slow)} == {UpdateState.SENT}
    assert Counter(apns.tokens) == Counter([f"token-quick-{n}" for n in range(5)] + ["token-slow"])


def test_a_registration_meets_a_push_that_did_not_see_it(phones: Phones, apns: FakeApns) -> None:
    """The second phone comes while the row is with a worker that read the devices before."""
    card = phones.card("phone")
    phones.note(card)
    claimed = phones.claim()
    listeners.number(claimed, pass_type="pass.example.pipeline", at=phones.at)

    phones.add(card, "late")
    phones.settlement(claimed[0], "sent")

    assert phones.update_of(card).state == UpdateState.QUEUED
    phones.push()
    assert "token-late" in apns.tokens


def test_a_new_token_while_the_old_one_is_pushed_is_pushed_too(phones: Phones, apns: FakeApns) -> None:
    card = phones.card("phone")
    phones.note(card)
    apns.hooks["token-phone"] = lambda _token: registers(phones, card)
    phones.push()
    assert eventually(lambda: AppleDevice.objects.filter(push_token="token-2").exists(), 5.0)

    for _ in range(3):
        phones.tick(2.1)
        phones.push()

    assert apns.tokens == ["token-phone", "token-2"]


def registers(phones: Phones, card: Card) -> None:
    """Name a new token, in a thread of its own."""
    try:
        phones.add(card, "phone", "token-2")
    finally:
        connection.close()
