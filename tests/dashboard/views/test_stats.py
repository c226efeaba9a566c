"""The statistics page: the period, one store or all, what it says, its file."""

import csv
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from core import tenancy
from core.templatetags import ui
from dashboard.models import RollupState
from dashboard.queries import cards
from stores.models import Store
from tests.dashboard.conftest import Shop, open_shop
from tests.support.world import World

pytestmark = pytest.mark.django_db


def look(shop: Shop, **query: str) -> Any:
    return shop.client().get(shop.page("stats"), query)


def second_store(shop: Shop) -> Store:
    with tenancy.scope(shop.merchant_id):
        return Store.objects.create(code=f"{shop.world.store.code}-2", name="Kirchberg")


def test_it_works(shop: Shop) -> None:
    shop.world.stamp(shop.card(name="Tom"), quantity=3)

    answer = look(shop)

    assert answer.status_code == 200
    assert answer.context["report"].figures.stamps_given == 4
    tiles = {tile["label"]: tile["value"] for tile in answer.context["shown"].tiles}
    assert tiles["Stamps given"] == "4"
    assert "Marie" not in answer.content.decode()


def test_the_figures_are_of_this_moment(shop: Shop) -> None:
    """Nobody waits for the next round of the workers."""
    look(shop)
    shop.world.stamp(shop.card(name="Tom"), quantity=3)

    assert look(shop).context["series"][-1].stamps == 4
    with tenancy.scope(shop.merchant_id):
        assert RollupState.objects.count() == 1


@pytest.mark.parametrize(("days", "bars"), [("7", 7), ("28", 28), ("90", 13), ("365", 13)])
def test_long_periods_are_drawn_by_week_and_month(days: str, bars: int, shop: Shop) -> None:
    context = look(shop, days=days).context

    assert len(context["series"]) == int(days)
    assert len(context["shown"].charts[0].bars) in (bars, bars - 1)
    assert context["shown"].charts[0].total == sum(day.stamps for day in context["series"])


def test_days_can_be_chosen(shop: Shop) -> None:
    context = look(shop, **{"from": "2026-01-01", "to": "2026-01-31"}).context

    assert (context["report"].period.first, context["report"].period.last) == (date(2026, 1, 1), date(2026, 1, 31))
    assert not any(entry.active for entry in context["periods"])


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-12-31", "to": "2026-01-01"}, {"from": "x"}, {"to": "2026-02-30"}, {"from": "9" * 5000},
        {"from": "\x00"}, {"from": "2000-01-01", "to": "2026-01-01"}, {"from": "<script>alert(1)</script>"},
    ],
)  # fmt: skip
def test_days_that_nobody_can_mean_are_named(query: dict[str, str], shop: Shop) -> None:
    answer = look(shop, **query)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert answer.context["report"].period.days == 28
    assert "<script>alert" not in answer.content.decode()


def test_all_stores_or_this_one(shop: Shop) -> None:
    first, second = shop.world.store, second_store(shop)
    card = shop.card(name="Tom")
    shop.world.store = second
    shop.world.stamp(card, quantity=2)
    shop.world.store = first

    here, everywhere = look(shop), look(shop, stores="all")

    assert here.context["report"].figures.stamps_given == 1
    assert everywhere.context["report"].figures.stamps_given == 3
    found = {part.key: part.figures.stamps_given for part in everywhere.context["report"].by_store}
    assert found == {first.code: 1, second.code: 2}
    assert all("stores=all" in entry.url for entry in everywhere.context["periods"])


def way(shop: Shop, **query: str) -> list[int]:
    """Return the steps from the poster to a regular."""
    return [step.count for step in look(shop, **query).context["shown"].way]


def test_tells_the_way_from_the_poster_to_a_regular(shop: Shop) -> None:
    """The shop's own card has a stamp from its beginning."""
    world, other = shop.world, second_store(shop)
    assert way(shop) == [1, 1, 0, 0]
    world.card(name="Nobody came")
    for _ in range(2):
        world.stamp(shop.card(name="Tom"), quantity=1)
    regular = shop.card(name="Zoé")
    world.stamp(regular, quantity=6)
    world.stamp(regular, quantity=6)

    assert way(shop) == [5, 4, 1, 1]
    page = look(shop).content.decode()
    assert "Of 5 new cards 1 came a second time." in page
    assert 'class="way-reward" width="20"' in page

    # A card that was made elsewhere came here, and is on no way that began here.
    away = World(world.merchant_id, other, world.program, world.key, world.owner, at=world.at)
    foreign = away.card(name="Ann")
    world.stamp(foreign)
    assert way(shop) == [5, 4, 1, 1]
    assert way(shop, stores="all") == [6, 5, 1, 1]


def test_a_time_without_new_cards_has_no_way(shop: Shop) -> None:
    answer = look(shop, **{"from": "2026-01-01", "to": "2026-01-31"})

    assert answer.context["shown"].way == []
    page = answer.content.decode()
    assert "Nothing in this time." in page
    assert "From poster to regular" not in page
    assert "spark-line" not in page


def test_days_that_are_to_come_stand_as_of_today(shop: Shop) -> None:
    today = timezone.now().date()
    later = {"from": str(today + timedelta(days=30)), "to": str(today + timedelta(days=60))}

    answer = look(shop, **later)

    assert answer.context["report"].period.days == 31
    assert answer.context["standing_on"] == answer.context["today"]


def test_the_share_of_those_who_came_again_has_no_line(shop: Shop) -> None:
    """Shares of single days are no part of it: a line would show something else than the figure."""
    tom = shop.card(name="Tom")
    for _ in range(2):
        shop.world.stamp(tom)

    *others, again = look(shop).context["shown"].tiles
    assert all(tile["line"] for tile in others if tile["value"] != "0")
    assert "line" not in again


def test_one_store_has_no_switch(shop: Shop) -> None:
    assert look(shop, stores="all").context["places"] == []


def test_nothing_yet(db: None) -> None:
    empty = open_shop()

    page = empty.client().get(empty.page("stats")).content.decode()

    assert "Nothing to count yet" in page
    assert '<svg class="chart"' not in page


def test_the_file_has_the_days_that_the_page_shows(shop: Shop) -> None:
    page = look(shop, days="7")

    answer = shop.client().get(page.context["file_url"])

    lines = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert [line["date"] for line in lines] == [day.on.isoformat() for day in page.context["series"]]
    assert [int(line["stamps_given"]) for line in lines] == [day.stamps for day in page.context["series"]]
    assert len(lines) == 7


def test_the_file_and_the_page_are_for_managers(shop: Shop) -> None:
    for page in ("stats", "stats.csv"):
        assert shop.client("staff").get(shop.page(page)).status_code == 403
        assert shop.client("manager").get(shop.page(page)).status_code == 200


def test_another_merchants_numbers_stay_there(shop: Shop) -> None:
    other = World.make()
    other.stamp(other.card(), 7)

    assert shop.client().get(f"/store/{other.store.code}/loyalty/stats").status_code == 404
    assert shop.client().get(f"/store/{other.store.code}/loyalty/stats.csv").status_code == 404
    assert look(shop, stores="all").context["report"].figures.stamps_given == 1


@pytest.mark.parametrize("language", ["en", "fr", "de", "lb"])
def test_every_language_shows_it(language: str, shop: Shop) -> None:
    browser = shop.client()
    browser.cookies["django_language"] = language

    assert browser.get(shop.page("stats"), {"days": "365"}).status_code == 200


def test_the_change_is_told_in_words(shop: Shop) -> None:
    now = timezone.now()
    before = look(shop, **{"from": (now - timedelta(days=1)).date().isoformat(), "to": now.date().isoformat()})

    tiles = {tile["label"]: tile for tile in before.context["shown"].tiles}
    assert tiles["Visits"]["note"] == "nothing before"


@pytest.mark.parametrize("language", ["en", "fr", "de", "lb"])
def test_tiles_and_tables_write_numbers_alike(language: str) -> None:
    with translation.override(language):
        assert cards.grouped(1234567) == ui.number(1234567)


@pytest.mark.parametrize(
    ("days", "title", "rows"), [("28", "Day", {28}), ("90", "Week", {13}), ("365", "Month", {12, 13})]
)
def test_a_row_of_the_table_is_what_a_bar_of_the_chart_is(days: str, title: str, rows: set[int], shop: Shop) -> None:
    """Together the rows say what the days say; the days themselves are in the file."""
    shop.world.stamp(shop.card(name="Tom"), quantity=3)

    answer = look(shop, days=days)

    shown, series = answer.context["shown"], answer.context["series"]
    assert shown.lines_title == title
    assert f'<th scope="col">{title}</th>' in answer.content.decode()
    cells = re.findall(r'<tr><td>(.+?)</td><td class="end">(\d+)</td><td class="end">(\d+)</td>', shown.lines)
    assert len(cells) == len({when for when, *_counts in cells}) == len(shown.charts[0].bars)
    assert len(cells) in rows
    assert title != "Week" or all(when.count(" ") == 1 for when, *_counts in cells), "breaks at its dash alone"
    assert sum(int(stamps) for *_day, stamps in cells) == sum(day.stamps for day in series) == 4
