"""Cards: found, looked at, made by staff."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from core import tenancy
from customers.models import Consent
from loyalty.models import Card
from loyalty.services import programs
from stores.models import Store
from tests.dashboard.conftest import Shop, open_shop


def titles(shop: Shop, **query: str) -> list[str]:
    answer = shop.client().get(shop.page("cards"), query)
    assert answer.status_code == 200
    return [row.title for row in answer.context["found"].rows]


def test_cards_are_found_by_what_people_say(db: None) -> None:
    shop = open_shop()
    marie = shop.card(name="Marie Klein", email="marie@example.com", phone="+352 621 123 456")
    shop.card(name="Łukasz Nowak")
    assert titles(shop, search="marie") == ["Marie Klein"]
    assert titles(shop, search="MARIE K") == ["Marie Klein"]
    assert titles(shop, search="łuk") == ["Łukasz Nowak"]
    assert titles(shop, search="Marie@Example.com") == ["Marie Klein"]
    assert titles(shop, search="+352621123456") == ["Marie Klein"]
    assert titles(shop, search=marie.card_number) == ["Marie Klein"]
    assert titles(shop, search=marie.card_number[:6]) == ["Marie Klein"]
    assert titles(shop, search="nobody") == []
    assert len(titles(shop)) == 2


@pytest.mark.parametrize("search", ["%", "_", "'; drop table", "\x00", "a" * 500, "@", "+", "\U0010ffff", "..", "''"])
def test_odd_searches_find_nothing_and_break_nothing(search: str, shop: Shop) -> None:
    assert shop.client().get(shop.page("cards"), {"search": search}).status_code == 200


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"after": "2026-01-01_x"}, {"status": "lost"}, {"after": "\x00_\x00"}]
)
def test_odd_filters_show_the_list(query: dict[str, str], shop: Shop) -> None:
    assert titles(shop, **query) == ["Marie Klein"]


def test_a_long_list_goes_on_where_it_stopped(db: None) -> None:
    shop = open_shop()
    made = {shop.card(name=f"Person {number:02}").pk for number in range(27)}
    browser = shop.client()
    first = browser.get(shop.page("cards"))
    assert len(first.context["found"].rows) == 25
    second = browser.get(shop.page("cards") + first.context["next_url"])
    assert second.context["next_url"] == ""
    seen = [row.id for answer in (first, second) for row in answer.context["found"].rows]
    assert len(seen) == 27
    assert set(seen) == made


def test_the_list_filters_by_state(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        Card.objects.update(status="frozen")
    assert titles(shop, status="frozen") == ["Marie Klein"]
    assert titles(shop, status="active") == []


def test_the_list_filters_by_a_reward_that_is_ready(db: None) -> None:
    shop = open_shop()
    ready = [shop.card(name=f"Ready {number:02}") for number in range(27)]
    for number in range(3):
        shop.card(name=f"Other {number}")
    gone = shop.card(name="Ready but gone")
    with tenancy.scope(shop.merchant_id):
        Card.objects.filter(pk__in=[card.pk for card in ready]).update(rewards_ready=1)
        Card.objects.filter(pk=ready[0].pk).update(status="frozen")
        Card.objects.filter(pk=gone.pk).update(status="closed", rewards_ready=2)
    browser = shop.client()

    first = browser.get(shop.page("cards"), {"status": "ready"})
    second = browser.get(shop.page("cards") + first.context["next_url"])

    pages = [[row.id for row in answer.context["found"].rows] for answer in (first, second)]
    assert [len(page) for page in pages] == [25, 2]
    assert {*pages[0], *pages[1]} == {card.pk for card in ready}
    assert titles(shop, status="ready", search="ready 26") == ["Ready 26"]
    assert titles(shop, status="ready", search="other") == []


def test_a_card_shows_what_is_on_it_and_what_happened(shop: Shop) -> None:
    shop.world.staff("Ben", "735914")
    answer = shop.client().get(shop.page(f"cards/{shop.ids['card_id']}"))
    shown = answer.content.decode()
    assert "Marie Klein" in shown
    assert "marie@example.com" in shown
    assert "1 of 10 stamps" in shown
    # The sale of 10 € at a point per euro, its stamp, and the making of the card.
    lines = answer.context["history"].lines
    assert [line.title for line in lines] == ["+1 stamp", "+10 points", "Card made"]
    assert lines[1].why.endswith("× 1 = 10 points")
    assert {line.where for line in lines} == {"Gare"}
    assert [line.can_void for line in lines] == [False, True, False]
    assert [line.can_refund for line in lines] == [False, True, False]


def test_a_long_history_goes_on_where_it_stopped(shop: Shop) -> None:
    card = shop.card(name="Tom")
    for _ in range(22):
        shop.world.stamp(card)
    browser, url = shop.client(), shop.page(f"cards/{card.pk}")
    first = browser.get(url).context
    assert len(first["history"].lines) == 20
    rest = browser.get(first["older_url"]).context["history"].lines
    seen = [line.id for line in [*first["history"].lines, *rest]]
    assert seen == [row.pk for row in reversed(shop.world.rows(card))]
    assert browser.get(url, {"before": "x"}).context["history"].lines == first["history"].lines


def test_times_are_those_of_the_stores_clock(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        Store.objects.update(time_zone="Asia/Kathmandu")
    shown = shop.client().get(shop.page(f"cards/{shop.ids['card_id']}")).content.decode()
    here = shop.world.rows(Card(pk=shop.ids["card_id"]))[-1].occurred_at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{here:%H:%M}" in shown


def test_personal_data_is_written_as_text(shop: Shop) -> None:
    card = shop.card(name="<script>alert(1)</script>")
    shown = shop.client().get(shop.page(f"cards/{card.pk}")).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def make(shop: Shop, **data: Any) -> Any:
    return shop.client().post(shop.page("enroll"), data)


def test_staff_make_a_card_without_any_consent(shop: Shop) -> None:
    answer = make(shop, name="Tom", email="tom@example.com", language="de")
    assert answer.status_code == 200
    with tenancy.scope(shop.merchant_id):
        card = Card.objects.select_related("customer").get(customer__name="Tom")
        assert Consent.objects.count() == 0
    assert f"/c/{card.qr_code_data}" in answer.context["qr_data"]
    assert 'data-test="card-qr"' in answer.content.decode()
    assert card.customer.language == "de"
    (row,) = shop.world.rows(card)
    assert (row.channel, row.user_id) == ("dashboard", shop.world.owner.pk)
    assert mail.outbox == []  # The mail goes by the outbox, when the relay runs.


def test_a_card_needs_no_name_at_all(shop: Shop) -> None:
    assert make(shop).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("phone", "call me"), ("language", "xx"), ("name", "x" * 81), ("name", "a\x00b")],
)
def test_a_bad_value_is_said_at_its_field_and_the_rest_is_kept(field: str, value: str, shop: Shop) -> None:
    before = len(titles(shop))
    answer = make(shop, **{"name": "Tom", "email": "tom@example.com", "language": "de", field: value})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    if field != "email":
        assert "tom@example.com" in answer.content.decode()
    assert len(titles(shop)) == before


def test_no_card_is_made_while_the_program_is_paused(shop: Shop) -> None:
    programs.update(
        merchant_id=shop.merchant_id, program_id=shop.world.program.pk, data={"status": "paused"}, user_id=None,
        at=shop.world.at,
    )  # fmt: skip
    assert "takes no new cards" in shop.client().get(shop.page("enroll")).content.decode()
    answer = make(shop, name="Tom")
    assert answer.status_code == 409
    assert "takes no new cards" in str(answer.context["form"].non_field_errors())
    assert titles(shop, search="Tom") == []


def test_home_says_what_happened_today(shop: Shop) -> None:
    shop.world.stamp(shop.card(name="Tom"), quantity=3)
    context = shop.client().get(shop.page()).context
    assert (context["today"].stamps, context["today"].points, context["today"].joined) == (4, 10, 2)
    assert sorted(line["who"] for line in context["activity"]) == ["Marie Klein", "Marie Klein", "Tom", "Tom"]


def test_what_was_undone_does_not_count(shop: Shop) -> None:
    card = shop.card(name="Tom")
    given = shop.world.stamp(card, quantity=3)
    shop.world.void(given["transaction_id"])
    browser = shop.client()
    assert browser.get(shop.page()).context["today"].stamps == 1
    assert browser.get(shop.page("stats")).context["series"][-1].stamps == 1


def test_a_staff_login_sees_its_own_figures_only(shop: Shop) -> None:
    answer = shop.client("staff").get(shop.page())
    assert answer.context["today"].stamps == 0
    assert "Marie" not in answer.content.decode()
    assert "activity" not in answer.context


@pytest.mark.parametrize(("days", "length"), [("7", 7), ("28", 28), ("x", 28), ("9999999", 28)])
def test_statistics_show_each_day(days: str, length: int, shop: Shop) -> None:
    context = shop.client().get(shop.page("stats"), {"days": days}).context
    assert len(context["series"]) == length
    assert context["series"][-1].stamps == 1
    gaps = {after.on - before.on for before, after in zip(context["series"], context["series"][1:], strict=False)}
    assert gaps == {timedelta(days=1)}
