"""Google's callbacks, verified: ECv2SigningOnly, for our issuer and nobody else's.

Root key → intermediate key → message. Sender and recipient are ours to name and never read from the message (pitfall
44): one that Google signed for another issuer is refused. Lengths are bytes of UTF-8.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from wallets.enums import CallbackEvent
from wallets.providers.google import root_keys
from wallets.providers.google.root_keys import PROTOCOL

SENDER = "GooglePayPasses"
MAX_BYTES = 16_384
MAX_SIGNATURES = 5
LONGEST_NAME, LONGEST_NONCE = 120, 128
# Nonces are kept until their message ends: none may ask to be kept for ever.
LONGEST_LIFE = timedelta(days=30)


class BadMessage(Exception):
    """This is no message of Google to us; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Message:
    """What Google says: an object was saved or removed. It is to be taken once, by its nonce, before it expires."""

    class_id: str
    object_id: str
    event: CallbackEvent
    nonce: str
    expires_at: datetime


def verify(raw: bytes, *, issuer_id: str, keys_url: str, at: datetime) -> Message:
    """Return a message that Google signed for this issuer; raises BadMessage, or KeysAway without root keys."""
    envelope = _envelope(raw)
    signing_key = _intermediate(envelope, root_keys.current(keys_url, at=at), at)
    text = envelope["signedMessage"]
    signed = joined(SENDER, issuer_id, PROTOCOL, text)
    if not any(_holds(signing_key, found, signed) for found in _signatures([envelope["signature"]])):
        _refuse("the message's signature does not hold")
    return _message(text, issuer_id, at)


def joined(*parts: str) -> bytes:
    """Return texts as Google signs them: each with its length in bytes, four of them, the lowest first."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "little") + part for part in encoded)


def _envelope(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_BYTES:
        _refuse("too long")
    envelope = _object(raw)
    if envelope.get("protocolVersion") != PROTOCOL:
        _refuse("another protocol")
    for name in ("signature", "signedMessage"):
        _require(envelope, name, str)
    key = _require(envelope, "intermediateSigningKey", dict)
    _require(key, "signedKey", str)
    _require(key, "signatures", list)
    return envelope


def _intermediate(
    envelope: dict[str, Any], roots: Iterable[root_keys.SigningKey], at: datetime
) -> EllipticCurvePublicKey:  # fmt: skip
    about = envelope["intermediateSigningKey"]
    signed = joined(SENDER, PROTOCOL, about["signedKey"])
    signatures = _signatures(about["signatures"][:MAX_SIGNATURES])
    if not any(_holds(root.key, found, signed) for root in roots for found in signatures):
        _refuse("no root key signed the intermediate key")
    facts = _object(about["signedKey"].encode())
    try:
        if root_keys.instant(facts.get("keyExpiration")) <= at:
            _refuse("the intermediate key has expired")
        return root_keys.public_key(facts.get("keyValue"))
    except ValueError as error:
        _refuse(f"the intermediate key: {error}")


def _message(text: str, issuer_id: str, at: datetime) -> Message:
    facts = _object(text.encode())
    names = {name: _require(facts, name, str) for name in ("classId", "objectId", "eventType", "nonce")}
    for name in ("classId", "objectId"):
        if not names[name].startswith(f"{issuer_id}.") or len(names[name]) > LONGEST_NAME:
            _refuse(f"{name} is none of ours")
    if not 0 < len(names["nonce"]) <= LONGEST_NONCE or not names["nonce"].isprintable():
        _refuse("the nonce is none")
    try:
        event, expires_at = CallbackEvent(names["eventType"]), root_keys.instant(facts.get("expTimeMillis"))
    except ValueError as error:
        _refuse(str(error))
    if expires_at <= at:
        _refuse("the message has expired")
    if expires_at > at + LONGEST_LIFE:
        _refuse("the message ends in a far future")
    return Message(names["classId"], names["objectId"], event, names["nonce"], expires_at)


def _signatures(values: list[Any]) -> list[bytes]:
    try:
        return [base64.b64decode(value, validate=True) for value in values if isinstance(value, str)]
    except (binascii.Error, ValueError):
        _refuse("a signature is no Base64")


def _holds(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw.decode())
        # Halves of surrogate pairs pass JSON and have no bytes that could have been signed.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        _refuse("not JSON that can be read")
    if not isinstance(found, dict):
        _refuse("no object")
    return found


def _require(facts: dict[str, Any], name: str, kind: type) -> Any:
    value = facts.get(name)
    if not isinstance(value, kind):
        _refuse(f"{name} is missing or of another kind")
    return value


def _refuse(why: str) -> NoReturn:
    raise BadMessage(why)
