"""Google's root keys for callbacks: fetched seldom, kept in memory, and never fetched because a message was bad.

Whoever sends nonsense would otherwise make us ask Google once per message. A rotation is noticed by age alone.
"""

import base64
import binascii
import json
import logging
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

logger = logging.getLogger(__name__)
PROTOCOL = "ECv2SigningOnly"
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=1)
AFTER_FAILURE = timedelta(seconds=60)
TIMEOUT = (2, 5)
MAX_BYTES = 100_000
LATEST_MS = 253_402_300_799_000


class KeysAway(Exception):
    """There are no root keys: Google does not answer, or not with keys."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and when it ends."""

    key: EllipticCurvePublicKey
    expires_at: datetime


@dataclass(slots=True)
class _Kept:
    keys: tuple[SigningKey, ...]
    since: datetime
    until: datetime


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()


def current(url: str, *, at: datetime) -> tuple[SigningKey, ...]:
    """Return the root keys that are valid at `at`; raises KeysAway when there are none.

    Those that were kept go on being used while Google cannot be reached, until they end by themselves.
    """
    with _lock:
        kept = _kept.get(url)
        if kept is None or not kept.since <= at < kept.until:
            kept = _kept[url] = _renewed(url, kept, at)
    valid = tuple(key for key in kept.keys if key.expires_at > at)
    if not valid:
        raise KeysAway(f"no root keys from {url}")
    return valid


def forget() -> None:
    """Forget what was fetched."""
    with _lock:
        _kept.clear()


def public_key(encoded: Any) -> EllipticCurvePublicKey:
    """Read a P-256 key as Google writes it (Base64 of a SubjectPublicKeyInfo); raises ValueError."""
    if not isinstance(encoded, str):
        raise ValueError("a key is no text")  # noqa: TRY004 - what was sent is wrong, not our call
    try:
        key = load_der_public_key(base64.b64decode(encoded, validate=True))
    except (binascii.Error, UnsupportedAlgorithm, TypeError) as error:
        raise ValueError("a key cannot be read") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("a key is none of P-256")  # noqa: TRY004 - what was sent is wrong, not our call
    return key


def instant(millis: Any) -> datetime:
    """Read milliseconds since 1970, which Google writes as a number or as a text; raises ValueError."""
    if isinstance(millis, bool) or not isinstance(millis, int | str):
        raise ValueError("a time is no number")  # noqa: TRY004 - what was sent is wrong, not our call
    if not re.fullmatch(r"[0-9]{1,15}", str(millis)) or int(millis) > LATEST_MS:
        raise ValueError("a time is no number of milliseconds")
    return datetime.fromtimestamp(int(millis) / 1000, UTC)


def _renewed(url: str, kept: _Kept | None, at: datetime) -> _Kept:
    try:
        body, lasts = _fetch(url)
        keys = _read(body)
        if not keys:
            raise ValueError("no key of the protocol")
    except (requests.RequestException, ValueError, RecursionError) as error:
        logger.warning("google callback keys cannot be had: %s", error)
        return _Kept(kept.keys if kept else (), at, at + AFTER_FAILURE)
    return _Kept(keys, at, at + lasts)


def _fetch(url: str) -> tuple[bytes, timedelta]:
    with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        body = answer.raw.read(MAX_BYTES + 1, decode_content=True)
        age = re.search(r"max-age=([0-9]{1,9})", answer.headers.get("Cache-Control", ""))
    if len(body) > MAX_BYTES:
        raise ValueError("too much for keys")
    wanted = timedelta(seconds=int(age[1])) if age else LONGEST
    return body, min(max(wanted, SHORTEST), LONGEST)


def _read(body: bytes) -> tuple[SigningKey, ...]:
    document = json.loads(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    found = []
    for row in listed if isinstance(listed, list) else []:
        if not isinstance(row, dict) or row.get("protocolVersion") != PROTOCOL:
            continue
        try:
            found.append(SigningKey(public_key(row.get("keyValue")), instant(row.get("keyExpiration"))))
        except ValueError as error:
            logger.warning("one of google's callback keys is left out: %s", error)
    return tuple(found)
