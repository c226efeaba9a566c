"""The signature over a pass's manifest: CMS SignedData, detached and binary, SHA-256.

Source: Apple's Wallet Developer Guide. The options matter: without Binary line ends are rewritten before hashing,
without DetachedSignature the manifest stands inside; both verify nowhere.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from wallets.providers.apple.credentials import Credential

OPTIONS = [
    pkcs7.PKCS7Options.DetachedSignature,
    pkcs7.PKCS7Options.Binary,
    # What a mail program may encrypt with is nothing to a phone; signingTime stays.
    pkcs7.PKCS7Options.NoCapabilities,
]


def sign(manifest: bytes, credential: Credential) -> bytes:
    """Return the signature of a manifest (DER), with the pass certificate and its intermediate inside."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(manifest)
    builder = builder.add_signer(credential.certificate, credential.key, SHA256())
    # After the signer: add_signer forgets the certificates that were added before it.
    return builder.add_certificate(credential.intermediate).sign(Encoding.DER, OPTIONS)
