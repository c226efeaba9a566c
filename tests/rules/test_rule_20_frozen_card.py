"""Rule 20: a frozen card neither earns nor redeems; its customer reads a neutral word, the manager reads why."""

from collections.abc import Callable

from tests.support.api import assert_problem
from tests.support.shop import Phone, Shop, done

Open = Callable[..., Shop]
WHY = "suspected: Ben stamps his friends"


def frozen(shop: Open) -> tuple[Shop, Phone, str]:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=2)
    marie, voucher = cafe.joins(), cafe.reward(5)
    cafe.stamps(marie, 3)
    cafe.sells(marie, 1000)
    done(cafe.on_card("freeze", marie, by=cafe.manager, reason=WHY), 200)
    return cafe, marie, voucher


def test_it_neither_earns_nor_redeems(shop: Open) -> None:
    cafe, marie, voucher = frozen(shop)
    before = cafe.ledger(marie)

    for path, body in (("stamp", {}), ("points", {"purchase_amount_cents": 100}), ("stamp/redeem", {}),
                       ("points/redeem", {"reward_id": voucher})):  # fmt: skip
        assert_problem(cafe.asks(path, marie, **body), 409, "card_not_active")

    assert cafe.ledger(marie) == before
    can = done(cafe.asks("cards/lookup", marie), 200)["can"]
    assert {can[name]["allowed"] for name in ("stamp", "earn_points", "redeem")} == {False}
    cafe.adds_up()


def test_the_customer_reads_a_neutral_word(shop: Open) -> None:
    cafe, marie, _voucher = frozen(shop)

    page = marie.page(f"/loyalty/{cafe.code}/dashboard")

    assert "Ask at the till" in page
    for word in ("Ben", "suspected", "fraud", "frozen"):
        assert word not in page
        assert word not in str({**marie.shows(), "status": ""})
        assert word not in str(marie.history())


def test_the_till_reads_no_reason_either(shop: Open) -> None:
    cafe, marie, _voucher = frozen(shop)

    refused = cafe.asks("stamp", marie, by=cafe.till("earn"))

    assert "Ben" not in refused.content.decode()


def test_the_manager_reads_the_reason(shop: Open) -> None:
    cafe, marie, _voucher = frozen(shop)

    page = cafe.manager.client.get(f"/store/{cafe.code}/loyalty/cards/{marie.card['id']}")

    assert WHY in page.content.decode()


def test_unfrozen_it_goes_on_as_before(shop: Open) -> None:
    cafe, marie, _voucher = frozen(shop)
    assert_problem(cafe.on_card("unfreeze", marie), 400, "validation_error", "reason")
    done(cafe.on_card("unfreeze", marie, reason="all well"), 200)

    assert cafe.hands_out(marie)["stamps_redeemed"] == 2
    assert cafe.stamps(marie)["stamp_count"] >= 1
    cafe.adds_up()


def test_only_a_manager_freezes(shop: Open) -> None:
    cafe = shop()
    marie = cafe.joins()

    refused = cafe.on_card("freeze", marie, by=cafe.till("earn", "redeem", "read"), reason="x")

    assert_problem(refused, 403, "permission_denied")
    assert_problem(cafe.on_card("freeze", marie), 400, "validation_error", "reason")
    assert marie.shows()["status"] == "active"
