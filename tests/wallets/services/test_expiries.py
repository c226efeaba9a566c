"""Before a credential ends the platform's administrators are told: once per step, in their language, never lost."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from core.admin import health
from merchants.models import User
from tests.fakes import credentials
from tests.fakes.google import new_account
from tests.support.desk import Desk
from tests.wallets.answering import Answering
from wallets import tasks
from wallets.models import ProviderState
from wallets.services import expiries

pytestmark = pytest.mark.django_db
PASS_TYPE, TEAM, DAYS = "pass.example.expiring", "TEAM123456", 100
Install = Any


@pytest.fixture
def install(tmp_path: Path, settings: Any) -> Install:
    """Put a pass certificate that is valid for some days in place."""
    intermediate = credentials.make_intermediate(credentials.make_root())
    credentials.write(tmp_path / "wwdr.pem", intermediate)
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(tmp_path / "wwdr.pem")
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(tmp_path / "signer.pem")
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(tmp_path / "signer.key")
    settings.LOYALTY_GOOGLE_ISSUER_ID = settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""

    def certificate(days: int) -> datetime:
        issued = credentials.make_signer(intermediate, pass_type=PASS_TYPE, team=TEAM, days=days)
        credentials.write(tmp_path / "signer.pem", issued, tmp_path / "signer.key")
        return issued.certificate.not_valid_after_utc

    return certificate


@pytest.fixture(autouse=True)
def admins() -> None:
    User.objects.create_superuser("anne@platform.example", "a-long-password", language="fr")
    User.objects.create_superuser("ben@platform.example", "a-long-password", language="en")
    User.objects.create_superuser("gone@platform.example", "a-long-password", is_active=False)
    User.objects.create_user("owner@coffeelux.example", "a-long-password")


def warn_before(ends_at: datetime, **before: float) -> list[str]:
    """Run the daily task some time before the end; return who was written to."""
    mail.outbox.clear()
    with time_machine.travel(ends_at - timedelta(**before), tick=False):
        tasks.warn_of_expiries()
    return sorted(letter.to[0] for letter in mail.outbox)


BOTH = ["anne@platform.example", "ben@platform.example"]


def test_each_step_is_told_once(install: Install) -> None:
    ends_at = install(DAYS)

    told = {days: bool(warn_before(ends_at, days=days - 0.5)) for days in range(90, -1, -1)}

    assert [days for days, was in told.items() if was] == [60, 30, 14, 7, 1, 0]


def test_twice_a_day_is_told_once(install: Install) -> None:
    ends_at = install(DAYS)

    assert warn_before(ends_at, days=59) == BOTH
    assert warn_before(ends_at, days=59) == []
    assert ProviderState.objects.get().warned_days == 60


def test_after_a_long_silence_only_the_step_that_is_reached_is_told(install: Install) -> None:
    ends_at = install(DAYS)

    assert warn_before(ends_at, days=6) == BOTH
    assert warn_before(ends_at, days=5) == []
    assert ProviderState.objects.get().warned_days == 7


def test_it_says_what_to_do_in_the_language_of_the_reader(install: Install) -> None:
    warn_before(install(DAYS), days=29, hours=1)

    english = next(letter for letter in mail.outbox if letter.to == ["ben@platform.example"])

    assert english.subject == "Apple Wallet: the certificate ends in 29 days"
    assert PASS_TYPE in english.body
    assert "docs/wallets.md" in english.body
    assert "\n\n\n" not in english.body
    assert "{" not in english.body


def test_a_new_certificate_begins_anew(install: Install) -> None:
    assert warn_before(install(DAYS), days=29) == BOTH

    assert warn_before(install(DAYS + 300), days=200) == []
    assert warn_before(install(DAYS + 300), days=29) == BOTH


def test_a_service_accounts_key_is_told_of_too(settings: Any, tmp_path: Path) -> None:
    issued = credentials.make_signer(
        credentials.make_intermediate(credentials.make_root()), pass_type="key", team="key", days=DAYS
    )
    listed = {"fakes-1": issued.certificate.public_bytes(serialization.Encoding.PEM).decode()}
    with Answering(listed) as server:
        account = {**new_account(), "token_uri": server.url, "client_x509_cert_url": f"{server.url}/certs"}
        (tmp_path / "account.json").write_text(json.dumps(account))
        settings.LOYALTY_GOOGLE_ISSUER_ID = "3388000000022222222"
        settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(tmp_path / "account.json")
        told = warn_before(issued.certificate.not_valid_after_utc, days=13)

    assert told == BOTH
    assert "Google Wallet" in mail.outbox[1].subject
    assert "wallet@fakes.example" in mail.outbox[1].body


def test_one_that_has_ended_is_told_though_nothing_can_be_signed_with_it(install: Install) -> None:
    ends_at = install(DAYS)

    assert warn_before(ends_at, days=-2) == BOTH
    assert "has ended" in mail.outbox[0].subject or mail.outbox[0].to == [BOTH[0]]
    assert warn_before(ends_at, days=-3) == []


def test_a_mail_that_does_not_go_is_sent_at_the_next_run(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_at = install(DAYS)

    class Away:
        def send_messages(self, letters: list[EmailMessage]) -> int:
            raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(expiries, "get_connection", Away)
        with pytest.raises(ConnectionRefusedError):
            warn_before(ends_at, days=59)

    assert ProviderState.objects.get().warned_days is None
    assert warn_before(ends_at, days=59) == BOTH


def test_without_credentials_nobody_is_told(settings: Any) -> None:
    settings.LOYALTY_APPLE_PASS_TYPE_ID = settings.LOYALTY_GOOGLE_ISSUER_ID = ""

    tasks.warn_of_expiries()

    assert mail.outbox == []
    assert not ProviderState.objects.exists()


@pytest.mark.parametrize(("days", "tone"), [(80, "ok"), (45, "warn"), (10, "bad")])
def test_the_panel_counts_the_days(days: int, tone: str, install: Install) -> None:
    install(days)

    line = panel()["Apple Wallet"]

    assert (line.tone, line.value) == (tone, f"certificate ends in {days - 1} days")


def test_the_panel_names_the_fault(install: Install, settings: Any) -> None:
    install(DAYS)
    settings.LOYALTY_APPLE_TEAM_ID = "OTHERTEAM1"

    line = panel()["Apple Wallet"]

    assert line.tone == "bad"
    assert "the certificate belongs to team TEAM123456" in line.value


def test_the_panel_tells_since_when_a_provider_refuses(install: Install) -> None:
    install(DAYS)
    fingerprint = next(expiries.endings()).fingerprint
    ProviderState.objects.create(
        provider="apple",
        credential=fingerprint,
        blocked_at=timezone.now() - timedelta(hours=3),
        reason="BadCertificate",
    )

    line = panel()["Apple Wallet"]

    assert line.tone == "bad"
    assert line.value.replace("\xa0", " ") == "refused by the provider for 3 hours"


def panel() -> dict[str, health.Line]:
    """Return the lines of the admin's first page."""
    return {line.label: line for line in Desk.open().get("/admin/").context["health"]}


def test_steps_are_those_that_were_promised() -> None:
    ends_at = datetime(2027, 1, 1, tzinfo=UTC)
    ending = expiries.Ending("apple", "f", "n", ends_at)  # type: ignore[arg-type]

    reached = {days: ending.step(ends_at - timedelta(days=days)) for days in (61, 60, 31, 30, 14, 7, 2, 1, 0)}

    assert reached == {61: None, 60: 60, 31: 60, 30: 30, 14: 14, 7: 7, 2: 7, 1: 1, 0: 0}
