"""Google asked end to end: does it give a token, may the account see the issuer, does the key end one day.

Everything is done with the same account and the same exchange of tokens that passes use.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography import x509
from django.conf import settings
from django.utils import timezone

from wallets.providers import findings
from wallets.providers.findings import Finding
from wallets.providers.google.credentials import ServiceAccount
from wallets.providers.google.tokens import NoToken, TokenSource

TIMEOUT = (3.05, 10)
LONGEST = 300
ENDLESS_YEAR = 9000
# What Google's words mean for whoever has to mend it; the first that fits.
TOKEN_FAULTS = (
    ("short-lived", "the clock of this machine is off: Google refuses the time in the request", "clock_off"),
    ("signature", "the key was deleted at Google, or it belongs to another account: make a new key", "key_refused"),
    ("account not found", "this service account does not exist any more", "account_gone"),
    ("disabled", "this service account is disabled", "account_disabled"),
)
API_OFF = ("service_disabled", "accessnotconfigured", "has not been used in project")


class Ear:
    """Keeps the Date of the last answer, to hold our clock against it."""

    def __init__(self) -> None:
        self.finding: Finding | None = None

    def __call__(self, response: requests.Response, *args: Any, **kwargs: Any) -> None:
        """Listen to an answer."""
        heard = findings.clock(
            response.headers.get("Date"), at=timezone.now(), by=urlsplit(response.url).hostname or "Google"
        )
        self.finding = heard or self.finding


def ask(account: ServiceAccount, *, at: datetime) -> Iterator[Finding]:
    """Ask Google for a token and for the issuer's classes; each step needs the one before."""
    with requests.Session() as session:
        ear = Ear()
        session.hooks["response"].append(ear)
        try:
            token = TokenSource(account, session).token()
            yield Finding("token", note=f"given to {account.email}")
            yield _classes(account, session, token)
        except NoToken as error:
            yield _no_token(error)
        if ear.finding:
            yield ear.finding
        yield from _key(account, session, at)


def key_expiry(account: ServiceAccount) -> datetime | None:
    """Return when Google stops taking the key; None when it says nothing, or that the key does not end."""
    with requests.Session() as session:
        certificate = _published(account, session)
    if not isinstance(certificate, x509.Certificate):
        return None
    ends = certificate.not_valid_after_utc
    return ends if ends.year < ENDLESS_YEAR else None


def _no_token(error: NoToken) -> Finding:
    words = error.answer.reason
    low = words.lower()
    for sign, meaning, code in TOKEN_FAULTS:
        if sign in low:
            return Finding("token", f"{meaning} ({words[:LONGEST]})", code=code)
    if not error.answer.status:
        return Finding("token", f"Google cannot be reached ({words[:LONGEST]})", code="unreachable")
    return Finding("token", f"refused with {error.answer.status}: {words[:LONGEST]}", code="token_refused")


def _classes(account: ServiceAccount, session: requests.Session, token: str) -> Finding:
    address = f"{settings.LOYALTY_GOOGLE_API_BASE}/walletobjects/v1/loyaltyClass"
    query = {"issuerId": account.issuer_id, "maxResults": "1"}
    try:
        response = session.get(
            address, params=query, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        fault = f"{settings.LOYALTY_GOOGLE_API_BASE} cannot be reached ({type(error).__name__})"
        return Finding("classes", fault, code="unreachable")
    if response.status_code == 200:
        return Finding("classes", note=f"issuer {account.issuer_id} answers")
    return _refused(account, response)


def _refused(account: ServiceAccount, response: requests.Response) -> Finding:
    words, status = " ".join(response.text.split())[:LONGEST], response.status_code
    if any(sign in words.lower() for sign in API_OFF):
        return Finding("classes", f"the Google Wallet API is switched off in the project ({words})", code="api_off")
    if status == 403:
        fault = (
            f"{account.email} is no user of issuer {account.issuer_id}: add it in the Google Pay & Wallet Console "
            f"under Users, as developer ({words})"
        )
        return Finding("classes", fault, code="no_access")
    if status == 404:
        fault = f"there is no issuer {account.issuer_id}; see LOYALTY_GOOGLE_ISSUER_ID ({words})"
        return Finding("classes", fault, code="no_issuer")
    return Finding("classes", f"refused with {status}: {words}", code="refused")


def _key(account: ServiceAccount, session: requests.Session, at: datetime) -> Iterator[Finding]:
    found = _published(account, session)
    if found == "gone":
        fault = f"Google does not list the key {account.key_id} any more: it was deleted or has expired"
        yield Finding("key", fault, code="key_gone")
    elif isinstance(found, x509.Certificate):
        ends = found.not_valid_after_utc
        if ends.year >= ENDLESS_YEAR:
            yield Finding("key", note="does not end by itself")
        else:
            yield findings.life("key", not_after=ends, at=at)


def _published(account: ServiceAccount, session: requests.Session) -> x509.Certificate | str:
    """Return the key's certificate as Google publishes it; "gone" when it lists others only, "" when it cannot tell."""
    try:
        info = json.loads(Path(account.path).read_bytes())
        address = info.get("client_x509_cert_url") if isinstance(info, dict) else ""
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            return ""
        response = session.get(address, timeout=TIMEOUT, allow_redirects=False)
        listed = response.json() if response.status_code == 200 else None
    except (OSError, ValueError, requests.RequestException):
        return ""
    if not isinstance(listed, dict) or not listed:
        return ""
    text = listed.get(account.key_id)
    if not isinstance(text, str):
        return "gone"
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        return ""
