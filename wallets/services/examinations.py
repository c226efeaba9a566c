"""Both wallets' credentials examined from the settings to the provider's answer: one finding per step, exact faults."""

from collections.abc import Iterator
from datetime import datetime

from wallets.enums import Provider
from wallets.providers.apple import checks as apple_checks
from wallets.providers.apple import credentials as apple_credentials
from wallets.providers.base import Problem
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.providers.findings import Finding
from wallets.providers.google import checks as google_checks
from wallets.providers.google import credentials as google_credentials

SETTINGS = {
    Provider.APPLE: apple_credentials.NAMES,
    Provider.GOOGLE: (google_credentials.ISSUER, google_credentials.ACCOUNT),
}


def is_set_up(provider: Provider, values: dict[str, str]) -> bool:
    """Tell whether any setting of a wallet says something: then all of them are meant to."""
    return any(values.get(name) for name in SETTINGS[provider])


def examine(provider: Provider, *, at: datetime, offline: bool = False) -> Iterator[Finding]:
    """Examine one wallet: its settings and files first; the provider is asked only when these are fine."""
    steps = _apple if provider == Provider.APPLE else _google
    yield from steps(at, offline)


def _apple(at: datetime, offline: bool) -> Iterator[Finding]:
    problems = apple_credentials.problems()
    yield from _from_problems(problems)
    if problems:
        return
    try:
        credential = apple_credentials.current()
    except (NotConfigured, BrokenCredential) as error:
        yield Finding("files", str(error), code="broken")
        return
    yield Finding("files", note=f"{credential.pass_type_id}, team {credential.team_id}; the key fits")
    yield from apple_checks.chain(credential, at=at)
    if not offline:
        yield from apple_checks.ask(credential)


def _google(at: datetime, offline: bool) -> Iterator[Finding]:
    problems = google_credentials.problems()
    yield from _from_problems(problems)
    if problems:
        return
    try:
        account = google_credentials.current()
    except (NotConfigured, BrokenCredential) as error:
        yield Finding("files", str(error), code="broken")
        return
    yield Finding("files", note=f"{account.email} for issuer {account.issuer_id}, key {account.key_id}")
    if not offline:
        yield from google_checks.ask(account, at=at)


def _from_problems(problems: list[Problem]) -> Iterator[Finding]:
    for problem in problems:
        what = problem.setting or "settings"
        yield Finding(what, problem.detail, code=problem.code)
