"""Objects and classes at Google follow what happens to cards: one request per change, and always the newest state."""

import time
from datetime import timedelta
from typing import Any

import pytest

from core import tenancy
from loyalty.models import Card
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.google.desk import balance, changed, class_of, held, row_of, sent, update_of
from wallets.enums import Priority
from wallets.models import GooglePass, PassUpdate, ProviderState
from wallets.providers.google.tokens import QUIET_SECONDS
from wallets.services import google_push, queue

pytestmark = pytest.mark.django_db


def at_google(world: World, **person: Any) -> Card:
    """Enrol somebody whose card is at Google."""
    card = world.card(**person)
    changed(world, card)
    sent(world, card)
    return card


def test_enrolment_makes_the_class_and_then_the_object(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card(name="Nora Weber")
    changed(world, card)

    row = sent(world, card)

    assert balance(google, world, card) == "0/10"
    assert held(google, world, card)["accountName"] == "Nora Weber"
    assert held(google, world, card)["barcode"]["value"].endswith(f"/c/{card.qr_code_data}")
    assert [(one.method, one.kind) for one in google.calls()] == [("POST", "loyaltyClass"), ("POST", "loyaltyObject")]
    assert (row.accepted_version, row.behind_since) == (row.requested_version, None)
    assert row.accepted["loyaltyPoints"]["balance"] == {"string": "0/10"}
    assert update_of(world, card).state == "sent"
    assert list(google.shelf.classes) == [class_of(world).class_id]


def test_pitfalls_45_and_46_names_say_nothing_and_pictures_stay(google: FakeGoogle, settings: Any) -> None:
    world = World.make()
    card = at_google(world, email="nora@example.com")
    object_, class_ = held(google, world, card), google.shelf.classes[class_of(world).class_id]

    for name in (object_["id"], class_["id"]):
        assert len(name.partition(".")[2]) == 25
        assert not [word for word in (str(card.id), card.card_number, "nora", world.store.code) if word in name]
    for picture in (object_["heroImage"], class_["programLogo"]):
        assert picture["sourceUri"]["uri"].startswith(f"{settings.SITE_URL}/")
        assert "?" not in picture["sourceUri"]["uri"]
    assert "nora@example.com" not in str(object_)


def test_pitfall_47_only_what_google_took_counts(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    google.faults.next, google.faults.retry_after = [500], 60

    row = sent(world, card)

    assert row.accepted_version < row.requested_version
    assert row.behind_since is not None
    assert row.accepted["loyaltyPoints"]["balance"] == {"string": "0/10"}


def test_ten_changes_are_one_request_with_the_last_state(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    google.seen.clear()
    for _ in range(9):
        world.stamp(card)
        changed(world, card)

    sent(world, card)

    assert balance(google, world, card) == "9/10"
    (only,) = google.calls()
    assert (only.method, set(only.body)) == ("PATCH", {"loyaltyPoints", "textModulesData", "heroImage"})


def test_what_looks_the_same_takes_no_request(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    google.seen.clear()
    changed(world, card)

    row = sent(world, card)

    assert google.calls() == []
    assert row.accepted_version == row.requested_version
    assert update_of(world, card).state == "sent"


def test_pitfall_36_an_object_that_vanished_is_inserted_and_one_that_exists_is_patched(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    del google.shelf.objects[row_of(world, card).object_id]
    sent(world, card)
    assert balance(google, world, card) == "1/10"

    with tenancy.scope(world.merchant_id):
        GooglePass.objects.update(accepted={}, accepted_version=0)
    world.stamp(card)
    changed(world, card)
    google.seen.clear()
    sent(world, card)

    assert balance(google, world, card) == "2/10"
    assert [(one.method, one.status) for one in google.calls()] == [("POST", 409), ("PATCH", 200)]


def test_pitfall_36_a_class_that_vanished_comes_back_with_its_object(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    google.shelf.classes.clear()
    google.shelf.objects.clear()
    world.stamp(card)
    changed(world, card)

    sent(world, card)

    assert list(google.shelf.classes) == [class_of(world).class_id]
    assert balance(google, world, card) == "1/10"


def test_pitfall_35_a_change_of_the_program_is_one_request_about_its_class(google: FakeGoogle) -> None:
    world = World.make()
    at_google(world)
    google.seen.clear()
    world.change(name="Kaffi")
    with tenancy.scope(world.merchant_id):
        queue.request_class(program_id=world.program.id, at=world.at)

    google_push.drain(at=world.at)

    (only,) = google.calls()
    assert (only.method, only.kind, only.status) == ("PATCH", "loyaltyClass", 200)
    assert only.body["reviewStatus"] == "UNDER_REVIEW"
    assert google.shelf.classes[class_of(world).class_id]["programName"] == "Kaffi"
    assert (class_of(world).state, class_of(world).accepted_version) == ("sent", class_of(world).wanted_version)


def test_pitfall_42_a_worker_that_comes_late_sends_the_state_of_now(google: FakeGoogle) -> None:
    """Whatever was claimed first: what is sent is read when it is sent."""
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    old = queue.claim(provider="google", at=world.at, size=10)
    world.stamp(card)
    changed(world, card)

    assert google_push.drain(at=world.at) is False
    assert balance(google, world, card) == "0/10"  # another worker has the row
    queue.rescue(at=world.tick(seconds=100))
    sent(world, card)
    queue.settle([queue.Settlement(old[0].id, old[0].claimed_at, "sent")], at=world.at)

    assert balance(google, world, card) == "2/10"
    assert update_of(world, card).state == "sent"


def test_pitfall_42_a_change_during_the_request_is_sent_afterwards(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    meanwhile = [lambda: (world.stamp(card), changed(world, card))]
    original = google_push.google_results.write

    def write(*args: Any, **kwargs: Any) -> None:
        while meanwhile:
            meanwhile.pop()()
        original(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(google_push.google_results, "write", write)
        row = sent(world, card)

    assert balance(google, world, card) == "2/10"
    assert (row.accepted_version, row.behind_since) == (row.requested_version, None)


def test_a_frozen_card_is_inactive_and_comes_back(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")
    changed(world, card, priority=Priority.REDEEM)
    sent(world, card)
    assert held(google, world, card)["state"] == "INACTIVE"

    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="active")
    changed(world, card, priority=Priority.REDEEM)
    sent(world, card)

    assert held(google, world, card)["state"] == "ACTIVE"


def test_pitfall_48_a_card_that_is_over_expires_and_names_nobody(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world, name="Nora Weber")
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="closed")
        GooglePass.objects.update(accepted={})
    changed(world, card)

    row = sent(world, card)

    object_ = google.shelf.objects[row.object_id]
    assert object_["state"] == "EXPIRED"
    assert not {"accountName", "accountId", "barcode", "linksModuleData"} & set(object_)
    assert "Nora" not in str(row.accepted)


def test_a_card_that_is_over_and_was_never_there_is_not_made(google: FakeGoogle) -> None:
    world = World.make()
    at_google(world)
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="closed")
    changed(world, card)

    row = sent(world, card)

    assert row.object_id not in google.shelf.objects
    assert update_of(world, card).state == "sent"


def test_another_issuer_means_new_names(google: FakeGoogle, settings: Any) -> None:
    world = World.make()
    card = at_google(world)
    before = row_of(world, card).object_id
    settings.LOYALTY_GOOGLE_ISSUER_ID = "3388000000099999999"
    google.shelf.issuers.add(settings.LOYALTY_GOOGLE_ISSUER_ID)
    changed(world, card)

    row = sent(world, card)

    assert row.object_id != before
    assert row.object_id.startswith("3388000000099999999.")
    assert google.shelf.objects[row.object_id]["classId"].startswith("3388000000099999999.")


def test_one_object_that_is_refused_stops_no_other_and_fails_after_three_tries(google: FakeGoogle) -> None:
    world = World.make()
    bad, good = at_google(world, name="Refuse Me"), at_google(world)
    google.faults.refuse = row_of(world, bad).object_id
    google.faults.refuse = '"3/10"'
    world.stamp(bad, quantity=3)
    world.stamp(good)
    changed(world, bad, good)

    sent(world, good)
    assert balance(google, world, good) == "1/10"
    for _ in range(4):
        google_push.drain(at=world.tick(minutes=1))

    row = update_of(world, bad)
    assert (row.state, row.attempts) == ("failed", 3)
    assert "Refused on command" in row.last_error
    assert len([one for one in google.calls("PATCH") if one.status == 400]) == 3
    assert row_of(world, bad).behind_since is not None


def test_a_card_that_cannot_be_shown_is_no_matter_of_the_others(
    google: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.make()
    bad, good = at_google(world), at_google(world)
    world.stamp(good)
    changed(world, bad, good)
    original = google_push.google_plans.GOOGLE.render

    def render(card: Any, identity: Any) -> Any:
        if card.card_number == bad.card_number:
            raise ValueError("cannot be drawn")
        return original(card, identity)

    monkeypatch.setattr(type(google_push.google_plans.GOOGLE), "render", lambda _self, *args: render(*args))
    google_push.drain(at=world.at)

    assert balance(google, world, good) == "1/10"
    assert "cannot be drawn" in update_of(world, bad).last_error


def test_a_refused_account_stops_everything_for_five_minutes_and_loses_nothing(google: FakeGoogle) -> None:
    world = World.make()
    first, second = at_google(world), at_google(world)
    for card in (first, second):
        world.stamp(card)
        changed(world, card)
    google.shelf.issuers.clear()
    google.seen.clear()

    google_push.drain(at=world.at)
    asked = len(google.calls())
    google_push.drain(at=world.tick(seconds=30))
    state = ProviderState.objects.get()
    assert 1 <= asked == len(google.calls())
    assert (state.blocked_at is not None, "permissionDenied" in state.reason) == (True, True)
    assert {update_of(world, card).attempts for card in (first, second)} == {0}

    google_push.drain(at=world.tick(minutes=6))
    assert len(google.calls()) == asked + 1  # one try
    google.shelf.issuers.add(google.issuer)
    google_push.drain(at=world.tick(minutes=6))

    assert [balance(google, world, card) for card in (first, second)] == ["1/10", "1/10"]
    assert ProviderState.objects.get().blocked_at is None


def test_another_key_is_free_at_once(google: FakeGoogle, settings: Any, tmp_path: Any) -> None:
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    google.tokens.revoked = True
    google.tokens.forget()
    google_push.drain(at=world.at)
    assert balance(google, world, card) == "0/10"

    google.tokens.revoked = False
    google.account["private_key_id"] = "fakes-2"
    google.write_account(tmp_path / "account.json")
    google_push.drain(at=world.at)

    assert balance(google, world, card) == "1/10"


def test_without_credentials_nothing_moves(google: FakeGoogle, settings: Any) -> None:
    world = World.make()
    card = world.card()
    changed(world, card)
    settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""

    google_push.drain(at=world.at)

    assert google.calls() == []
    assert update_of(world, card).state == "queued"


@pytest.mark.parametrize("fault", [{"away": True}, {"share": 1.0}, {"token": 503}])
def test_an_outage_loses_nothing_and_is_over_soon(google: FakeGoogle, fault: dict[str, Any]) -> None:
    world = World.make()
    cards = [at_google(world) for _ in range(3)]
    for card in cards:
        world.stamp(card)
    changed(world, *cards)
    for name, value in fault.items():
        setattr(google.faults, name, value)
    if "token" in fault:
        google.tokens.forget()
        google_push.connect(google_push.credentials.current()).tokens.drop("")
    start = world.at
    while world.at - start < timedelta(seconds=30):
        google_push.drain(at=world.tick(seconds=5))
    google.faults = type(google.faults)()
    time.sleep(QUIET_SECONDS)
    while world.at - start < timedelta(seconds=50):
        google_push.drain(at=world.tick(seconds=5))

    assert [balance(google, world, card) for card in cards] == ["1/10"] * 3
    assert {update_of(world, card).state for card in cards} == {"sent"}


def test_an_answer_that_is_lost_changes_nothing(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card()
    changed(world, card)
    google.faults.lost = 2  # the class is made and not answered, then the object is

    for _ in range(4):
        google_push.drain(at=world.tick(seconds=5))

    assert balance(google, world, card) == "0/10"
    assert (len(google.shelf.classes), len(google.shelf.objects)) == (1, 1)


def test_retry_after_is_kept_to(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    google.faults.next, google.faults.retry_after = [429], 40
    google_push.drain(at=world.at)

    due = update_of(world, card).due_at

    assert timedelta(seconds=40) <= due - world.at < timedelta(seconds=43)
    google_push.drain(at=world.tick(seconds=44))
    assert balance(google, world, card) == "1/10"


def test_a_token_that_ends_early_is_asked_for_anew(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    world.stamp(card)
    changed(world, card)
    google.tokens.forget()

    sent(world, card)

    assert balance(google, world, card) == "1/10"
    assert google.tokens.given == 2
    assert not ProviderState.objects.filter(blocked_at__isnull=False).exists()


def test_an_update_without_a_pass_is_settled(google: FakeGoogle) -> None:
    world = World.make()
    card = at_google(world)
    with tenancy.scope(world.merchant_id):
        PassUpdate.objects.update(state="queued")
        GooglePass.objects.all().delete()

    google_push.drain(at=world.at)

    assert update_of(world, card).state == "sent"
