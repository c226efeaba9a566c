"""Warnings before a wallet's credential ends: a mail to the platform's administrators, once per step, and a log line.

Without the certificate nothing new is signed and nothing is pushed; nobody notices before a customer does.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from core import mail_pages
from merchants.models import User
from wallets.enums import Provider
from wallets.models import ProviderState
from wallets.providers.apple import credentials as apple
from wallets.providers.apple import inspection
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.providers.google import checks as google_checks
from wallets.providers.google import credentials as google

# Days before the end; 0 once it has ended.
STEPS = (60, 30, 14, 7, 1, 0)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """A credential and when it ends. name: as its settings and Apple or Google call it."""

    provider: Provider
    fingerprint: str
    name: str
    ends_at: datetime

    def step(self, at: datetime) -> int | None:
        """Return the step that is reached; None while there is more time than the first."""
        seconds = (self.ends_at - at).total_seconds()
        return next((days for days in reversed(STEPS) if seconds <= days * 86400), None)


def warn(*, at: datetime) -> int:
    """Warn of each credential that has reached a step nobody was warned of; returns how many warnings went out.

    A mail that cannot be sent is tried again at the next run: the step is kept only when it went.
    """
    return sum(_warn_once(ending, at) for ending in endings())


def endings() -> Iterator[Ending]:
    """Yield the credentials in use whose end is known; Google is asked for its key's."""
    try:
        certificate = apple.current()
        yield Ending(Provider.APPLE, certificate.fingerprint, certificate.pass_type_id, certificate.not_after)
    except NotConfigured:
        pass
    except BrokenCredential:
        yield from _ended_certificate()
    try:
        account = google.current()
    except (NotConfigured, BrokenCredential):
        return
    ends_at = google_checks.key_expiry(account)
    if ends_at is not None:
        yield Ending(Provider.GOOGLE, account.fingerprint, account.email, ends_at)


def _ended_certificate() -> Iterator[Ending]:
    """Yield the certificate that cannot be used, perhaps because its time is over."""
    files = inspection.Configuration(*(str(getattr(settings, name)) for name in apple.NAMES))
    certificate, _problems = inspection.inspect(files)
    if certificate is not None:
        yield Ending(Provider.APPLE, certificate.fingerprint, certificate.pass_type_id, certificate.not_after)


def _warn_once(ending: Ending, at: datetime) -> bool:
    step = ending.step(at)
    if step is None:
        return False
    named: dict[str, Any] = {"provider": ending.provider, "credential": ending.fingerprint}
    ProviderState.objects.get_or_create(**named)
    with transaction.atomic():
        state = ProviderState.objects.select_for_update().get(**named)
        if state.warned_days is not None and state.warned_days <= step:
            return False
        days = max((ending.ends_at - at).days, 0)
        logger.warning("%s: the credential %s ends in %d days", ending.provider.label, ending.name, days)
        state.warned_days = step
        state.save(update_fields=["warned_days"])
        # Last: a mail that does not go takes the step back with it.
        get_connection().send_messages(list(_letters(ending, days=days, over=step == 0)))
    return True


def _letters(ending: Ending, *, days: int, over: bool) -> Iterator[EmailMessage]:
    context = {
        "wallet": ending.provider.label, "name": ending.name, "days": days, "over": over, "ends_at": ending.ends_at,
        "is_apple": ending.provider == Provider.APPLE, "site": settings.SITE_URL,
    }  # fmt: skip
    admins = User.objects.filter(is_staff=True, is_superuser=True, is_active=True).order_by("pk")
    for admin in admins:
        with translation.override(admin.language or settings.LANGUAGE_CODE):
            subject = render_to_string("wallets/mail/credential_ends_subject.txt", context)
            body = render_to_string("wallets/mail/credential_ends.txt", context)
            letter = mail_pages.message(subject, body, admin.email)
        yield letter
