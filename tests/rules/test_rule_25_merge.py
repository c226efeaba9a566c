"""Rule 25: two cards become one by ledger rows; both codes go on working, the stricter consent holds, 30 days back."""

from collections.abc import Callable

from django.test import Client

from core import tenancy
from loyalty.models import Card
from tests.support.api import assert_problem
from tests.support.shop import EN, Phone, Shop, done

Open = Callable[..., Shop]
MARIE = "marie@example.com"
NEWS = {"purpose": "service", "channel": "email"}


def two(shop: Open) -> tuple[Shop, Phone, Phone]:
    """A café with an old card of 4 stamps and 30 points, and a new one of 2 stamps and 10 points."""
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=10)
    old, new = cafe.proven(MARIE), cafe.joins()
    for phone, stamps, points in ((old, 3, 30), (new, 1, 10)):
        cafe.stamps(phone, stamps)
        cafe.sells(phone, points * 100)
    return cafe, old, new


def merge(cafe: Shop, source: Phone, into: Phone) -> None:
    done(cafe.on_card("merge", source, by=cafe.manager, into=into.card["id"], reason="same person"))


def test_both_codes_go_on_working(shop: Open) -> None:
    cafe, old, new = two(shop)
    merge(cafe, new, old)

    for number, phone in enumerate((old, new)):
        for field, name in (("qr_code_data", "qr_code"), ("card_number", "card_number"), ("id", "card_id")):
            stamped = done(cafe.asks("stamp", **{name: phone.card[field]}))
            assert (stamped["card_id"], number) == (old.card["id"], number)
        assert phone.shows()["id"] == old.card["id"], "and both phones show it"
        address = f"http://127.0.0.1:8000/c/{phone.card['qr_code_data']}"
        assert done(cafe.asks("cards/lookup", qr_code=address), 200)["id"] == old.card["id"]
        assert Client(headers=EN).get(f"/c/{phone.card['qr_code_data']}").status_code == 200
    cafe.adds_up()


def test_the_balance_moves_by_rows_of_the_ledger(shop: Open) -> None:
    cafe, old, new = two(shop)
    before = cafe.ledger(old), cafe.ledger(new)
    merge(cafe, new, old)

    gone, kept = cafe.ledger(new), cafe.ledger(old)

    assert (gone[: len(before[1])], kept[: len(before[0])]) == (before[1], before[0]), "nothing is rewritten"
    [out], [came] = gone[len(before[1]) :], kept[len(before[0]) :]
    assert (out["type"], out["stamps_delta"], out["points_delta"]) == ("merge_out", -2, -10)
    assert (came["type"], came["stamps_delta"], came["points_delta"]) == ("merge_in", 2, 10)
    assert (old.shows()["stamp_count"], old.shows()["points_balance"]) == (6, 40)
    cafe.adds_up()


def test_the_most_restrictive_consent_holds_per_channel(shop: Open) -> None:
    cafe, old, new = two(shop)
    done(old.ask("post", "consents", {**NEWS, "granted": True}))
    done(old.ask("post", "consents", {"purpose": "marketing", "channel": "email", "granted": True}))
    done(new.ask("patch", "profile", {"email": "other@example.com"}), 200)
    done(new.ask("post", "consents", {**NEWS, "granted": False}))

    merge(cafe, new, old)

    held = {(row["purpose"], row["channel"]): row["granted"] for row in
            done(old.ask("get", "consents"), 200)["results"]}  # fmt: skip
    assert held["service", "email"] is False, "one of the two said no"
    assert held["marketing", "email"] is True, "the other never said anything of it"


def test_it_can_be_undone_for_thirty_days(shop: Open) -> None:
    cafe, old, new = two(shop)
    merge(cafe, new, old)
    cafe.later(days=29, hours=23)

    back = done(cafe.on_card("unmerge", new, by=cafe.manager, reason="two persons"))

    assert back["card"]["id"] == new.card["id"]
    assert (old.shows()["stamp_count"], old.shows()["points_balance"]) == (4, 30)
    assert (new.shows()["stamp_count"], new.shows()["points_balance"]) == (2, 10)
    assert done(cafe.asks("stamp", qr_code=new.card["qr_code_data"]))["card_id"] == new.card["id"]
    cafe.adds_up()


def test_after_thirty_days_it_stays(shop: Open) -> None:
    cafe, old, new = two(shop)
    merge(cafe, new, old)
    cafe.later(days=30, seconds=1)

    refused = cafe.on_card("unmerge", new, by=cafe.manager, reason="two persons")

    assert refused.status_code == 409
    assert old.shows()["stamp_count"] == 6
    with tenancy.scope(cafe.world.merchant_id):
        assert Card.objects.get(pk=new.card["id"]).status == "merged"


def test_no_card_merges_into_itself_or_twice(shop: Open) -> None:
    cafe, old, new = two(shop)
    into = {"into": old.card["id"], "reason": "same"}

    assert_problem(cafe.on_card("merge", old, **into), 400, "validation_error", "into")
    assert_problem(cafe.on_card("unmerge", new, reason="never merged"), 409, "card_not_active")
    merge(cafe, new, old)
    assert_problem(cafe.on_card("merge", new, **into), 409, "card_not_active")
    cafe.adds_up()


def test_rewards_move_along_and_back(shop: Open) -> None:
    cafe = shop(stamps_target=3)
    old, new = cafe.joins(), cafe.joins()
    cafe.stamps(new, 4)
    cafe.stamps(old, 1)

    merge(cafe, new, old)
    assert (old.shows()["stamp_count"], old.shows()["rewards_available"]) == (2, 1)
    done(cafe.on_card("unmerge", new, reason="two persons"))

    assert (old.shows()["stamp_count"], old.shows()["rewards_available"]) == (1, 0)
    assert (new.shows()["stamp_count"], new.shows()["rewards_available"]) == (1, 1)
    cafe.adds_up()


def test_consents_are_as_before_when_it_is_undone(shop: Open) -> None:
    cafe, old, new = two(shop)
    done(old.ask("post", "consents", {**NEWS, "granted": True}))
    done(new.ask("post", "consents", {**NEWS, "granted": False}))
    merge(cafe, new, old)

    done(cafe.on_card("unmerge", new, reason="two persons"))

    for phone, expected in ((old, True), (new, False)):
        [held] = done(phone.ask("get", "consents"), 200)["results"]
        assert held["granted"] is expected
