"""What names a pass certificate: Apple's object identifiers, and the names in its subject."""

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

PASS_EXTENSION = x509.ObjectIdentifier("1.2.840.113635.100.6.1.16")
MAKER = "Apple Inc."
PASS_USAGE = x509.ObjectIdentifier("1.2.840.113635.100.4.14")


def pass_type_of(certificate: x509.Certificate) -> str:
    """Return the pass type that a certificate is for: the UID of its subject, "" for none."""
    return _first(certificate.subject, NameOID.USER_ID)


def team_of(certificate: x509.Certificate) -> str:
    """Return the team that a certificate belongs to: the OU of its subject, "" for none."""
    return _first(certificate.subject, NameOID.ORGANIZATIONAL_UNIT_NAME)


def shown_name(name: x509.Name) -> str:
    """Return a subject or issuer for people: common name, and unit where it tells generations apart (WWDR's G4)."""
    common, unit = _first(name, NameOID.COMMON_NAME), _first(name, NameOID.ORGANIZATIONAL_UNIT_NAME)
    return " ".join(part for part in (common or name.rfc4514_string(), f"({unit})" if unit else "") if part)


def key_id(certificate: x509.Certificate) -> bytes:
    """Return a certificate's own key identifier; where it has none, the one that RFC 5280 computes from its key."""
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
    except x509.ExtensionNotFound:
        found = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
    return found.digest if isinstance(found, x509.SubjectKeyIdentifier) else b""


def issuer_key_id(certificate: x509.Certificate) -> bytes:
    """Return the identifier of the key that issued a certificate, b"" when it does not say."""
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
    except x509.ExtensionNotFound:
        return b""
    return (found.key_identifier or b"") if isinstance(found, x509.AuthorityKeyIdentifier) else b""


def is_for_passes(certificate: x509.Certificate) -> bool:
    """Tell whether Apple marked a certificate for signing passes: by its extension, or by its extended key usage."""
    oids = {extension.oid for extension in certificate.extensions}
    if PASS_EXTENSION in oids:
        return True
    if ExtensionOID.EXTENDED_KEY_USAGE not in oids:
        return False
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return PASS_USAGE in usages


def is_apples(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate names Apple as the one it belongs to; any other chain is made for development."""
    makers = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(name.value == MAKER for name in makers)


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
