"""What a wallet shows of a card: its figures of now, the merchant's words, the places near by, and nobody's address."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import tenancy
from core.ids import uuid7
from customers.services import erasure
from loyalty.models import Card, Program, Reward, StoreProgram
from loyalty.services import freezing, merges, rewards
from merchants.models import Merchant
from stores.models import Store
from tests.support.canaries import Canary
from tests.support.world import NOON, World
from wallets.queries import descriptions
from wallets.rules.description import CardDescription, NextReward, Standing

pytestmark = pytest.mark.django_db


def shown(world: World, card: Card) -> CardDescription:
    """Describe a card as it is at the world's time."""
    with tenancy.scope(world.merchant_id):
        found = descriptions.describe(card.pk, world.at)
    assert found is not None
    return found


def change_merchant(world: World, **values: Any) -> None:
    with tenancy.scope(world.merchant_id):
        Merchant.objects.filter(pk=world.merchant_id).update(**values)


def open_store(world: World, name: str, latitude: float | None, longitude: float | None) -> Store:
    with tenancy.scope(world.merchant_id):
        return Store.objects.create(
            code=f"s-{uuid7().hex[-12:]}", name=name, latitude=latitude, longitude=longitude,
            street="1, rue de la Gare", postal_code="L-1611", city="Luxembourg",
        )  # fmt: skip


def test_a_stamp_card_with_everything_on_it() -> None:
    world = World.make(stamps_reward_description="Free coffee", terms={"fr": " Une carte. ", "de": ""})
    change_merchant(world, card_color="#5A2D1A", trade="cafe", default_language="fr")
    card = world.card(name="Marie K.", language="de")
    world.stamp(card, 3)

    found = shown(world, card)

    assert (found.stamps_text, found.points, found.points_text) == ("3/10", None, "")
    assert (found.holder, found.language, found.standing) == ("Marie K.", "de", Standing.ACTIVE)
    assert found.next_reward == NextReward("Free coffee", 7, "stamps")
    assert found.code.endswith(f"/c/{world.fresh(card).qr_code_data}")
    assert found.card_url.endswith(f"/loyalty/{world.store.code}/dashboard")
    assert found.program.branding.color == "#5A2D1A"
    assert found.program.terms == {"fr": "Une carte."}
    assert [place.name for place in found.program.places] == ["Gare"]
    assert found.program.privacy_url.endswith(f"/loyalty/{world.store.code}/privacy")


def test_a_full_card_has_its_reward_ready_and_the_next_begins() -> None:
    world = World.make(stamps_target=3)
    card = world.card()
    world.stamp(card, 4)

    found = shown(world, card)

    assert (found.stamps_text, found.ready) == ("1/3", ("Free coffee",))
    assert found.next_reward == NextReward("Free coffee", 2, "stamps")


def test_points_name_the_nearest_reward_that_is_missing() -> None:
    world = World.make(loyalty_type="points", minimum_redemption_points=120)
    for name, cost in (("Biscuit", 50), ("Tote bag", 200)):
        data = {"name": name, "points_cost": cost}
        rewards.create(merchant_id=world.merchant_id, program_id=world.program.pk, data=data, at=NOON)
    card = world.card()
    world.sale(card, 1000)

    found = shown(world, card)
    assert (found.stamps, found.stamps_text, found.points_text) == (None, "", "100")
    assert (found.ready, found.next_reward) == ((), NextReward("Biscuit", 20, "points"))

    world.sale(card, 200)
    found = shown(world, card)
    assert (found.ready, found.next_reward) == (("Biscuit",), NextReward("Tote bag", 80, "points"))


def test_a_hybrid_card_shows_both() -> None:
    world = World.make(loyalty_type="hybrid")
    card = world.card()
    world.sale(card, 2000)
    world.stamp(card)

    found = shown(world, card)

    assert found.stamps is not None
    assert found.points is not None
    assert found.next_reward is not None
    assert found.next_reward.unit == "stamps"


def test_points_say_how_long_they_are_valid_and_are_gone_the_day_after() -> None:
    world = World.make(loyalty_type="points", points_expiration_days=100)
    card = world.card()
    world.sale(card, 1000)

    last = shown(world, card).points_expire_on
    assert last == NOON.date() + timedelta(days=100)

    world.tick(days=101)
    assert (shown(world, card).points, shown(world, card).points_expire_on) == (0, None)


def test_a_frozen_card_rests_and_comes_back() -> None:
    world = World.make()
    card = world.card(name="Marie K.")
    about: dict[str, Any] = {"merchant_id": world.merchant_id, "card_id": card.pk, "reason": "a look", "at": world.at}

    freezing.freeze(**about)
    assert shown(world, card).standing == Standing.SUSPENDED
    freezing.unfreeze(**about)
    assert shown(world, card).standing == Standing.ACTIVE


def test_a_merged_card_is_over_and_opens_nothing() -> None:
    world = World.make()
    card, other = world.card(name="Marie K."), world.card()
    merges.merge(
        merchant_id=world.merchant_id, card_id=card.pk, into_id=other.pk, reason="the same person", at=world.at,
        channel="dashboard",
    )  # fmt: skip

    found = shown(world, card)

    assert (found.standing, found.code, found.card_url, found.holder) == (Standing.OVER, "", "", "")
    assert (found.ready, found.next_reward) == ((), None)
    assert shown(world, other).standing == Standing.ACTIVE


def test_rule_26_an_erased_card_holds_neither_person_nor_code() -> None:
    world, canary = World.make(), Canary(7)
    card = world.card(name=canary.name, email=canary.email, phone=canary.phone)
    before = shown(world, card)
    erasure.erase(merchant_id=world.merchant_id, customer_id=card.customer_id, at=world.at)

    found = shown(world, card)

    assert found.standing == Standing.OVER
    assert (found.holder, found.code, found.card_number, found.card_url) == ("", "", "", "")
    assert before.card_number not in str(asdict(found))
    assert canary.name not in str(asdict(found))


def test_rule_26_no_address_no_phone_no_id_of_the_card_gets_onto_a_pass() -> None:
    world, canary = World.make(), Canary(8)
    card = world.card(name=canary.name, email=canary.email, phone=canary.phone)

    everything = str(asdict(shown(world, card)))

    assert canary.name in everything
    for secret in (canary.email, canary.phone, str(card.pk), card.pk.hex, str(card.customer_id), card.access_hash):
        assert secret not in everything


def test_a_program_ends_for_its_cards_after_its_last_day() -> None:
    world = World.make()
    card, last = world.card(), NOON.date() + timedelta(days=10)
    world.change(status="paused")
    world.change(status="ended", ends_on=last)

    assert (shown(world, card).standing, shown(world, card).ends_on) == (Standing.ACTIVE, last)
    world.tick(days=10)
    assert shown(world, card).standing == Standing.ACTIVE
    world.tick(days=1)
    assert shown(world, card).standing == Standing.OVER


@pytest.mark.parametrize(
    ("status", "days", "standing"),
    [
        ("late", 10, Standing.ACTIVE), ("suspended", 59, Standing.ACTIVE), ("suspended", 61, Standing.SUSPENDED),
        ("late", 61, Standing.SUSPENDED), ("closed", 0, Standing.OVER), ("trial", 400, Standing.ACTIVE),
    ],
)  # fmt: skip
def test_the_merchant_s_standing_is_its_cards(status: str, days: int, standing: Standing) -> None:
    world = World.make()
    card = world.card()
    change_merchant(world, status=status, status_since=world.at - timedelta(days=days))

    assert shown(world, card).standing == standing


def test_at_most_ten_places_the_nearest_to_the_home_store_first() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Store.objects.filter(pk=world.store.pk).update(latitude=49.6, longitude=6.13)
    open_store(world, "Nowhere", None, None)
    for number in range(12, 0, -1):
        open_store(world, f"Shop {number}", 49.6 + number / 100, 6.13)
    with tenancy.scope(world.merchant_id):
        # All stores run the default program, as the first one does.
        StoreProgram.objects.all().delete()
        Program.objects.update(is_default=True)
    places = shown(world, world.card()).program.places

    assert [place.name for place in places] == ["Gare", *(f"Shop {number}" for number in range(1, 10))]
    assert places[1].address == "1, rue de la Gare, L-1611 Luxembourg"
    assert places[1].latitude == pytest.approx(49.61)


def test_across_the_date_line_is_near() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Store.objects.filter(pk=world.store.pk).update(latitude=-17.0, longitude=179.9)
        StoreProgram.objects.all().delete()
        Program.objects.update(is_default=True)
    open_store(world, "Suva", -17.0, 178.0)
    open_store(world, "Taveuni", -17.0, -179.9)

    assert [place.name for place in shown(world, world.card()).program.places] == ["Gare", "Taveuni", "Suva"]


def test_a_closed_store_is_no_place_and_no_address() -> None:
    world = World.make()
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Store.objects.filter(pk=world.store.pk).update(closed_at=world.at)

    found = shown(world, card)

    assert (found.program.places, found.card_url, found.program.privacy_url) == ((), "", "")


def test_another_merchant_s_card_is_none() -> None:
    mine, theirs = World.make(), World.make()
    card = theirs.card()

    with tenancy.scope(mine.merchant_id):
        assert descriptions.describe(card.pk, NOON) is None
        assert descriptions.describe_many([card.pk, uuid7()], NOON) == {}
        assert descriptions.describe_program(theirs.program.pk) is None


def test_a_program_of_its_own_colour_and_without_a_card() -> None:
    world = World.make(card_color="#0B6E4F")
    with tenancy.scope(world.merchant_id):
        found = descriptions.describe_program(world.program.pk)

    assert found is not None
    assert (found.branding.color, found.branding.seed) == ("#0B6E4F", str(world.program.pk))
    assert (found.has_stamps, found.has_points) == (True, False)
    assert [place.name for place in found.places] == ["Gare"]


def test_many_cards_cost_the_queries_of_one() -> None:
    world = World.make(loyalty_type="hybrid")
    cards: list[UUID] = [world.card().pk for _ in range(6)]

    with tenancy.scope(world.merchant_id):
        descriptions.describe(cards[0], world.at)
        with CaptureQueriesContext(connection) as for_one:
            descriptions.describe(cards[0], world.at)
        with CaptureQueriesContext(connection) as for_all:
            found = descriptions.describe_many(cards, world.at)

    assert set(found) == set(cards)
    assert len(for_all) == len(for_one) == 2


def test_what_a_program_s_cards_share_is_read_again_once_any_of_it_changed() -> None:
    world = World.make(loyalty_type="hybrid")
    card = world.card()
    with tenancy.scope(world.merchant_id):
        own = StoreProgram.objects.get(store_id=world.store.pk)
    changes: list[tuple[Callable[[], object], Callable[[CardDescription], bool]]] = [
        (lambda: Store.objects.update(street="2, place de Paris"),
         lambda found: "place de Paris" in found.program.places[0].address),
        (lambda: Store.objects.update(closed_at=world.at), lambda found: found.program.places == ()),
        (lambda: Store.objects.update(closed_at=None), lambda found: len(found.program.places) == 1),
        (lambda: Program.objects.update(is_default=False), lambda found: len(found.program.places) == 1),
        (own.delete, lambda found: found.program.places == ()),
        (lambda: Program.objects.update(is_default=True), lambda found: len(found.program.places) == 1),
        (lambda: Program.objects.update(card_color="#123456"),
         lambda found: found.program.branding.color == "#123456"),
        (lambda: Merchant.objects.update(name="Another name"),
         lambda found: found.program.merchant_name == "Another name"),
    ]  # fmt: skip

    for change, shows in changes:
        shown(world, card)
        with tenancy.scope(world.merchant_id):
            change()
        assert shows(shown(world, card))


def test_a_reward_of_the_catalogue_shows_when_it_is_added_and_when_it_goes() -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    world.sale(card, 1000)
    assert shown(world, card).ready == ()

    data = {"name": "Biscuit", "points_cost": 50}
    rewards.create(merchant_id=world.merchant_id, program_id=world.program.pk, data=data, at=NOON)
    assert shown(world, card).ready == ("Biscuit",)

    with tenancy.scope(world.merchant_id):
        Reward.objects.update(is_active=False)
    assert shown(world, card).ready == ()


def test_a_language_that_no_pass_speaks_falls_back_to_the_merchant_s() -> None:
    world = World.make()
    change_merchant(world, default_language="lb")
    card = world.card()
    with tenancy.scope(world.merchant_id):
        customer = Card.objects.select_related("customer").get(pk=card.pk).customer
        customer.language = "pt"
        customer.save(update_fields=["language"])

    found = shown(world, card)

    assert (found.language, found.program.language) == ("lb", "lb")
