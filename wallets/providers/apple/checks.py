"""Apple asked end to end: does the push service take our certificate; is the chain Apple's; is the clock right."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.utils import timezone

from wallets.providers import findings
from wallets.providers.apple import apns, identifiers
from wallets.providers.apple.inspection import Credential
from wallets.providers.base import Verdict
from wallets.providers.findings import Finding

# Of the right form, and of no device: Apple judges the certificate first, then this.
NO_DEVICE = "0" * 64
TIMEOUT_SECONDS = 10.0
# Apple's push service sends no Date; this host of theirs does. Only asked where the push service is the real one.
CLOCK_URL = "https://www.apple.com/"
FORBIDDEN = 403
# Some servers refuse a certificate without saying so.
HUNG_UP = "the server closed the connection"


def is_for_development(credential: Credential) -> bool:
    """Tell whether a chain is not Apple's, but one that we or the fakes made: in form the same, trusted by no phone."""
    return not identifiers.is_apples(credential.intermediate)


def ask(credential: Credential) -> Iterator[Finding]:
    """Push to a device that does not exist: what Apple says first is about the certificate."""
    if not apns.is_for(credential):
        yield Finding("push service", note="not asked: the chain is made for development")
        return
    told = apns.push(credential, [NO_DEVICE])[0]
    apns.forget()
    yield _judged(told)
    if urlsplit(settings.LOYALTY_APPLE_APNS_URL).hostname == apns.REAL_HOST:
        found = findings.clock(_date_of(CLOCK_URL), at=timezone.now(), by="Apple")
        if found:
            yield found


def chain(credential: Credential, *, at: datetime) -> Iterator[Finding]:
    """Tell who stands behind the certificate, and how long."""
    if credential.root is not None and not _fits(credential.intermediate, credential.root):
        fault = "the intermediate was not signed by the root beside it in LOYALTY_APPLE_WWDR_CERT_PATH"
        yield Finding("chain", fault, code="chain_broken")
    elif is_for_development(credential):
        yield Finding("chain", note="not Apple's, made for development: no phone trusts it")
    else:
        yield Finding("chain", note="intermediate found by key id and proven by its signature")
    yield findings.life("certificate", not_after=credential.not_after, at=at)
    yield findings.life("intermediate", not_after=credential.intermediate.not_valid_after_utc, at=at)


def _fits(intermediate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        intermediate.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _judged(told: apns.Told) -> Finding:
    url, words = settings.LOYALTY_APPLE_APNS_URL, told.reason
    if not told.status:
        if told.verdict is Verdict.BLOCKED:
            return Finding("push service", f"{url} ended the handshake: {words}", code="handshake_refused")
        if "certificate verify failed" in words.lower():
            fault = (
                f"{url} shows a certificate that is not trusted here: something on the way opens TLS, or "
                f"LOYALTY_APPLE_APNS_CA_PATH is wrong ({words})"
            )
            return Finding("push service", fault, code="server_not_trusted")
        if HUNG_UP in words:
            fault = f"{url} hung up in the handshake: it does not take the certificate ({words})"
            return Finding("push service", fault, code="handshake_refused")
        return Finding("push service", f"{url} cannot be reached ({words})", code="unreachable")
    if told.status == FORBIDDEN:
        return Finding("push service", f"refuses the certificate: {words}", code="certificate_refused")
    if told.verdict is Verdict.BLOCKED:
        return Finding("push service", f"refuses the pass type: {words}", code="topic_refused")
    if told.verdict is Verdict.RETRY:
        return Finding("push service", f"does not work now: {told.status} {words}", code="unavailable")
    return Finding("push service", note="takes the certificate")


def _date_of(address: str) -> str | None:
    try:
        return requests.head(address, timeout=TIMEOUT_SECONDS, allow_redirects=False).headers.get("Date")
    except requests.RequestException:
        return None
