"""The keys and certificates of the fakes: a pass chain like Apple's, and APNs' own certificate.

Written without the product's code, so that a mistake there cannot hide here. Files that are there and still good for a
month are kept: passes that were made with them stay valid over a restart.
"""

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PASS_PURPOSE = ObjectIdentifier("1.2.840.113635.100.4.14")
PASS_EXTENSION = ObjectIdentifier("1.2.840.113635.100.6.1.16")
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Files:
    """Where everything is. All of it is made for one folder."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root that stands for Apple's."""
        return self.folder / "root.pem"

    @property
    def intermediate(self) -> Path:
        """The certificate that stands for WWDR G4."""
        return self.folder / "wwdr.pem"

    @property
    def next_intermediate(self) -> Path:
        """The one that will sign the next pass certificate, see `rotate`."""
        return self.folder / "next.pem"

    @property
    def next_key(self) -> Path:
        """Its key."""
        return self.folder / "next.key"

    @property
    def clients(self) -> Path:
        """What the fake APNs trusts in its clients: Apple knows its own intermediates."""
        return self.folder / "clients.pem"

    @property
    def signer(self) -> Path:
        """The pass certificate."""
        return self.folder / "signer.pem"

    @property
    def signer_key(self) -> Path:
        """Its key."""
        return self.folder / "signer.key"

    @property
    def apns_ca(self) -> Path:
        """What a client of the fake APNs has to trust."""
        return self.folder / "apns-ca.pem"

    @property
    def apns_certificate(self) -> Path:
        """The certificate of the fake APNs, for localhost."""
        return self.folder / "apns.pem"

    @property
    def apns_key(self) -> Path:
        """Its key."""
        return self.folder / "apns.key"

    @property
    def service_account(self) -> Path:
        """The service account's JSON."""
        return self.folder / "service-account.json"


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


def prepare(folder: Path, *, pass_type: str, team: str) -> Files:
    """Make what is missing or old."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = Files(folder)
    if not _good(files, pass_type):
        root = make_root()
        intermediate = make_intermediate(root)
        upcoming = make_intermediate(root)
        write(files.root, root)
        write(files.intermediate, intermediate)
        write(files.next_intermediate, upcoming, files.next_key)
        _replace(files.clients, b"".join(_pem(one) for one in (root, intermediate, upcoming)))
        write(files.signer, make_signer(intermediate, pass_type=pass_type, team=team), files.signer_key)
        authority = make_root("Fake APNs CA")
        write(files.apns_ca, authority)
        write(files.apns_certificate, make_server(authority), files.apns_key)
    return files


def rotate(files: Files, *, pass_type: str, team: str) -> x509.Certificate:
    """Replace intermediate, key and certificate below the same root, file by file as an operator would."""
    key = serialization.load_pem_private_key(files.next_key.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    intermediate = Issued(x509.load_pem_x509_certificate(files.next_intermediate.read_bytes()), key)
    signer = make_signer(intermediate, pass_type=pass_type, team=team)
    write(files.intermediate, intermediate)
    write(files.signer, signer, files.signer_key)
    return signer.certificate


def make_root(name: str = "Fake Apple Root CA") -> Issued:
    """Make a self-signed authority."""
    return _issue({NameOID.COMMON_NAME: name, NameOID.ORGANIZATION_NAME: "Fakes"}, issuer=None, days=3650)


def make_intermediate(root: Issued) -> Issued:
    """Make what stands for Apple's WWDR G4, with its names."""
    names = {
        NameOID.COMMON_NAME: "Apple Worldwide Developer Relations Certification Authority",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "G4",
        NameOID.ORGANIZATION_NAME: "Fakes",
    }
    return _issue(names, issuer=root, days=3650)


def make_signer(intermediate: Issued, *, pass_type: str, team: str, days: int = 365) -> Issued:
    """Make a pass certificate: UID and common name are the pass type, OU is the team."""
    names = {
        NameOID.USER_ID: pass_type,
        NameOID.COMMON_NAME: f"Pass Type ID: {pass_type}",
        NameOID.ORGANIZATIONAL_UNIT_NAME: team,
        NameOID.ORGANIZATION_NAME: "Fakes",
    }
    text = pass_type.encode()
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, PASS_PURPOSE]), False),
        (x509.UnrecognizedExtension(PASS_EXTENSION, bytes([0x0C, len(text)]) + text), False),
    ]
    return _issue(names, issuer=intermediate, days=days, authority=False, extensions=extensions)


def make_server(authority: Issued) -> Issued:
    """Make the certificate of a server on this machine."""
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([x509.DNSName("localhost"), address]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ]
    names = {NameOID.COMMON_NAME: "localhost"}
    return _issue(names, issuer=authority, days=365, authority=False, extensions=extensions)


def write(path: Path, issued: Issued, key_path: Path | None = None) -> None:
    """Write a certificate and, when a path is given, its key; each appears at once and whole."""
    if key_path is not None:
        _replace(key_path, pem_of(issued.key))
    _replace(path, _pem(issued))


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    """Return a key as PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip


def _pem(issued: Issued) -> bytes:
    return issued.certificate.public_bytes(serialization.Encoding.PEM)


def _issue(
    names: dict[ObjectIdentifier, str],
    *,
    issuer: Issued | None,
    days: int,
    authority: bool = True,
    extensions: list[tuple[x509.ExtensionType, bool]] | None = None,
) -> Issued:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(kind, text) for kind, text in names.items()])
    by = issuer.certificate.subject if issuer else subject
    signed_by = issuer.key if issuer else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()), critical=False)
        .add_extension(_usage(authority), critical=True)
    )
    for extension, critical in extensions or []:
        builder = builder.add_extension(extension, critical=critical)
    return Issued(builder.sign(signed_by, hashes.SHA256()), key)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _good(files: Files, pass_type: str) -> bool:
    needed = (files.root, files.intermediate, files.next_key, files.clients, files.signer_key, files.apns_key)
    if not all(path.exists() for path in needed):
        return False
    for path in (files.signer, files.apns_certificate):
        if not path.exists():
            return False
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if certificate.not_valid_after_utc < datetime.now(UTC) + KEPT_FOR:
            return False
    signer = x509.load_pem_x509_certificate(files.signer.read_bytes())
    return signer.subject.get_attributes_for_oid(NameOID.USER_ID)[0].value == pass_type


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
