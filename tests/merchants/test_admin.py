"""The platform's admin: sees every merchant, asks for a second factor, audits, and shows no secret."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from merchants.models import Merchant, MerchantSettings, User
from stores.models import PinGuard, StaffPin
from tests.factories.merchants import MembershipFactory, MerchantFactory, UserFactory
from tests.factories.stores import ApiKeyFactory, StaffPinFactory, StoreFactory, TerminalFactory
from tests.support.desk import WHY, Desk, address, audit
from tests.support.world import World

pytestmark = pytest.mark.django_db
OURS = ("core", "merchants", "stores")


def sign_in(client: Client, user: User) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def desk() -> Desk:
    return Desk.open()


def test_it_works_and_sees_every_merchant(desk: Desk) -> None:
    for name in ("Café Lune", "Bistro Soleil"):
        MerchantFactory(name=name)

    page = desk.get("/admin/merchants/merchant/").content.decode()

    assert "Café Lune" in page
    assert "Bistro Soleil" in page


@pytest.mark.parametrize(
    "model", [m for m in apps.get_models() if m._meta.app_label in OURS and m in admin.site._registry]
)
def test_every_list_and_search_opens(desk: Desk, model: Any) -> None:
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


def posted(page: Any) -> dict[str, Any]:
    """Return what the browser would send back from a change page."""
    form = page.context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    for inline in page.context["inline_admin_formsets"]:
        for part in (inline.formset.management_form, *inline.formset.forms):
            data |= {part.add_prefix(name): part[name].value() for name in part.fields}
    return {name: value for name, value in data.items() if value not in (None, False)}


def test_changes_profile_and_settings_through_services(desk: Desk) -> None:
    merchant = MerchantFactory()
    page = desk.row(merchant)
    prefix = page.context["inline_admin_formsets"][0].formset.prefix
    changed = {
        "card_color": "#112233", f"{prefix}-0-staff_pin_policy": "required", f"{prefix}-0-pin_max_failed_attempts": "7",
        f"{prefix}-0-max_stores": "2", f"{prefix}-0-features": '{"games": true}',
    }  # fmt: skip

    response = desk.post(address(Merchant, "change", merchant.pk), posted(page) | changed)

    assert response.status_code == 302, response.context["errors"]
    with tenancy.scope(merchant):
        fresh, allowed = Merchant.objects.get(), MerchantSettings.objects.get()
    assert (fresh.card_color, fresh.branding_version) == ("#112233", 2)
    assert (allowed.staff_pin_policy, allowed.pin_max_failed_attempts, allowed.max_stores) == ("required", 7, 2)
    [entry] = audit("merchant_settings_changed")
    assert (entry.actor_id, entry.merchant_id) == (desk.user.pk, merchant.pk)
    assert entry.facts["old"] == {
        "staff_pin_policy": "optional", "pin_max_failed_attempts": 5, "max_stores": 25, "features": {},
    }  # fmt: skip
    assert entry.facts["new"]["features"] == {"games": True}
    platform = audit("platform")[-1]
    assert platform.actor_id == desk.user.pk
    assert f"/admin/merchants/merchant/{merchant.pk}/change/" in platform.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pin_max_failed_attempts", "0"), ("pin_max_failed_attempts", "21"), ("pin_lockout_minutes", "1441"),
        ("max_stores", "0"), ("max_stores", "10001"), ("max_stores", "many"), ("staff_pin_policy", "never"),
        ("features", '["x"]'), ("features", '{"x": 1}'), ("features", "{"), ("own_card_policy", ""),
    ],
)  # fmt: skip
def test_wrong_settings_are_shown_again_and_stay(desk: Desk, name: str, value: str) -> None:
    merchant = MerchantFactory()
    with tenancy.scope(merchant):
        row = MerchantSettings.objects.get()
    page = desk.row(row)

    answer = desk.post(address(MerchantSettings, "change", row.pk), posted(page) | {name: value})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors[name]
    with tenancy.scope(merchant):
        assert getattr(MerchantSettings.objects.get(), name) == getattr(row, name)
    assert audit("merchant_settings_changed") == []


def test_a_wrong_profile_is_shown_again(desk: Desk) -> None:
    merchant = MerchantFactory()
    page = desk.row(merchant)

    answer = desk.post(address(Merchant, "change", merchant.pk), posted(page) | {"time_zone": "Moon/Base"})

    assert answer.status_code == 200
    assert "time_zone" in answer.context["adminform"].form.errors


@pytest.mark.parametrize(
    ("action", "before", "after", "noted"),
    [
        ("suspend", "active", "suspended", "merchant_suspended"),
        ("mark_late", "active", "late", "merchant_late"),
        ("reactivate", "suspended", "active", "merchant_reactivated"),
        ("reactivate", "closed", "active", "merchant_reactivated"),
    ],
)
def test_sets_a_standing_with_a_reason(desk: Desk, action: str, before: str, after: str, noted: str) -> None:
    merchant, other = MerchantFactory(status=before), MerchantFactory(status=before)

    answer = desk.act(action, merchant)

    assert answer.status_code == 302
    with tenancy.platform(reason="test"):
        fresh = Merchant.objects.get(pk=merchant.pk)
        assert Merchant.objects.get(pk=other.pk).status == before
    assert fresh.status == after
    assert fresh.status_since > merchant.status_since
    [entry] = audit(noted)
    assert (entry.actor_id, entry.merchant_id, entry.reason) == (desk.user.pk, merchant.pk, WHY)
    assert (entry.facts["old"], entry.facts["new"]) == (before, after)
    desk.act(action, merchant)
    assert len(audit(noted)) == 1


@pytest.mark.parametrize("what", ["enrollment", "messages"])
def test_stops_and_allows_again(desk: Desk, what: str) -> None:
    merchant = MerchantFactory()

    def stopped() -> bool:
        with tenancy.scope(merchant):
            return bool(getattr(MerchantSettings.objects.get(), f"{what}_suspended"))

    desk.act(f"suspend_{what}", merchant)
    assert stopped()
    desk.act(f"allow_{what}", merchant)
    assert not stopped()
    assert [entry.reason for entry in audit(f"{what}_suspended") + audit(f"{what}_allowed")] == [WHY, WHY]


def test_the_page_of_a_merchant_offers_what_makes_sense(desk: Desk) -> None:
    merchant = MerchantFactory(status="active", allowed={"messages_suspended": True})

    offered = {action["name"] for action in desk.row(merchant).context["row_actions"]}

    assert offered == {
        "suspend_enrollment", "allow_messages", "mark_late", "suspend", "export", "close_with_export",
    }  # fmt: skip


def test_one_refusal_takes_everything_back(desk: Desk) -> None:
    """Chosen rows change together or not at all."""
    first, second = MerchantFactory(), MerchantFactory()
    with tenancy.scope(second):
        MerchantSettings.objects.all().delete()

    answer = desk.act("suspend_messages", first, second)

    assert answer.status_code == 302
    with tenancy.scope(first):
        assert not MerchantSettings.objects.get().messages_suspended
    assert audit("messages_suspended") == []


def test_closes_with_an_export_of_everything(desk: Desk) -> None:
    world, other = World.make(), World.make()
    card, foreign = world.card(name="=Marie", email="marie@example.com"), other.card(name="Foreigner")
    world.stamp(card, 2)
    merchant = one(world)

    answer = desk.act("close_with_export", merchant)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert f'filename="{merchant.slug}-export.zip"' in answer["Content-Disposition"]
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert packed.testzip() is None
    assert sorted(packed.namelist()) == ["cards.csv", "customers.csv", "transactions.csv"]
    texts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert card.card_number in texts["cards.csv"]
    assert texts["transactions.csv"].count("stamp_earned") == 1
    assert "'=Marie" in texts["customers.csv"]
    assert not [name for name, text in texts.items() if foreign.card_number in text or "Foreigner" in text]
    assert one(world).status == "closed"
    [closed], [exported] = audit("merchant_closed"), audit("merchant_exported")
    assert (closed.actor_id, closed.reason, exported.reason) == (desk.user.pk, WHY, WHY)
    storefront = Client().get(f"/loyalty/{world.store.code}/enroll").content.decode()
    assert 'name="email"' not in storefront
    with pytest.raises(DomainError):
        world.stamp(card)


def test_exports_without_closing_and_one_at_a_time(desk: Desk) -> None:
    world, other = World.make(), World.make()

    both = desk.act("export", one(world), one(other))
    single = desk.act("export", one(world))

    assert both.status_code == 302
    assert zipfile.ZipFile(io.BytesIO(b"".join(single.streaming_content))).testzip() is None
    assert one(world).status == "trial"
    assert [entry.merchant_id for entry in audit("merchant_exported")] == [world.merchant_id]


def one(world: World) -> Merchant:
    with tenancy.scope(world.merchant_id):
        return Merchant.objects.get()


def test_reading_leaves_no_audit_row(desk: Desk) -> None:
    desk.get("/admin/merchants/merchant/")

    assert audit("platform") == []


def test_unlocks_a_staff_member_and_shows_no_hash(desk: Desk) -> None:
    row = StaffPinFactory(failed_attempts=5, locked_until=timezone.now() + timedelta(hours=1))

    page = desk.get(f"/admin/stores/staffpin/{row.pk}/change/").content.decode()
    assert desk.ask("unlock", row).status_code == 200
    desk.act("unlock", row)

    assert row.name in page
    assert row.pin_hash not in page
    assert "argon2" not in page
    with tenancy.scope(row.merchant_id):
        fresh = StaffPin.objects.get()
    assert (fresh.failed_attempts, fresh.locked_until) == (0, None)
    [entry] = audit("staff_unlocked_by_platform")
    assert (entry.target, entry.reason, entry.actor_id) == (f"staff {row.pk}", WHY, desk.user.pk)


def test_revokes_terminals_and_keys_and_shows_no_hash(desk: Desk) -> None:
    terminal, key = TerminalFactory(), ApiKeyFactory()

    for row, name in ((terminal, "terminal"), (key, "apikey")):
        page = desk.get(f"/admin/stores/{name}/{row.pk}/change/").content.decode()
        assert getattr(row, "token_hash", None) is None or row.token_hash not in page
        assert getattr(row, "key_hash", None) is None or row.key_hash not in page
        desk.act("revoke", row)
        desk.act("revoke", row)

    assert [len(audit(f"{name}_revoked_by_platform")) for name in ("terminal", "api_key")] == [1, 1]
    with tenancy.platform(reason="test"):
        assert type(terminal).objects.get(pk=terminal.pk).revoked_at is not None
        assert type(key).objects.get(pk=key.pk).revoked_at is not None


def test_lifts_the_lock_of_a_sender(desk: Desk) -> None:
    merchant = MerchantFactory()
    with tenancy.scope(merchant):
        guard = PinGuard.objects.create(
            subject_kind="terminal", subject_id=merchant.pk, failed_attempts=3, lock_level=2,
            locked_until=timezone.now() + timedelta(hours=2),
        )  # fmt: skip

    desk.act("unlock", guard)

    with tenancy.scope(merchant):
        fresh = PinGuard.objects.get()
    assert (fresh.failed_attempts, fresh.lock_level, fresh.locked_until) == (0, 0, None)
    assert [entry.reason for entry in audit("sender_unlocked")] == [WHY]


def test_a_store_changed_here_goes_through_the_service(desk: Desk) -> None:
    store = StoreFactory()
    page = desk.row(store)

    wrong = desk.post(address(type(store), "change", store.pk), posted(page) | {"country": "xx"})
    answer = desk.post(address(type(store), "change", store.pk), posted(page) | {"city": "Esch"})

    assert (wrong.status_code, answer.status_code) == (302, 302)
    with tenancy.scope(store.merchant_id):
        fresh = type(store).objects.get()
    assert (fresh.city, fresh.country) == ("Esch", store.country)
    assert [entry.actor_id for entry in audit("store_updated")] == [desk.user.pk]


@pytest.mark.parametrize("model", ["core/outboxevent", "core/idempotencyrecord", "core/auditentry", "stores/apikey"])
def test_nothing_is_added_by_hand(desk: Desk, model: str) -> None:
    assert desk.get(f"/admin/{model}/add/").status_code == 403


def test_makes_and_changes_people(desk: Desk) -> None:
    made = desk.post(
        "/admin/merchants/user/add/",
        {"email": "New@platform.example", "usable_password": "true", "password1": "three-quiet-words-26",
         "password2": "three-quiet-words-26"},
    )  # fmt: skip

    assert made.status_code == 302, made.context["errors"]
    user = User.objects.get(email="new@platform.example")
    assert user.check_password("three-quiet-words-26")
    assert desk.get(f"/admin/merchants/user/{user.pk}/change/").status_code == 200
