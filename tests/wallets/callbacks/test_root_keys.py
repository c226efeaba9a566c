"""Google's root keys: fetched seldom, whatever is sent to us, and kept while Google is away (pitfall 44)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes import google_signer
from tests.fakes.google_signer import KeyServer, Signer
from wallets.providers.google import callbacks, root_keys
from wallets.providers.google.callbacks import BadMessage
from wallets.providers.google.root_keys import KeysAway

ISSUER = "3388000000012345678"
OBJECT = f"{ISSUER}.cOpaque"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def google() -> Signer:
    return Signer(ISSUER, NOW)


@pytest.fixture
def keys(google: Signer) -> Iterator[KeyServer]:
    root_keys.forget()
    with KeyServer(google) as server:
        yield server
    root_keys.forget()


def read(keys: KeyServer, raw: bytes, at: datetime = NOW) -> Any:
    return callbacks.verify(raw, issuer_id=ISSUER, keys_url=keys.url, at=at)


def test_a_hundred_bad_messages_ask_google_once(google: Signer, keys: KeyServer) -> None:
    bad = Signer(ISSUER, NOW)

    for number in range(100):
        with pytest.raises(BadMessage):
            read(keys, bad.message("save", OBJECT), at=NOW + timedelta(seconds=number))

    assert keys.asked == 1
    assert read(keys, google.message("save", OBJECT)).object_id == OBJECT


def test_they_are_fetched_anew_when_they_are_old_and_a_rotation_is_seen(google: Signer, keys: KeyServer) -> None:
    read(keys, google.message("save", OBJECT))
    google.root = google_signer.new_key()
    keys.serve()
    rotated = google.message("save", OBJECT, expTimeMillis=int(google_signer.millis(NOW + timedelta(days=1))))

    with pytest.raises(BadMessage):
        read(keys, rotated, at=NOW + timedelta(minutes=59))
    assert read(keys, rotated, at=NOW + timedelta(minutes=61)).event == "save"
    assert keys.asked == 2


@pytest.mark.parametrize(("said", "kept"), [
    ("max-age=0", timedelta(minutes=5)), ("max-age=999999999", timedelta(hours=1)), ("no-store", timedelta(hours=1)),
    ("public, max-age=600, must-revalidate", timedelta(minutes=10)),
])  # fmt: skip
def test_google_says_how_long_within_reason(keys: KeyServer, said: str, kept: timedelta) -> None:
    keys.headers = {"Cache-Control": said}
    root_keys.current(keys.url, at=NOW)

    root_keys.current(keys.url, at=NOW + kept - timedelta(seconds=1))
    assert keys.asked == 1
    root_keys.current(keys.url, at=NOW + kept)
    assert keys.asked == 2


def test_known_keys_hold_while_google_is_away_which_is_asked_once_a_minute(google: Signer, keys: KeyServer) -> None:
    read(keys, google.message("save", OBJECT))
    keys.status = 503
    later = NOW + timedelta(hours=2)
    message = google.message("save", OBJECT, expTimeMillis=int(google_signer.millis(NOW + timedelta(days=1))))

    for seconds in range(0, 121, 10):
        assert read(keys, message, at=later + timedelta(seconds=seconds)).event == "save"

    assert keys.asked == 1 + 3


def test_keys_that_ended_are_not_used_though_google_is_away(google: Signer, keys: KeyServer) -> None:
    google.lives = timedelta(hours=3)
    keys.serve()
    root_keys.current(keys.url, at=NOW)
    keys.status = 503

    assert root_keys.current(keys.url, at=NOW + timedelta(hours=2))
    with pytest.raises(KeysAway):
        root_keys.current(keys.url, at=NOW + timedelta(hours=3))


DOCUMENTS = {
    "no list": {"keys": {}}, "nothing": {}, "a text": "keys", "no row": {"keys": [7, None, "x"]},
    "another protocol": {"keys": [{"keyValue": "x", "protocolVersion": "ECv1"}]},
    "no end": {"keys": [{"keyValue": "x", "protocolVersion": "ECv2SigningOnly"}]},
}  # fmt: skip


@pytest.mark.parametrize("what", list(DOCUMENTS))
def test_a_document_without_keys_opens_nothing_and_is_not_asked_for_at_once_again(keys: KeyServer, what: str) -> None:
    keys.serve(DOCUMENTS[what])

    for seconds in (0, 1, 59):
        with pytest.raises(KeysAway):
            root_keys.current(keys.url, at=NOW + timedelta(seconds=seconds))

    assert keys.asked == 1
    keys.serve()
    assert root_keys.current(keys.url, at=NOW + timedelta(seconds=60))


@pytest.mark.parametrize("changes", [
    {"keyValue": None}, {"keyValue": "!!"}, {"keyValue": "AAAA"}, {"keyExpiration": None}, {"keyExpiration": "x"},
    {"keyExpiration": "-5"}, {"protocolVersion": "ECv2"},
])  # fmt: skip
def test_a_key_that_cannot_be_read_is_left_out(google: Signer, keys: KeyServer, changes: dict[str, Any]) -> None:
    good = Signer(ISSUER, NOW)
    keys.serve({"keys": [*google.root_keys(**changes)["keys"], *good.root_keys()["keys"]]})

    assert len(root_keys.current(keys.url, at=NOW)) == 1
    assert read(keys, good.message("save", OBJECT)).event == "save"


def test_a_redirect_or_a_flood_gives_no_keys(keys: KeyServer) -> None:
    keys.body = b" " * 200_000
    with pytest.raises(KeysAway):
        root_keys.current(keys.url, at=NOW)
    root_keys.forget()
    keys.serve()
    keys.status, keys.headers = 302, {"Location": keys.url}
    with pytest.raises(KeysAway):
        root_keys.current(keys.url, at=NOW)


def test_nobody_there_is_said_at_once(keys: KeyServer) -> None:
    with pytest.raises(KeysAway):
        root_keys.current("http://127.0.0.1:9/keys", at=NOW)
