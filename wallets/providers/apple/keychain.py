"""A .p12 as Keychain Access exports it: read, checked, and taken apart into the files that the settings name."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12

from wallets.providers import findings
from wallets.providers.apple import identifiers
from wallets.providers.errors import BrokenCredential
from wallets.providers.findings import Finding

CERTIFICATE, KEY, INTERMEDIATE = "signer.pem", "signer.key", "wwdr.pem"


@dataclass(frozen=True, slots=True)
class Keychain:
    """What is in a .p12; issuer: the intermediate that issued the certificate, where it came along."""

    certificate: x509.Certificate
    key: RSAPrivateKey | EllipticCurvePrivateKey
    issuer: x509.Certificate | None


def read(data: bytes, password: str | None) -> Keychain:
    """Open a .p12; raises BrokenCredential with the fault."""
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, password.encode() if password else None)
    except (ValueError, TypeError) as error:
        raise BrokenCredential("the password is wrong, or the file is no .p12") from error
    if key is None:
        raise BrokenCredential("the file holds no private key: export the certificate together with its key")
    if certificate is None:
        raise BrokenCredential("the file holds no certificate that belongs to its key")
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise BrokenCredential("the file holds a key of a kind that signs no passes: RSA is needed")
    return Keychain(certificate, key, _issuer(certificate, others))


def examine(found: Keychain, *, at: datetime) -> Iterator[Finding]:
    """Tell what the certificate is for, and what is wrong with it."""
    certificate = found.certificate
    if certificate.public_key() != found.key.public_key():
        yield Finding("key", "does not belong to the certificate", code="key_mismatch")
    else:
        yield Finding("key", note="belongs to the certificate")
    if identifiers.is_for_passes(certificate):
        team, pass_type = identifiers.team_of(certificate), identifiers.pass_type_of(certificate)
        yield Finding("certificate", note=f"signs passes of {pass_type}, team {team}")
    else:
        name = identifiers.shown_name(certificate.subject)
        yield Finding("certificate", f"{name} is no pass certificate", code="not_a_pass_certificate")
    if certificate.not_valid_before_utc > at:
        since = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        yield Finding("validity", f"begins on {since}; the clock here says {at:%Y-%m-%d %H:%M}", code="not_yet_valid")
    else:
        yield findings.life("validity", not_after=certificate.not_valid_after_utc, at=at)
    issued_by = identifiers.shown_name(certificate.issuer)
    if found.issuer is None:
        key_id = identifiers.issuer_key_id(certificate).hex() or "unknown"
        yield Finding("intermediate", note=f"not in the file; {INTERMEDIATE} must be {issued_by}, key {key_id}")
    else:
        yield Finding("intermediate", note=f"{issued_by}, in the file")


def files(found: Keychain) -> dict[str, bytes]:
    """Return the files to keep, by name; the key without a password."""
    pem = serialization.Encoding.PEM
    key = found.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    written = {CERTIFICATE: found.certificate.public_bytes(pem), KEY: key}
    if found.issuer is not None:
        written[INTERMEDIATE] = found.issuer.public_bytes(pem)
    return written


def write(found: Keychain, folder: Path) -> list[Path]:
    """Write the files, the key readable by its owner only; raises FileExistsError rather than replace one."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {folder / name: content for name, content in files(found).items()}
    there = [path for path in wanted if path.exists()]
    if there:
        raise FileExistsError(str(there[0]))
    for path, content in wanted.items():
        mode = 0o600 if path.name == KEY else 0o644
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    return list(wanted)


def settings_for(found: Keychain, folder: Path) -> dict[str, str]:
    """Return the settings that go with the files."""
    return {
        "LOYALTY_APPLE_PASS_TYPE_ID": identifiers.pass_type_of(found.certificate),
        "LOYALTY_APPLE_TEAM_ID": identifiers.team_of(found.certificate),
        "LOYALTY_APPLE_SIGNER_CERT_PATH": str(folder / CERTIFICATE),
        "LOYALTY_APPLE_SIGNER_KEY_PATH": str(folder / KEY),
        "LOYALTY_APPLE_WWDR_CERT_PATH": str(folder / INTERMEDIATE),
    }


def _issuer(certificate: x509.Certificate, others: list[x509.Certificate]) -> x509.Certificate | None:
    wanted = identifiers.issuer_key_id(certificate)
    for other in others:
        if wanted and identifiers.key_id(other) == wanted:
            return other
    return None
