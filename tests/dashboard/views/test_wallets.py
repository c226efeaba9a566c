"""The merchant's page of wallets and the line on a card: what works, what lags, whom to ask; no setting in public."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from loyalty.models import Card
from tests.dashboard.conftest import Shop
from tests.fakes import credentials
from wallets.enums import Provider, UpdateState
from wallets.models import AppleDevice, AppleDeviceRegistration, ApplePass, GooglePass, PassUpdate, ProviderState
from wallets.providers.apple import credentials as apple_credentials
from wallets.services import passes

PAGE = "/store/merchant/wallets"
PASS_TYPE, TEAM = "pass.example.page", "TEAM123456"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> credentials.Files:
    return credentials.prepare(tmp_path_factory.mktemp("chain"), pass_type=PASS_TYPE, team=TEAM)


@pytest.fixture
def apple(files: credentials.Files, settings: Any) -> credentials.Files:
    """Apple Wallet is set up with a chain of our own; Google is not."""
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
    settings.LOYALTY_GOOGLE_ISSUER_ID = settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""
    return files


def pocket(shop: Shop, *, devices: int = 1, at: datetime | None = None) -> Card:
    """Put a new card on some devices and into Google Wallet."""
    card, now = shop.card(), at or timezone.now()
    with tenancy.scope(shop.merchant_id):
        row = passes.apple(card.pk)
        ApplePass.objects.filter(pk=row.pk).update(fetched_at=now, behind_since=None)
        for number in range(devices):
            device = AppleDevice.objects.create(
                device_library_id=f"{card.pk}-{number}", push_token="t", token_at=now, seen_at=now
            )
            AppleDeviceRegistration.objects.create(apple_pass=row, device=device, tag=1, registered_at=now)
        GooglePass.objects.create(card=card, object_id=f"1.{card.pk}", saved=True, saved_at=now, accepted_at=now)
    return card


def queue(shop: Shop, card: Card, *, minutes: int, state: str = UpdateState.QUEUED) -> None:
    """Let an update of Apple's stand in the queue."""
    asked = timezone.now() - timedelta(minutes=minutes)
    with tenancy.scope(shop.merchant_id):
        PassUpdate.objects.update_or_create(
            card=card, provider=Provider.APPLE, defaults={"state": state, "due_at": asked, "queued_at": asked}
        )
        ApplePass.objects.filter(card=card).update(behind_since=asked)


def panels(shop: Shop) -> dict[str, Any]:
    """Return both wallets as the page shows them."""
    return {panel.name: panel for panel in shop.client().get(PAGE).context["panels"]}


def test_it_works_and_counts_cards_not_devices(shop: Shop, other: Shop, apple: credentials.Files) -> None:
    pocket(shop, devices=3)
    pocket(shop)
    pocket(other)

    found = panels(shop)

    assert (found["Apple Wallet"].state, found["Apple Wallet"].holding.cards) == ("Works", 2)
    assert found["Google Wallet"].state == "Not set up"
    assert found["Google Wallet"].holding.cards == 2


def test_what_waits_long_is_said_and_what_is_on_its_way_is_not(shop: Shop, apple: credentials.Files) -> None:
    card = pocket(shop)
    queue(shop, card, minutes=0)
    assert not panels(shop)["Apple Wallet"].late

    queue(shop, card, minutes=20)
    text = shop.client().get(PAGE).content.decode()

    assert panels(shop)["Apple Wallet"].late
    assert "the oldest since today" in " ".join(text.split()) or "the oldest since yesterday" in " ".join(text.split())


def test_what_was_given_up_is_said(shop: Shop, other: Shop, apple: credentials.Files) -> None:
    queue(shop, pocket(shop), minutes=20, state=UpdateState.FAILED)

    assert "Given up" in shop.client().get(PAGE).content.decode()
    assert "Given up" not in other.client().get(PAGE).content.decode()


def test_a_refused_credential_stops_it(shop: Shop, apple: credentials.Files) -> None:
    ProviderState.objects.create(
        provider="apple", credential=apple_credentials.current().fingerprint, blocked_at=timezone.now(),
        reason="InvalidProviderToken",
    )  # fmt: skip

    assert panels(shop)["Apple Wallet"].state == "Stopped"
    assert "InvalidProviderToken" not in shop.client().get(PAGE).content.decode()


def test_a_broken_file_stops_it_and_is_the_platforms_secret(
    shop: Shop, apple: credentials.Files, settings: Any, tmp_path: Path
) -> None:
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(tmp_path / "nowhere.pem")
    settings.OPERATOR = {"email": "help@platform.example"}

    text = shop.client().get(PAGE).content.decode()

    assert panels(shop)["Apple Wallet"].state == "Stopped"
    assert "mailto:help@platform.example" in text
    assert "nowhere.pem" not in text
    assert "LOYALTY_" not in text


def test_in_development_the_exact_setting_stands_there(
    shop: Shop, apple: credentials.Files, settings: Any, tmp_path: Path
) -> None:
    settings.DEBUG = True
    assert "no phone trusts it" in shop.client().get(PAGE).content.decode()

    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(tmp_path / "nowhere.pem")
    text = shop.client().get(PAGE).content.decode()

    assert "LOYALTY_GOOGLE_ISSUER_ID is not set" in text
    assert f"LOYALTY_APPLE_SIGNER_CERT_PATH names {tmp_path}/nowhere.pem, which does not exist." in text


def test_the_settings_lead_there(shop: Shop) -> None:
    for page in (shop.page("settings"), shop.page("branding"), "/store/merchant/export"):
        assert PAGE in shop.client().get(page).content.decode()


def test_it_costs_the_same_however_many_cards_there_are(
    shop: Shop, apple: credentials.Files, django_assert_max_num_queries: Any
) -> None:
    browser = shop.client()
    browser.get(PAGE)
    for _ in range(4):
        queue(shop, pocket(shop), minutes=20)

    with django_assert_max_num_queries(20):
        browser.get(PAGE)


def line(shop: Shop, card: Card) -> str:
    """Return the words of a card's page."""
    text = shop.client().get(shop.page(f"cards/{card.pk}")).content.decode()
    return " ".join(text.split())


def test_a_cards_page_says_where_it_lives(shop: Shop) -> None:
    text = line(shop, pocket(shop, devices=2))

    assert "on 2 devices" in text
    assert "last fetched" in text
    assert "added" in text


def test_a_cards_page_says_what_lags(shop: Shop) -> None:
    card = pocket(shop)
    queue(shop, card, minutes=3)

    assert "the latest is not there yet, since" in line(shop, card)


def test_a_web_cards_page_says_nothing_of_wallets(shop: Shop) -> None:
    assert "On the phone" not in line(shop, shop.card())


def test_customers_are_told_that_a_pass_is_not_trusted(shop: Shop, apple: credentials.Files, client: Any) -> None:
    client.post(
        f"/loyalty/{shop.code}/enroll", {"form_key": "0" * 32, "language": "en"}, headers={"Accept-Language": "en"}
    )

    for page in ("welcome", "dashboard"):
        text = client.get(f"/loyalty/{shop.code}/{page}", headers={"Accept-Language": "en"}).content.decode()
        assert "Apple Wallet" in text, page
        assert "an iPhone does not trust the signature" in text, page
