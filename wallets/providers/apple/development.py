"""A certificate chain for development: as Apple's in form, trusted by no phone.

Root, an intermediate "WWDR G4", and a pass certificate whose UID is the pass type and whose OU is the team. The keys of
root and intermediate are thrown away: only the pass certificate's key is kept.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wallets.providers.apple.identifiers import PASS_EXTENSION, PASS_USAGE

ROOT, INTERMEDIATE, SIGNER, KEY = "root.pem", "wwdr.pem", "signer.pem", "signer.key"
FILES = (ROOT, INTERMEDIATE, SIGNER, KEY)
MAKER = "Loyalty development"
PASS_TYPE_ID = "pass.example.loyalty.development"  # noqa: S105 - a name
TEAM_ID = "DEVTEAM001"
LIFETIME = timedelta(days=825)
CA_LIFETIME = timedelta(days=3650)
# Clocks of virtual machines drift; a certificate of the future signs nothing.
EARLIER = timedelta(days=1)
RENEW_BEFORE = timedelta(days=7)
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: RSAPrivateKey


def make(folder: Path, *, pass_type_id: str, team_id: str, at: datetime) -> None:
    """Write a new chain into a folder, the key with mode 600 from its first byte and as the last file."""
    root = _authority("Root CA", None, at=at)
    intermediate = _authority("WWDR G4", root, at=at)
    key = generate_private_key(public_exponent=65537, key_size=2048)
    leaf = _pass_certificate(key, intermediate, pass_type_id=pass_type_id, team_id=team_id, at=at)
    folder.mkdir(parents=True, exist_ok=True)
    for name, certificate in ((ROOT, root.certificate), (INTERMEDIATE, intermediate.certificate), (SIGNER, leaf)):
        _write(folder / name, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / KEY, private, 0o600)


def settings_for(folder: Path, *, pass_type_id: str = PASS_TYPE_ID, team_id: str = TEAM_ID) -> dict[str, str]:
    """Return the settings that sign passes with the chain in a folder."""
    return {
        "LOYALTY_APPLE_PASS_TYPE_ID": pass_type_id,
        "LOYALTY_APPLE_TEAM_ID": team_id,
        "LOYALTY_APPLE_WWDR_CERT_PATH": str(folder / INTERMEDIATE),
        "LOYALTY_APPLE_SIGNER_CERT_PATH": str(folder / SIGNER),
        "LOYALTY_APPLE_SIGNER_KEY_PATH": str(folder / KEY),
    }


def complete(folder: Path) -> bool:
    """Tell whether all files of a chain are there."""
    return all((folder / name).is_file() for name in FILES)


def foreign(folder: Path) -> bool:
    """Tell whether the pass certificate in a folder is somebody else's, Apple's perhaps: not ours to replace."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / SIGNER).read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    makers = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return not any(name.value == MAKER for name in makers)


def serves(folder: Path, *, pass_type_id: str, team_id: str, at: datetime) -> bool:
    """Tell whether a complete chain of ours is for this pass type and team and valid for some days more."""
    if not complete(folder):
        return False
    try:
        certificate = x509.load_pem_x509_certificate((folder / SIGNER).read_bytes())
        key = serialization.load_pem_private_key((folder / KEY).read_bytes(), None)
    except (ValueError, TypeError):
        return False
    subject = certificate.subject
    named = [
        [name.value for name in subject.get_attributes_for_oid(oid)]
        for oid in (NameOID.USER_ID, NameOID.ORGANIZATIONAL_UNIT_NAME)
    ]
    fresh = at + RENEW_BEFORE < certificate.not_valid_after_utc
    return named == [[pass_type_id], [team_id]] and fresh and certificate.public_key() == key.public_key()


def _name(common_name: str, **more: str) -> x509.Name:
    oids = {"uid": NameOID.USER_ID, "unit": NameOID.ORGANIZATIONAL_UNIT_NAME}
    parts = [x509.NameAttribute(oids[kind], value) for kind, value in more.items()]
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name[:LONGEST_NAME]))
    return x509.Name([*parts, x509.NameAttribute(NameOID.ORGANIZATION_NAME, MAKER)])


def _builder(
    subject: x509.Name, key: RSAPrivateKey, issuer: _Issuer | None, at: datetime, life: timedelta
) -> x509.CertificateBuilder:
    issuer_name = issuer.certificate.subject if issuer else subject
    issuer_key = (issuer.key if issuer else key).public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - EARLIER)
        .not_valid_after(at + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _authority(name: str, issuer: _Issuer | None, *, at: datetime) -> _Issuer:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    subject = _name(f"{MAKER} {name}", **({"unit": "G4"} if issuer else {}))
    builder = (
        _builder(subject, key, issuer, at, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None if issuer is None else 0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return _Issuer(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _pass_certificate(
    key: RSAPrivateKey, issuer: _Issuer, *, pass_type_id: str, team_id: str, at: datetime
) -> x509.Certificate:
    subject = _name(f"Pass Type ID: {pass_type_id}", uid=pass_type_id, unit=team_id)
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, PASS_USAGE])
    value = pass_type_id.encode()
    utf8_string = bytes([0x0C, len(value)]) + value
    builder = (
        _builder(subject, key, issuer, at, LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(x509.UnrecognizedExtension(PASS_EXTENSION, utf8_string), critical=False)
    )
    return builder.sign(issuer.key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _write(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.replace(path)
