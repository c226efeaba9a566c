"""Rule 17: a reward is handed out once, whoever is quick; a balance moves by differences and is never set."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core import tenancy
from core.ids import uuid7
from loyalty.models import IssuedReward, Transaction
from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]


@pytest.fixture
def busy(real_db: Any, clock: Any, settings: Any) -> Open:
    """A shop with real commits, for many tills at once."""
    settings.LOYALTY_THROTTLE_SCALE = 1000
    return lambda **rules: Shop.open(clock, **rules)


def at_once(work: Callable[[], Any], times: int = 8) -> list[Any]:
    """Let several tills do the same at the same moment; return their answers."""
    barrier = threading.Barrier(times)

    def one(_number: int) -> Any:
        barrier.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_one_of_many_tills_hands_the_reward_out(busy: Open) -> None:
    cafe = busy(stamps_target=2)
    marie = cafe.joins()
    cafe.stamps(marie, 2)

    answers = at_once(lambda: cafe.asks("stamp/redeem", marie))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    for lost in answers:
        if lost.status_code == 409:
            assert lost.json()["code"] in ("already_redeemed", "insufficient_stamps", "card_busy")
    assert len([row for row in cafe.ledger(marie) if row["type"] == "stamp_redeemed"]) == 1
    cafe.adds_up()


def test_points_for_one_buy_one(busy: Open) -> None:
    boutique = busy(loyalty_type="points", points_per_euro="1")
    marie, voucher = boutique.joins(), boutique.reward(30)
    boutique.sells(marie, 5000)

    answers = at_once(lambda: boutique.asks("points/redeem", marie, reward_id=voucher))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert marie.shows()["points_balance"] == 20
    boutique.adds_up()


def test_two_devices_add_up_and_overwrite_nothing(busy: Open) -> None:
    boutique = busy(loyalty_type="points", points_per_euro="1")
    marie = boutique.joins()

    answers = at_once(lambda: boutique.asks("points", marie, purchase_amount_cents=700), times=6)

    given = sum(answer.status_code == 201 for answer in answers)
    assert given >= 1
    assert {answer.json()["code"] for answer in answers if answer.status_code != 201} <= {"card_busy"}
    assert marie.shows()["points_balance"] == 7 * given
    boutique.adds_up()


def test_who_comes_second_is_told_what_is_there(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.joins()
    cafe.stamps(marie, 2)
    done(cafe.asks("stamp/redeem", marie))

    problem = assert_problem(cafe.asks("stamp/redeem", marie), 409, "insufficient_stamps")

    assert problem["required"] == 2


def test_the_database_itself_refuses_a_second_redemption(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.joins()
    cafe.stamps(marie, 2)
    cafe.hands_out(marie)

    with tenancy.scope(cafe.world.merchant_id):
        issued = IssuedReward.objects.get()
        row = Transaction.objects.get(type="stamp_redeemed")
        row.pk, row.seq, row.idempotency_key = uuid7(), row.seq + 1, f"auto-{uuid7()}"
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            row.save(force_insert=True)
    assert issued.state == "redeemed"
    assert "unique" in str(refused.value).lower()
