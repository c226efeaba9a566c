"""A callback is Google's word to us only when every link of its chain holds (pitfall 44)."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes import google_signer
from tests.fakes.google_signer import KeyServer, Signer
from wallets.enums import CallbackEvent
from wallets.providers.google import callbacks, root_keys
from wallets.providers.google.callbacks import BadMessage, Message

ISSUER = "3388000000012345678"
OBJECT = f"{ISSUER}.cOpaque-name_1"
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


def read(keys: KeyServer, raw: bytes | dict[str, Any], *, at: datetime = NOW, issuer: str = ISSUER) -> Message:
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return callbacks.verify(body, issuer_id=issuer, keys_url=keys.url, at=at)


@pytest.mark.parametrize("event", ["save", "del"])
def test_a_message_that_google_signed_for_us_is_read(google: Signer, keys: KeyServer, event: str) -> None:
    message = read(keys, google.message(event, OBJECT, nonce="n-1"))

    assert message == Message(
        class_id=f"{ISSUER}.pclass", object_id=OBJECT, event=CallbackEvent(event), nonce="n-1",
        expires_at=NOW + timedelta(hours=1),
    )  # fmt: skip


def test_lengths_are_bytes_and_not_characters_pitfall_44(google: Signer, keys: KeyServer) -> None:
    text = google.says("save", f"{ISSUER}.cCafé-Lëtzebuerg")
    assert read(keys, google.envelope(text)).object_id == f"{ISSUER}.cCafé-Lëtzebuerg"

    with pytest.raises(BadMessage, match="does not hold"):
        read(keys, google.envelope(text, in_characters=True))


def test_a_message_to_another_issuer_is_refused_even_when_it_names_us_pitfall_44(
    google: Signer, keys: KeyServer
) -> None:  # fmt: skip
    with pytest.raises(BadMessage, match="does not hold"):
        read(keys, google.envelope(google.says("save", OBJECT), recipient="999"))
    with pytest.raises(BadMessage, match="objectId is none of ours"):
        read(keys, google.message("save", "999.cOpaque"))
    with pytest.raises(BadMessage, match="classId is none of ours"):
        read(keys, google.message("save", OBJECT, classId=f"{ISSUER}9.pclass"))
    with pytest.raises(BadMessage, match="does not hold"):
        read(keys, google.message("save", OBJECT), issuer="999")


def _chain(google: Signer) -> dict[str, Callable[[], dict[str, Any]]]:
    text, stranger = google.says("save", OBJECT), google_signer.new_key()
    past = NOW - timedelta(seconds=1)

    def sealed(**how: Any) -> dict[str, Any]:
        return google.envelope(text, intermediate=google.intermediate_key(**how))

    return {
        "a message of another sender": lambda: google.envelope(text, sender="GoogleWalletPasses"),
        "a message by another key": lambda: google.envelope(text, key=stranger),
        "another protocol": lambda: google.envelope(text, protocol="ECv2"),
        "another text": lambda: {**google.envelope(text), "signedMessage": google.says("del", OBJECT)},
        "an intermediate key by another root": lambda: sealed(root=stranger),
        "an intermediate key of another sender": lambda: sealed(sender="GoogleWalletPasses"),
        "an intermediate key that has expired": lambda: sealed(expires_at=past),
        "an intermediate key that expires now": lambda: sealed(expires_at=NOW),
        "an intermediate key that is none": lambda: sealed(key="AAAA"),
        "an intermediate key that another key replaced": lambda: google.envelope(
            text, key=stranger,
            intermediate={**google.intermediate_key(),
                          "signedKey": json.dumps({"keyValue": google_signer.spki(stranger),
                                                   "keyExpiration": google_signer.millis(NOW + google.lives)})},
        ),
        "no signature of the intermediate key": lambda: google.envelope(
            text, intermediate={**google.intermediate_key(), "signatures": []}
        ),
    }  # fmt: skip


@pytest.mark.parametrize("fault", list(_chain(Signer(ISSUER, NOW))))
def test_a_chain_with_one_broken_link_is_refused(google: Signer, keys: KeyServer, fault: str) -> None:
    with pytest.raises(BadMessage):
        read(keys, _chain(google)[fault]())


MESSAGES: dict[str, dict[str, Any]] = {
    "expired": {"expTimeMillis": int(google_signer.millis(NOW - timedelta(seconds=1)))},
    "expires now": {"expTimeMillis": int(google_signer.millis(NOW))},
    "expires never": {"expTimeMillis": None},
    "expires in no number": {"expTimeMillis": "soon"},
    "expires after all time": {"expTimeMillis": 10**14 * 9},
    "expires in a far future": {"expTimeMillis": int(google_signer.millis(NOW + timedelta(days=30, seconds=1)))},
    "expires truly": {"expTimeMillis": True},
    "no nonce": {"nonce": None},
    "an empty nonce": {"nonce": ""},
    "a long nonce": {"nonce": "n" * 129},
    "a nonce with NUL": {"nonce": "n\x00"},
    "a nonce that is a number": {"nonce": 7},
    "another event": {"eventType": "share"},
    "no event": {"eventType": None},
    "no object": {"objectId": None},
    "a long object": {"objectId": ISSUER + "." + "c" * 120},
    "no class": {"classId": None},
    "a list for an object": {"objectId": [OBJECT]},
}


@pytest.mark.parametrize("fault", list(MESSAGES))
def test_a_signed_message_without_sense_is_refused(google: Signer, keys: KeyServer, fault: str) -> None:
    changes = MESSAGES[fault]
    text = json.loads(google.says("save", OBJECT))
    text = {name: value for name, value in {**text, **changes}.items() if value is not None}

    with pytest.raises(BadMessage):
        read(keys, google.envelope(json.dumps(text)))


def test_a_time_written_as_text_is_read(google: Signer, keys: KeyServer) -> None:
    later = google_signer.millis(NOW + timedelta(hours=2))

    assert read(keys, google.message("save", OBJECT, expTimeMillis=later)).expires_at == NOW + timedelta(hours=2)


NONSENSE = {
    "nothing": b"", "no JSON": b"save=1", "a list": b"[]", "null": b"null", "a number": b"7",
    "deep": b"[" * 10_000, "not UTF-8": b"\xff\xfe", "half a pair": b'{"protocolVersion": "\\ud800"}',
    "a huge number": b'{"protocolVersion": ' + b"9" * 5000 + b"}", "too long": b" " * 20_000,
    "an empty object": b"{}", "only a version": b'{"protocolVersion": "ECv2SigningOnly"}',
}  # fmt: skip


@pytest.mark.parametrize("what", list(NONSENSE))
def test_nonsense_is_refused_before_google_is_asked(keys: KeyServer, what: str) -> None:
    with pytest.raises(BadMessage):
        read(keys, NONSENSE[what])

    assert keys.asked == 0


@pytest.mark.parametrize("name", ["signature", "intermediateSigningKey", "signedMessage", "protocolVersion"])
@pytest.mark.parametrize("value", [None, 7, "", [], {}, "Ä", "AAAA"])
def test_a_member_of_another_kind_is_refused(google: Signer, keys: KeyServer, name: str, value: Any) -> None:
    envelope = google.envelope(google.says("save", OBJECT))

    with pytest.raises(BadMessage):
        read(keys, {**envelope, name: value})


def test_one_good_signature_of_several_is_enough(google: Signer, keys: KeyServer) -> None:
    key = google.intermediate_key()
    other = base64.b64encode(b"another root's").decode()
    envelope = google.envelope(
        google.says("save", OBJECT), intermediate={**key, "signatures": [other, *key["signatures"]]}
    )

    assert read(keys, envelope).event == "save"
