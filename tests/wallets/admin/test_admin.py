"""Wallets in the platform's admin: what waits and why, the provider's own words, no secret, actions with reasons."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.utils import timezone

from core import tenancy
from core.admin import health
from core.ids import uuid7
from loyalty.models import Card
from tests.support.desk import Desk, address, audit
from tests.support.world import World
from wallets.enums import CallbackEvent, Provider, UpdateState
from wallets.models import (
    AppleDevice,
    AppleDeviceRegistration,
    ApplePass,
    DeviceLog,
    GoogleCallback,
    GoogleClass,
    GooglePass,
    PassUpdate,
    ProviderState,
)
from wallets.services import passes

pytestmark = pytest.mark.django_db
MODELS = [model for model in apps.get_app_config("wallets").get_models() if model.__name__ != "TagCounter"]
REFUSAL = '{"error": {"code": 400, "message": "<script>alert(1)</script> hexBackgroundColor"}}'
PUSH_TOKEN, DEVICE_ID = "push-token-of-a-phone", "device-library-id-of-a-phone"


@pytest.fixture
def desk() -> Desk:
    return Desk.open()


@pytest.fixture
def world() -> World:
    return World.make(at=timezone.now())


@pytest.fixture(autouse=True)
def issuer(settings: Any) -> None:
    settings.LOYALTY_GOOGLE_ISSUER_ID = "3388000000022222222"


def in_wallets(world: World, *, devices: int = 2, error: str = "", state: str = UpdateState.QUEUED) -> Card:
    """Enrol Marie, whose card is on some devices and at Google, and whose updates stand in a state."""
    card = world.card(name="Marie Klein", email="marie@example.com")
    at = world.at
    with tenancy.scope(world.merchant_id):
        apple, google = passes.apple(card.pk), passes.google(card.pk)
        ApplePass.objects.filter(pk=apple.pk).update(fetched_at=at - timedelta(hours=1), requested_version=3)
        GooglePass.objects.filter(pk=google.pk).update(
            saved=True, saved_at=at, accepted_at=at, behind_since=at - timedelta(minutes=5),
            accepted={"id": google.object_id, "accountName": "Marie Klein", "barcode": {"value": card.qr_code_data}},
        )  # fmt: skip
        for number in range(devices):
            device = AppleDevice.objects.create(
                device_library_id=f"{DEVICE_ID}-{card.pk}-{number}", push_token=PUSH_TOKEN, token_at=at, seen_at=at
            )
            AppleDeviceRegistration.objects.create(apple_pass=apple, device=device, tag=number + 1, registered_at=at)
        for provider in Provider:
            PassUpdate.objects.create(
                card=card, provider=provider, state=state, due_at=at + timedelta(seconds=8), attempts=3,
                queued_at=at - timedelta(minutes=5), last_error=error,
            )  # fmt: skip
        GoogleClass.objects.get_or_create(
            program=world.program,
            defaults={
                "class_id": f"3388000000022222222.p{world.program.pk}", "due_at": at, "queued_at": at,
                "accepted": {"programName": "CoffeeLux"}, "last_error": error, "state": state,
            },
        )  # fmt: skip
        GoogleCallback.objects.create(
            google_pass=google, nonce=str(uuid7()), event=CallbackEvent.SAVED, expires_at=at, received_at=at
        )
    DeviceLog.objects.create(received_at=at, message=f"Get pass task <b>{apple.serial}</b>", serial=apple.serial)
    ProviderState.objects.get_or_create(
        provider=Provider.GOOGLE, credential="a" * 64, defaults={"blocked_at": at, "reason": "no access"}
    )
    return card


def first(world: World, model: Any) -> Any:
    """Return one row of a model."""
    with tenancy.platform(reason="test"):
        return model.objects.first()


def rows_of(world: World, model: Any) -> list[Any]:
    """Return the merchant's rows of a model as they are now."""
    with tenancy.scope(world.merchant_id):
        return list(model.objects.order_by("pk"))


def shown(desk: Desk, card: Card) -> str:
    """Return a card's page."""
    return str(desk.row(card).content.decode())


def test_all_models_are_there() -> None:
    assert [model.__name__ for model in MODELS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_and_pages_open_and_show_no_secret(desk: Desk, world: World, model: Any) -> None:
    card = in_wallets(world, error=REFUSAL)
    row, sealed = first(world, model), rows_of(world, ApplePass)[0].token_sealed

    answers = [desk.browse(model), desk.browse(model, q=card.card_number), desk.row(row)]

    for answer in answers:
        assert answer.status_code == 200
        text = answer.content.decode()
        for secret in (sealed, PUSH_TOKEN, DEVICE_ID, card.qr_code_data, "Marie", "<script>alert", "<b>"):
            assert secret not in text, secret


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_nothing_can_be_added_changed_or_deleted(desk: Desk, world: World, model: Any) -> None:
    in_wallets(world)
    row = first(world, model)
    before = {name: value for name, value in vars(row).items() if name != "_state"}

    assert desk.get(address(model, "add")).status_code == 403
    assert desk.post(address(model, "add"), {}).status_code == 403
    assert desk.post(address(model, "change", row.pk), {"state": "sent"}).status_code == 403
    assert desk.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403

    after = vars(first(world, model))
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("model", [PassUpdate, ApplePass, GooglePass], ids=lambda model: model.__name__)
@pytest.mark.parametrize("count", [1, 4])
def test_lists_cost_the_same_for_one_and_for_four(
    desk: Desk, world: World, model: Any, count: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(count):
        in_wallets(world)
    desk.browse(model)

    with django_assert_max_num_queries(11) as asked:
        answer = desk.browse(model)

    assert answer.context["cl"].result_count >= count
    statements = [query["sql"] for query in asked.captured_queries]
    assert not [sql for sql in statements if sql.startswith("SELECT COUNT(") and "LIMIT" not in sql]


@pytest.mark.parametrize("term", ["serial", "object", "number", "id"])
def test_passes_are_found_by_what_people_have_at_hand(desk: Desk, world: World, term: str) -> None:
    card, _other = in_wallets(world), in_wallets(world)
    with tenancy.scope(world.merchant_id):
        apple, google = ApplePass.objects.get(card=card), GooglePass.objects.get(card=card)
        update = PassUpdate.objects.get(card=card, provider=Provider.APPLE)

    if term == "serial":
        assert desk.found(ApplePass, apple.serial) == [apple.pk]
        assert desk.found(DeviceLog, apple.serial) == [DeviceLog.objects.get(serial=apple.serial).pk]
    elif term == "object":
        assert desk.found(GooglePass, google.object_id) == [google.pk]
    elif term == "number":
        assert desk.found(ApplePass, card.card_number) == [apple.pk]
        assert update.pk in desk.found(PassUpdate, card.card_number)
    else:
        assert desk.found(ApplePass, str(card.pk)) == [apple.pk]
        assert desk.found(GooglePass, "nobody's") == []


def test_updates_are_filtered_by_state_and_wallet(desk: Desk, world: World) -> None:
    in_wallets(world, state=UpdateState.FAILED)

    failed = desk.browse(PassUpdate, state__exact="failed", provider__exact="google")

    assert [row.provider for row in failed.context["cl"].result_list] == ["google"]
    assert desk.browse(PassUpdate, state__exact="sent").context["cl"].result_count == 0


def test_the_last_error_stands_there_verbatim_and_harmless(desk: Desk, world: World) -> None:
    in_wallets(world, error=REFUSAL)

    for model in (PassUpdate, GoogleClass):
        text = desk.row(first(world, model)).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt; hexBackgroundColor" in text


def test_a_cards_page_tells_where_it_lives_and_what_lags(desk: Desk, world: World) -> None:
    text = shown(desk, in_wallets(world, error="429 rate limit"))

    assert "On 2 devices, last fetched" in text
    assert "In the wallet since" in text
    assert text.count("waiting since") == 2
    assert text.count("next try") == 2
    assert text.count("reason: 429 rate limit") == 2


def test_a_cards_page_without_passes(desk: Desk, world: World) -> None:
    assert shown(desk, world.card()).count("No pass yet") == 2


def test_a_cards_page_after_everything_was_sent(desk: Desk, world: World) -> None:
    text = shown(desk, in_wallets(world, devices=0, state=UpdateState.SENT))

    assert "On no device that can be reached" in text
    assert "waiting since" not in text


def test_an_object_is_shown_without_its_person_and_in_full_on_request(desk: Desk, world: World) -> None:
    in_wallets(world)
    row = first(world, GooglePass)

    covered = desk.row(row).content.decode()
    full = desk.act("reveal", row)

    assert row.object_id in covered
    assert "•••" in covered
    assert "Marie Klein" in full.content.decode()
    assert audit("googlepass_revealed")


def test_a_card_is_sent_again_with_a_reason(desk: Desk, world: World) -> None:
    card = in_wallets(world, state=UpdateState.SENT)

    desk.act("resync", card)

    states = {row.provider: row.state for row in rows_of(world, PassUpdate)}
    assert states == {Provider.APPLE: UpdateState.QUEUED, Provider.GOOGLE: UpdateState.QUEUED}
    assert rows_of(world, ApplePass)[0].requested_version == 4
    [entry] = audit("wallets_resynced")
    assert (entry.target, entry.reason) == (f"card {card.pk}", "ticket 4711")


def test_a_reason_names_nobody(desk: Desk, world: World) -> None:
    card = in_wallets(world, state=UpdateState.SENT)

    desk.act("resync", card, reason="Marie called")

    assert {row.state for row in rows_of(world, PassUpdate)} == {UpdateState.SENT}
    assert not audit("wallets_resynced")


def test_failed_updates_and_classes_are_queued_again(desk: Desk, world: World) -> None:
    in_wallets(world, state=UpdateState.FAILED, error=REFUSAL)
    updates, classes = rows_of(world, PassUpdate), rows_of(world, GoogleClass)

    desk.act("requeue", *updates)
    desk.act("requeue", *classes)

    for row in [*rows_of(world, PassUpdate), *rows_of(world, GoogleClass)]:
        assert (row.state, row.attempts) == (UpdateState.QUEUED, 0)
    assert len(audit("wallet_update_requeued")) == 3


def test_what_has_not_failed_is_left_alone(desk: Desk, world: World) -> None:
    in_wallets(world, state=UpdateState.SENT)

    desk.act("requeue", *rows_of(world, PassUpdate))

    assert {row.state for row in rows_of(world, PassUpdate)} == {UpdateState.SENT}
    assert not audit("wallet_update_requeued")


def test_the_panel_tells_what_waits_and_what_failed(desk: Desk, world: World) -> None:
    in_wallets(world)
    other = World.make(at=timezone.now())
    in_wallets(other, state=UpdateState.FAILED)

    lines: dict[str, health.Line] = {line.label: line for line in desk.get("/admin/").context["health"]}

    assert lines["Pass updates waiting"].tone == "warn"
    assert "2, the oldest for 5" in lines["Pass updates waiting"].value
    assert (lines["Pass updates that failed"].value, lines["Pass updates that failed"].tone) == ("2", "bad")
    assert lines["Programs that Google refused"].value == "1"
    assert lines["Apple Wallet"].value == "not set up"
    for line in lines.values():
        if line.url:
            assert desk.get(line.url).status_code == 200, line.label
