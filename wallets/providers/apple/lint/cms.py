"""A CMS SignedData taken apart (RFC 5652, section 5): what a pass's signature says, before it is judged."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from wallets.providers.apple import identifiers
from wallets.providers.apple.lint import der
from wallets.providers.apple.lint.der import Node, NotDer

SIGNED_DATA = "1.2.840.113549.1.7.2"
MESSAGE_DIGEST, SIGNING_TIME, CONTENT_TYPE = "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.3"
CERTIFICATES, ATTRIBUTES, UTC_TIME = 0xA0, 0xA0, 0x17


@dataclass(frozen=True, slots=True)
class Signature:
    """One signer's part. attributes: as signed (a SET), b"" for none; embedded: whether the manifest stands inside."""

    certificates: tuple[x509.Certificate, ...]
    signer: x509.Certificate | None
    embedded: bool
    digest: str
    attributes: bytes
    message_digest: bytes
    signed_at: datetime | None
    value: bytes


def read(data: bytes) -> Signature:
    """Return what a signature says; raises NotDer when it is no SignedData with one signer."""
    outer = der.parse(data).children()
    if len(outer) != 2 or outer[0].oid() != SIGNED_DATA:
        raise NotDer("no SignedData")
    parts = outer[1].children()[0].children()
    encapsulated = parts[2].children()
    certificates = _certificates(parts[3]) if parts[3].tag == CERTIFICATES else ()
    signers = parts[-1].children()
    if len(signers) != 1:
        raise NotDer(f"{len(signers)} signers instead of one")
    return _signer(signers[0], certificates, embedded=len(encapsulated) > 1)


def _certificates(node: Node) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_der_x509_certificate(one.whole) for one in node.children())


def _signer(node: Node, certificates: tuple[x509.Certificate, ...], *, embedded: bool) -> Signature:
    parts = node.children()
    named, digest = parts[1], parts[2].children()[0].oid()
    attributes, value = b"", parts[4]
    if parts[3].tag == ATTRIBUTES:
        # The signature covers them as a SET, whatever tag they bear here (RFC 5652, section 5.4).
        attributes, value = bytes([der.SET]) + parts[3].whole[1:], parts[5]
    facts = _facts(parts[3]) if attributes else {}
    signed_at = facts.get(SIGNING_TIME)
    return Signature(
        certificates=certificates,
        signer=_named(named, certificates),
        embedded=embedded,
        digest=digest,
        attributes=attributes,
        message_digest=facts[MESSAGE_DIGEST].content if MESSAGE_DIGEST in facts else b"",
        signed_at=_time(signed_at) if signed_at is not None else None,
        value=value.content,
    )


def _facts(attributes: Node) -> dict[str, Node]:
    """Return the first value of each attribute by its object identifier."""
    found = {}
    for attribute in attributes.children():
        kind, values = attribute.children()
        found[kind.oid()] = values.children()[0]
    return found


def _named(identifier: Node, certificates: tuple[x509.Certificate, ...]) -> x509.Certificate | None:
    """Return the certificate that the signer names by issuer and serial number, or by key identifier."""
    if identifier.tag != der.SEQUENCE:
        return next((one for one in certificates if identifiers.key_id(one) == identifier.content), None)
    issuer, serial = identifier.children()
    for one in certificates:
        if one.serial_number == serial.integer() and one.issuer.public_bytes() == issuer.whole:
            return one
    return None


def _time(node: Node) -> datetime:
    text = node.content.decode("ascii", "replace")
    form = "%y%m%d%H%M%SZ" if node.tag == UTC_TIME else "%Y%m%d%H%M%SZ"
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        raise NotDer("a signing time that cannot be read") from None
