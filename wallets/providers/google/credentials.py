"""The service account that speaks to Google: read once per process, and again when its file changes."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from google.auth import crypt

from wallets.providers.base import Problem
from wallets.providers.errors import BrokenCredential, NotConfigured

ISSUER, ACCOUNT = "LOYALTY_GOOGLE_ISSUER_ID", "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON"
LEAST_BITS = 2048


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Whom Google knows us as. fingerprint: of the issuer, the account and its key; names the credential to a breaker.

    signer: signs RS256 with the key, which is parsed once. token_uri: where access tokens are asked for.
    """

    issuer_id: str
    email: str
    key_id: str
    token_uri: str
    path: str
    fingerprint: str
    signer: crypt.RSASigner = field(repr=False, compare=False)


_lock = threading.Lock()
_read: dict[tuple[Any, ...], ServiceAccount] = {}


def configured(merchant_id: UUID | None = None) -> bool:
    """Tell whether the settings name an issuer and a service account that can be read."""
    try:
        current(merchant_id)
    except (NotConfigured, BrokenCredential):
        return False
    return True


def current(merchant_id: UUID | None = None) -> ServiceAccount:
    """Return the account for a merchant (today the platform's, for all of them).

    Raises NotConfigured when a setting is missing and BrokenCredential, naming the fault, when the file is of no use.
    """
    issuer, path = settings.LOYALTY_GOOGLE_ISSUER_ID, settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON
    for name, value in ((ISSUER, issuer), (ACCOUNT, path)):
        if not value:
            raise NotConfigured(f"{name} is not set")
    try:
        seen = Path(path).stat()
    except OSError as error:
        raise BrokenCredential(f"{ACCOUNT}: {path} cannot be read ({error.strerror})") from error
    key = (issuer, path, seen.st_mtime_ns, seen.st_size, seen.st_ino)
    with _lock:
        if key not in _read:
            account = _parse(issuer, path)
            _read.clear()
            _read[key] = account
        return _read[key]


def problems(merchant_id: UUID | None = None) -> list[Problem]:
    """Return what keeps us from using the account, without asking Google; [] when all is well."""
    missing = [name for name in (ISSUER, ACCOUNT) if not getattr(settings, name)]
    if missing:
        return [Problem("missing", name, f"{name} is not set.") for name in missing]
    try:
        current(merchant_id)
    except BrokenCredential as error:
        setting = ISSUER if str(error).startswith(ISSUER) else ACCOUNT
        return [Problem("broken", setting, str(error))]
    return []


def _parse(issuer: str, path: str) -> ServiceAccount:
    if not issuer.isdecimal() or not issuer.isascii():
        raise BrokenCredential(f"{ISSUER}: an issuer id has digits only, not {issuer!r}")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BrokenCredential(f"{ACCOUNT}: {path} cannot be read ({error.strerror})") from error
    info = _document(data)
    address = urlsplit(info["token_uri"])
    if address.scheme not in ("http", "https") or not address.netloc:
        raise BrokenCredential(f"{ACCOUNT}: token_uri is not a web address")
    return ServiceAccount(
        issuer_id=issuer, email=info["client_email"], key_id=info["private_key_id"], token_uri=info["token_uri"],
        path=path, fingerprint=_fingerprint(issuer, info),
        signer=_signer(info["private_key"], info["private_key_id"]),
    )  # fmt: skip


def _document(data: bytes) -> dict[str, str]:
    try:
        info = json.loads(data)
    except ValueError as error:
        raise BrokenCredential(f"{ACCOUNT}: the file is not JSON") from error
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise BrokenCredential(f"{ACCOUNT}: the file is no service account's key (its type must be service_account)")
    for name in ("client_email", "private_key", "private_key_id", "token_uri"):
        if not isinstance(info.get(name), str) or not info[name]:
            raise BrokenCredential(f"{ACCOUNT}: {name} is missing in the file")
    return info


def _signer(pem: str, key_id: str) -> crypt.RSASigner:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise BrokenCredential(f"{ACCOUNT}: private_key is not a readable PEM key") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise BrokenCredential(f"{ACCOUNT}: private_key must be an RSA key of {LEAST_BITS} bits or more")
    return crypt.RSASigner(key, key_id)  # type: ignore[no-untyped-call]


def _fingerprint(issuer: str, info: dict[str, str]) -> str:
    named = (issuer, info["client_email"], info["private_key_id"], info["private_key"], info["token_uri"])
    return hashlib.sha256("\n".join(named).encode()).hexdigest()
