"""Home: today against the usual, and what is worth a look."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from core import tenancy
from dashboard.models import DayFigures
from dashboard.models.rollups import HOURS
from dashboard.queries import lately, worth
from loyalty.models import Card
from loyalty.rules import timing
from loyalty.services.proofs import StaffProof
from stores.models import StaffPin, Store, Terminal
from stores.services import staff, stores
from tests.dashboard.conftest import Shop

NOON = datetime(2026, 3, 11, 12, 30, tzinfo=UTC)
TODAY = NOON.date()


def count(
    shop: Shop, day: date, *, store: Store | None = None, hours: dict[int, int] | None = None, **values: int
) -> None:
    """Write a rollup row of a day."""
    by_hour = [(hours or {}).get(hour, 0) for hour in range(HOURS)]
    names = [field.name for field in DayFigures._meta.fields if field.get_internal_type().endswith("IntegerField")]
    zero = dict.fromkeys((name for name in names if name != "visits_by_hour"), 0)
    with tenancy.scope(shop.merchant_id):
        DayFigures.objects.create(
            merchant_id=shop.merchant_id, program_id=shop.world.program.pk, store_id=(store or shop.world.store).pk,
            day=day, visits_by_hour=by_hour, **{**zero, "visits": sum(by_hour), **values},
        )  # fmt: skip


def of(shop: Shop, *, is_open: bool = True) -> lately.Lately:
    with tenancy.scope(shop.merchant_id):
        Store.objects.update(time_zone="UTC")
        return lately.of(Store.objects.get(pk=shop.world.store.pk), TODAY, at=NOON, is_open=is_open)


def signs(shop: Shop, at: datetime = NOON) -> list[worth.Sign]:
    with tenancy.scope(shop.merchant_id):
        found = list(Store.objects.order_by("created_at"))
        before = lately.of(found[0], at.date(), at=at)
        return worth.found(found[0], found, before, today=at.date(), at=at)


def opened(shop: Shop, at: datetime) -> None:
    """Say when the stores were opened."""
    with tenancy.scope(shop.merchant_id):
        Store.objects.update(created_at=at)


def test_the_usual_is_that_of_the_weekday_by_this_time(shop: Shop) -> None:
    for weeks, stamps in ((1, 40), (2, 20)):
        count(shop, TODAY - timedelta(weeks=weeks), hours={8: 10, 12: 20, 16: 10}, stamps_given=stamps)
    count(shop, TODAY - timedelta(days=1), hours={8: 500}, stamps_given=500)

    found = of(shop)

    # Half of a day's visits had come by 12:30, on average 30 stamps a day.
    assert found.usual["stamps"] == 15
    assert (found.by_day["stamps"][-1], found.by_day["stamps"][-7], len(found.by_day["stamps"])) == (500, 40, 28)


def test_a_weekday_without_any_has_the_usual_of_all_days_once_it_is_open(shop: Shop) -> None:
    assert of(shop).usual == {}
    count(shop, TODAY - timedelta(days=1), hours={8: 5}, stamps_given=6)
    count(shop, TODAY - timedelta(days=2), hours={8: 5}, stamps_given=8)
    assert of(shop, is_open=False).usual == {}
    assert of(shop).usual["stamps"] == 7


def test_tiles_say_what_is_usual(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        store = Store.objects.get(pk=shop.world.store.pk)
    today = timing.business_date(timezone.now(), store.time_zone, store.day_start)
    hours = dict.fromkeys(range(HOURS), 2)
    count(shop, today - timedelta(weeks=1), hours=hours, stamps_given=48 * 1000)

    page = shop.client().get(shop.page()).content.decode()

    assert "usually" in page
    assert "by now" in page
    assert "spark-line" in page


def test_a_quiet_shop_has_nothing_to_look_at(shop: Shop) -> None:
    assert signs(shop) == []
    assert "Worth a look" not in shop.client().get(shop.page()).content.decode()


def test_names_who_is_locked_out_and_what_is_silent(shop: Shop) -> None:
    now = timezone.now()
    with tenancy.scope(shop.merchant_id):
        StaffPin.objects.filter(pk=shop.ids["staff_id"]).update(locked_until=now + timedelta(minutes=20))
        Terminal.objects.update(last_seen_at=now - timedelta(days=9))

    assert [sign.kind for sign in signs(shop, now)] == ["pin_locked", "silent_till"]
    page = shop.client().get(shop.page()).content.decode()
    assert "Anna is locked out" in page
    assert "Till 1 is silent" in page


def test_names_who_undid_far_more_than_the_others(shop: Shop) -> None:
    anna = staff.create(merchant_id=shop.merchant_id, name="Carla", at=timezone.now())
    for number in range(5):
        assert not any(sign.kind == "undid" for sign in signs(shop, timezone.now())), number
        given = shop.world.stamp(shop.card(name=f"Tom {number}"))
        shop.world.void(given["transaction_id"], staff=StaffProof(pin=anna.pin))

    (sign,) = [sign for sign in signs(shop, timezone.now()) if sign.kind == "undid"]
    assert (sign.name, sign.count, sign.usual) == ("Carla", 5, 0)
    # Nobody else undid anything: there is no average to tell.
    page = shop.client().get(shop.page()).content.decode()
    assert "Carla undid 5 times this week" in page
    assert "on average" not in page


@pytest.mark.parametrize(("last", "kinds"), [(12, []), (6, ["thin_week"])])
def test_sees_a_thin_week(last: int, kinds: list[str], shop: Shop) -> None:
    for weeks in (2, 3, 4):
        count(shop, TODAY - timedelta(weeks=weeks), hours={9: 14}, new_cards=1)
    count(shop, TODAY - timedelta(days=2), hours={9: last})

    assert [sign.kind for sign in signs(shop)] == kinds


def test_sees_a_store_where_nobody_joins_and_rewards_that_wait(shop: Shop) -> None:
    other = stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)
    count(shop, TODAY - timedelta(days=2), hours={9: 3}, new_cards=1, rewards_issued=12, rewards_expired=1)
    count(shop, TODAY - timedelta(days=3), store=other, hours={9: 3})

    opened(shop, NOON - timedelta(days=28))

    found = signs(shop)

    assert [(sign.kind, sign.name or sign.count) for sign in found] == [
        ("no_new_cards", "Kirchberg"),
        ("rewards_ready", 11),
    ]


def test_a_young_store_and_one_without_visits_miss_no_cards(shop: Shop) -> None:
    other = stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)
    count(shop, TODAY - timedelta(days=3), store=other, hours={9: 3})
    count(shop, TODAY - timedelta(days=3), rewards_expired=1)

    opened(shop, NOON - timedelta(days=27))
    assert signs(shop) == []
    opened(shop, NOON - timedelta(days=28))
    assert [(sign.kind, sign.name) for sign in signs(shop)] == [("no_new_cards", "Kirchberg")]


def test_rewards_on_cards_that_nobody_has_do_not_wait(shop: Shop) -> None:
    count(shop, TODAY - timedelta(days=2), hours={9: 3}, new_cards=1, rewards_issued=12)
    card = shop.card(name="Tom")
    with tenancy.scope(shop.merchant_id):
        rows = Card.objects.filter(pk=card.pk)
        rows.update(rewards_ready=2)
        assert [(sign.kind, sign.count) for sign in signs(shop)] == [("rewards_ready", 12)]
        rows.update(status="frozen")
        assert [(sign.kind, sign.count) for sign in signs(shop)] == [("rewards_ready", 12)]
        rows.update(status="closed")
        assert [(sign.kind, sign.count) for sign in signs(shop)] == [("rewards_ready", 10)]
        rows.update(status="closed", rewards_ready=3)
        assert signs(shop) == []


def test_shows_three_at_most(shop: Shop) -> None:
    now = timezone.now()
    with tenancy.scope(shop.merchant_id):
        StaffPin.objects.update(locked_until=now + timedelta(minutes=20))
        Terminal.objects.update(last_seen_at=now - timedelta(days=9))
    count(shop, now.date() - timedelta(days=2), hours={9: 3}, rewards_issued=12)
    count(shop, now.date() - timedelta(weeks=3), hours={9: 90})

    assert [sign.kind for sign in signs(shop, now)] == ["pin_locked", "thin_week", "silent_till"]
