"""The signature judged as a phone does: over these bytes, by a pass certificate, with the chain that issued it."""

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from wallets.providers.apple import credentials, identifiers
from wallets.providers.apple.lint import cms
from wallets.providers.apple.lint.cms import Signature
from wallets.providers.apple.lint.der import NotDer
from wallets.providers.errors import BrokenCredential, NotConfigured

DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "1.3.14.3.2.26": hashes.SHA1,
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
CLOCKS_DIFFER = timedelta(minutes=5)


def judge(manifest: bytes, data: bytes) -> tuple[x509.Certificate | None, list[str]]:
    """Return the pass certificate that signed, and the faults of the signature: the first that explains the others."""
    if data.lstrip().startswith((b"-----BEGIN", b"MIME-Version", b"Content-Type")):
        return None, ["The signature is text (PEM or S/MIME); it must be DER."]
    try:
        found = cms.read(data)
    except (NotDer, ValueError, IndexError, KeyError) as error:
        return None, [f"The signature is no CMS SignedData in DER: {error}."]
    fault = _form(found) or _value(found, manifest) or _chain(found) or _time(found)
    return found.signer, [fault] if fault else []


def _form(found: Signature) -> str:
    if found.embedded:
        return "The signature has the manifest inside; it must be detached."
    if not found.certificates:
        return "The signature holds no certificates; the pass certificate and Apple's intermediate must be inside."
    if found.signer is None:
        return "The certificate that signed is not in the signature."
    if found.digest not in DIGESTS:
        return f"The signature uses the hash {found.digest}; phones read SHA-256."
    if not found.message_digest:
        return "The signature has no signed attributes (contentType, messageDigest, signingTime)."
    if found.signed_at is None:
        return "The signature does not say when it was made (signingTime)."
    return ""


def _value(found: Signature, manifest: bytes) -> str:
    if found.message_digest != _hash(found, manifest):
        mailed = manifest.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if found.message_digest == _hash(found, mailed):
            return "The signature is over the manifest with other line ends: it was made without the option Binary."
        return "The signature is of another manifest.json: the manifest was changed after it was signed."
    if found.signer is None or not _verifies(found, found.signer):
        return "The manifest's signature does not verify with the certificate inside."
    return ""


def _hash(found: Signature, content: bytes) -> bytes:
    return hashlib.new(DIGESTS[found.digest]().name, content, usedforsecurity=False).digest()


def _verifies(found: Signature, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), DIGESTS[found.digest]()
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(found.value, found.attributes, PKCS1v15(), algorithm)
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(found.value, found.attributes, ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _chain(found: Signature) -> str:
    signer = found.signer
    if signer is None:
        return ""
    if not identifiers.is_for_passes(signer):
        return f"{identifiers.shown_name(signer.subject)} is no pass certificate: Apple's extension is not there."
    others = [one for one in found.certificates if one != signer]
    wanted = identifiers.issuer_key_id(signer)
    issuer = next((one for one in others if identifiers.key_id(one) == wanted or one.subject == signer.issuer), None)
    needed = f"{identifiers.shown_name(signer.issuer)}, key {wanted.hex() or 'unknown'}"
    if not others:
        return f"The signature lacks Apple's intermediate ({needed})."
    if issuer is None or not _issued(signer, issuer):
        there = ", ".join(identifiers.shown_name(one.subject) for one in others)
        return f"The wrong intermediate is in the signature: {there} instead of {needed}."
    return _root(issuer)


def _root(intermediate: x509.Certificate) -> str:
    """Check the intermediate against our root where we know it; Apple's own is not ours to hand out."""
    try:
        root = credentials.current().root
    except (NotConfigured, BrokenCredential):
        return ""
    if root is None or identifiers.key_id(root) != identifiers.issuer_key_id(intermediate):
        return ""
    return "" if _issued(intermediate, root) else "The intermediate in the signature was not issued by its root."


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _time(found: Signature) -> str:
    signer, at = found.signer, found.signed_at
    if signer is None or at is None:
        return ""
    if at > datetime.now(UTC) + CLOCKS_DIFFER:
        return f"The pass was signed in the future, {at:%Y-%m-%d %H:%M} UTC: the signer's clock is wrong."
    for one in found.certificates:
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            since, until = one.not_valid_before_utc, one.not_valid_after_utc
            return (
                f"The pass was signed on {at:%Y-%m-%d}, outside of the validity of "
                f"{identifiers.shown_name(one.subject)} ({since:%Y-%m-%d} to {until:%Y-%m-%d})."
            )
    return ""
