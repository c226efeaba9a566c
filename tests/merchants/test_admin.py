"""The platform's admin: sees every merchant, asks for a second factor, audits, and shows no secret."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.models import AuditEntry
from merchants.models import Merchant, MerchantSettings, User
from stores.models import PinGuard, StaffPin
from tests.factories.merchants import MembershipFactory, MerchantFactory, UserFactory
from tests.factories.stores import ApiKeyFactory, StaffPinFactory, TerminalFactory

pytestmark = pytest.mark.django_db
OURS = ("core", "merchants", "stores")


def sign_in(client: Client, user: User) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def boss() -> User:
    user = UserFactory(is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    return user


@pytest.fixture
def desk(boss: User) -> Client:
    return sign_in(Client(), boss)


def audit(action: str) -> list[AuditEntry]:
    with tenancy.platform(reason="test"):
        return list(AuditEntry.objects.filter(action=action))


def test_it_works_and_sees_every_merchant(desk: Client) -> None:
    for name in ("Café Lune", "Bistro Soleil"):
        MerchantFactory(name=name)

    page = desk.get("/admin/merchants/merchant/").content.decode()

    assert "Café Lune" in page
    assert "Bistro Soleil" in page


@pytest.mark.parametrize(
    "model", [m for m in apps.get_models() if m._meta.app_label in OURS and m in admin.site._registry]
)
def test_every_list_and_search_opens(desk: Client, model: Any) -> None:
    MembershipFactory()
    for make in (StaffPinFactory, TerminalFactory, ApiKeyFactory):
        make()
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    assert desk.get(address).status_code == 200
    if admin.site._registry[model].search_fields:
        assert desk.get(address, {"q": "lune"}).status_code in (200, 302)


def test_every_model_of_the_lower_floors_is_there() -> None:
    hidden = {"TerminalPairing", "StaffPinStore"}
    missing = {
        model.__name__
        for model in apps.get_models()
        if model._meta.app_label in OURS and model not in admin.site._registry
    }  # fmt: skip

    assert missing == hidden


@pytest.mark.parametrize("who", ["nobody", "owner"])
def test_merchants_and_strangers_stay_out(client: Client, who: str) -> None:
    if who == "owner":
        sign_in(client, MembershipFactory().user)

    response = client.get("/admin/merchants/merchant/")

    assert response.status_code == 302
    assert "/admin/login/" in response["Location"]


def test_the_second_factor_is_asked_for_outside_debug(client: Client, settings: Any) -> None:
    sign_in(client, UserFactory(is_staff=True, is_superuser=True))

    refused = client.get("/admin/merchants/merchant/")
    assert (refused.status_code, refused["Location"]) == (302, "/accounts/2fa/totp/activate/")
    assert client.post("/admin/merchants/merchant/", {}).status_code == 302

    settings.DEBUG = True
    assert client.get("/admin/merchants/merchant/").status_code == 200


def test_outside_debug_the_admins_login_is_the_sites_own(client: Client, settings: Any) -> None:
    response = client.get("/admin/login/", {"next": "/admin/"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=%2Fadmin%2F")

    settings.DEBUG = True
    assert client.get("/admin/login/").status_code == 200


def test_sets_a_standing_and_says_who_did_it(desk: Client, boss: User) -> None:
    merchant = MerchantFactory()
    with tenancy.scope(merchant):
        allowed = MerchantSettings.objects.get()
    form = {
        "name": merchant.name, "legal_name": "", "trade": "cafe", "country": "LU", "time_zone": "Europe/Luxembourg",
        "default_language": "fr", "card_color": "#112233", "status": "suspended",
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-MIN_NUM_FORMS": "1", "form-MAX_NUM_FORMS": "1",
        "form-0-id": str(allowed.pk), "form-0-merchant": str(merchant.pk), "form-0-staff_pin_policy": "required",
        "form-0-pin_max_failed_attempts": "7", "form-0-pin_lockout_minutes": "30", "form-0-max_stores": "2",
        "form-0-features": "{}",
    }  # fmt: skip
    prefix = (
        desk.get(f"/admin/merchants/merchant/{merchant.pk}/change/").context["inline_admin_formsets"][0].formset.prefix
    )
    form = {
        name.replace("form-", f"{prefix}-", 1) if name.startswith("form-") else name: value
        for name, value in form.items()
    }

    response = desk.post(f"/admin/merchants/merchant/{merchant.pk}/change/", form)

    assert response.status_code == 302, response.context["errors"]
    with tenancy.scope(merchant):
        fresh, allowed = Merchant.objects.get(), MerchantSettings.objects.get()
    assert (fresh.status, fresh.branding_version) == ("suspended", 2)
    assert fresh.status_since > merchant.status_since
    assert (allowed.staff_pin_policy, allowed.pin_max_failed_attempts, allowed.max_stores) == ("required", 7, 2)
    entry = audit("platform")[-1]
    assert entry.actor_id == boss.pk
    assert f"/admin/merchants/merchant/{merchant.pk}/change/" in entry.reason


def test_reading_leaves_no_audit_row(desk: Client) -> None:
    desk.get("/admin/merchants/merchant/")

    assert audit("platform") == []


def test_unlocks_a_staff_member_and_shows_no_hash(desk: Client) -> None:
    row = StaffPinFactory(failed_attempts=5, locked_until=timezone.now() + timedelta(hours=1))

    page = desk.get(f"/admin/stores/staffpin/{row.pk}/change/").content.decode()
    desk.post("/admin/stores/staffpin/", {"action": "unlock", "_selected_action": [str(row.pk)]})

    assert row.name in page
    assert row.pin_hash not in page
    assert "argon2" not in page
    with tenancy.scope(row.merchant_id):
        fresh = StaffPin.objects.get()
    assert (fresh.failed_attempts, fresh.locked_until) == (0, None)


def test_revokes_terminals_and_keys_and_shows_no_hash(desk: Client) -> None:
    terminal, key = TerminalFactory(), ApiKeyFactory()

    for row, name in ((terminal, "terminal"), (key, "apikey")):
        page = desk.get(f"/admin/stores/{name}/{row.pk}/change/").content.decode()
        assert getattr(row, "token_hash", None) is None or row.token_hash not in page
        assert getattr(row, "key_hash", None) is None or row.key_hash not in page
        desk.post(f"/admin/stores/{name}/", {"action": "revoke", "_selected_action": [str(row.pk)]})

    with tenancy.platform(reason="test"):
        assert type(terminal).objects.get(pk=terminal.pk).revoked_at is not None
        assert type(key).objects.get(pk=key.pk).revoked_at is not None


def test_lifts_the_lock_of_a_sender(desk: Client) -> None:
    merchant = MerchantFactory()
    with tenancy.scope(merchant):
        guard = PinGuard.objects.create(subject_kind="terminal", subject_id=merchant.pk, failed_attempts=3)

    desk.post(f"/admin/stores/pinguard/{guard.pk}/delete/", {"post": "yes"})

    with tenancy.scope(merchant):
        assert not PinGuard.objects.exists()


@pytest.mark.parametrize("model", ["core/outboxevent", "core/idempotencyrecord", "core/auditentry", "stores/apikey"])
def test_nothing_is_added_by_hand(desk: Client, model: str) -> None:
    assert desk.get(f"/admin/{model}/add/").status_code == 403


def test_makes_and_changes_people(desk: Client) -> None:
    made = desk.post(
        "/admin/merchants/user/add/",
        {"email": "New@platform.example", "usable_password": "true", "password1": "three-quiet-words-26",
         "password2": "three-quiet-words-26"},
    )  # fmt: skip

    assert made.status_code == 302, made.context["errors"]
    user = User.objects.get(email="new@platform.example")
    assert user.check_password("three-quiet-words-26")
    assert desk.get(f"/admin/merchants/user/{user.pk}/change/").status_code == 200
