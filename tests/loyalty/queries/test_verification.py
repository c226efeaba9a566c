"""verify_ledger: silent while everything agrees, and each kind of difference is planted and must be named."""

import io
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from core import tenancy
from loyalty.models import Card, Reward
from loyalty.queries import verification
from tests.support.world import World


@dataclass(frozen=True)
class Town:
    """Two merchants with cards that have seen everything: stamps, a reward, points, a void, refunds, a redemption."""

    stamps: World
    points: World
    stamped: Card
    bought: Card
    superuser_url: str

    def plant(self, *statements: str) -> None:
        """Write behind the back of triggers, foreign keys and row-level security, as a broken disk or a hand would."""
        values = {
            "stamped": str(self.stamped.pk), "bought": str(self.bought.pk), "stamps": str(self.stamps.merchant_id),
            "points": str(self.points.merchant_id), "foreign_store": str(self.points.store.pk),
            "foreign_program": str(self.points.program.pk),
        }  # fmt: skip
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                connection.execute(statement, values)


@pytest.fixture
def town(real_db: Any) -> Town:
    stamps = World.make(stamps_target=3)
    points = World.make(loyalty_type="hybrid", stamps_target=2, points_per_euro="1/50", welcome_bonus_points=5)
    stamped = stamps.card()
    stamps.stamp(stamped, 7)
    stamps.redeem(stamped)
    undone = stamps.stamp(stamped)
    stamps.void(undone["transaction_id"])
    redeemed = stamps.redeem(stamped)
    stamps.void(redeemed["transaction_id"])
    stamps.redeem(stamped)
    stamps.stamp(stamped, 3)
    bought = points.card(email="marie@example.com")
    sale = points.sale(bought, 12_345)
    points.sale(bought, 4_999)
    points.refund(sale["transaction_id"], 2_345)
    points.refund(sale["transaction_id"], 10_000)
    for cents in (700_00, 801_03):
        points.sale(bought, cents)
    with tenancy.scope(points.merchant_id):
        reward = Reward.objects.create(program=points.program, name="Voucher", points_cost=10)
    points.spend(bought, reward.pk)
    return Town(stamps, points, stamped, bought, real_db.superuser_url)


def kinds(merchant: World | None = None) -> list[str]:
    return [item.kind for item in verification.verify(merchant.merchant_id if merchant else None).differences]


def slug_of(world: World) -> str:
    return world.store.code.removesuffix("-gare")


def output() -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match="differences") as refused:
        call_command("verify_ledger", stdout=out)
    assert refused.value.returncode == 1
    return out.getvalue()


def test_it_works(town: Town) -> None:
    out = io.StringIO()

    call_command("verify_ledger", stdout=out)

    assert out.getvalue().startswith("0 differences (2 cards, ")
    assert verification.verify(town.stamps.merchant_id).cards == 1


def test_an_empty_database_agrees(real_db: Any) -> None:
    assert verification.verify().differences == ()


CARD = "UPDATE loyalty_card SET {} WHERE id = %(stamped)s"
LEDGER = "UPDATE loyalty_transaction SET {} WHERE card_id = %(stamped)s AND seq = 4"
ROWS = "loyalty_transaction WHERE card_id = %(stamped)s AND seq "
REDEMPTION = "UPDATE loyalty_transaction SET {} WHERE card_id = %(stamped)s AND type = 'stamp_redeemed'"
REWARD = "UPDATE loyalty_issuedreward SET {} WHERE card_id = %(stamped)s AND state = {}"
NO_CHECKS = "ALTER TABLE loyalty_card DROP CONSTRAINT loyalty_card_not_negative, DROP CONSTRAINT {}"
SWAP = """
    UPDATE loyalty_transaction t SET stamps_after =
        (SELECT o.stamps_after FROM loyalty_transaction o WHERE o.card_id = t.card_id AND o.seq = 4 - t.seq)
    WHERE card_id = %(stamped)s AND seq IN (1, 3)
"""
ONE_REWARD = "issued_reward_id = (SELECT id FROM loyalty_issuedreward WHERE card_id = %(stamped)s ORDER BY id LIMIT 1)"
OUT_OF_NOTHING = """
    INSERT INTO loyalty_issuedreward
        (id, merchant_id, card_id, program_id, source, name, state, stamps_used, stamps_held, points_used, issued_at)
    SELECT gen_random_uuid(), merchant_id, id, program_id, 'stamps', 'x', 'issued', 3, 0, 0, now()
    FROM loyalty_card WHERE id = %(stamped)s
"""
TOO_MUCH_BACK = """
    UPDATE loyalty_transaction SET purchase_amount_cents = -20000
    WHERE card_id = %(bought)s AND type = 'refund' AND purchase_amount_cents = -10000
"""
ELSEWHERE = """
    UPDATE loyalty_transaction SET card_id = %(bought)s, seq = 99
    WHERE card_id = %(stamped)s AND type = 'void'
      AND seq = (SELECT max(seq) FROM loyalty_transaction WHERE card_id = %(stamped)s AND type = 'void')
"""
# What is written behind the product's back, and the kinds of difference it must be named by (among others).
PLANTED: dict[str, tuple[list[str], set[str]]] = {
    "a stamp too many on the card": ([CARD.format("stamp_count = stamp_count + 1")], {"stamp_count", "stamps_after"}),
    "a point too many on the card": ([CARD.format("points_balance = 9")], {"points_balance", "points_after"}),
    "a debt nobody made": ([CARD.format("points_debt = 1")], {"points_debt"}),
    "carried worth from nowhere": ([CARD.format("points_micro = 5")], {"points_micro"}),
    "granted without worth": ([CARD.format("points_granted = 1")], {"points_granted", "carry"}),
    "a wrong sequence": ([CARD.format("seq = seq + 1")], {"seq"}),
    "a reward counted twice": ([CARD.format("rewards_ready = rewards_ready + 1")], {"rewards_ready"}),
    "a negative counter": (
        [NO_CHECKS.format("loyalty_card_stamps_today_check"), CARD.format("stamps_today = -1")],
        {"negative"},
    ),
    "a ledger row changed": ([LEDGER.format("stamps_delta = stamps_delta + 1")], {"stamp_count", "stamps_after"}),
    "a running balance changed": ([LEDGER.format("stamps_after = stamps_after + 2")], {"stamps_after"}),
    "a running balance of points changed": ([LEDGER.format("points_after = 3")], {"points_after"}),
    "two running balances swapped": ([SWAP], {"stamps_after"}),
    "a row gone from the middle": ([f"DELETE FROM {ROWS} = 2"], {"stamp_count", "seq", "stamps_after"}),
    "a row gone from the end": (
        [f"DELETE FROM {ROWS} = (SELECT seq FROM loyalty_card WHERE id = %(stamped)s)"],
        {"stamp_count", "seq", "stamps_after", "reward_state"},
    ),
    "all rows gone": ([f"DELETE FROM {ROWS} > 0"], {"seq", "program", "reward_state"}),
    "a card gone": (["DELETE FROM loyalty_card WHERE id = %(stamped)s"], {"seq", "program", "foreign"}),
    "a row of another program": ([LEDGER.format("program_id = %(foreign_program)s")], {"program", "foreign"}),
    "a row of another merchant": ([LEDGER.format("merchant_id = %(points)s")], {"program", "foreign"}),
    "a row at another merchant's store": ([LEDGER.format("store_id = %(foreign_store)s")], {"foreign"}),
    "a card from another merchant's store": ([CARD.format("enrolled_store_id = %(foreign_store)s")], {"foreign"}),
    "a reward redeemed twice": (
        ["DROP INDEX loyalty_ledger_redeem_once", REDEMPTION.format(ONE_REWARD)],
        {"redeemed_twice", "reward_state"},
    ),
    "a reward redeemed without a row": (
        [REWARD.format("state = 'redeemed', redeemed_at = now()", "'issued'")],
        {"reward_state", "rewards_ready"},
    ),
    "a reward given back without a row": (
        [REWARD.format("state = 'issued'", "'redeemed'")],
        {"reward_state", "rewards_ready"},
    ),
    "a reward that says no time": ([REWARD.format("redeemed_at = NULL", "'redeemed'")], {"reward_state"}),
    "a reward out of nothing": ([OUT_OF_NOTHING], {"reward_state", "rewards_ready"}),
    "a refund larger than its sale": ([TOO_MUCH_BACK], {"reversal"}),
    "a void of another card's row": ([ELSEWHERE], {"reversal", "seq", "program", "foreign"}),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_named(town: Town, planted: str) -> None:
    statements, wanted = PLANTED[planted]

    town.plant(*statements)

    assert wanted <= set(kinds())
    assert output().count("\n  ") >= len(wanted)


@pytest.mark.parametrize("planted", ["a stamp too many on the card", "a running balance changed"])
def test_a_small_difference_is_the_only_one_named(town: Town, planted: str) -> None:
    statements, wanted = PLANTED[planted]

    town.plant(*statements)

    assert set(kinds()) == wanted


def test_a_difference_is_printed_with_its_card_and_its_rows(town: Town) -> None:
    town.plant(LEDGER.format("stamps_after = stamps_after + 2"))

    lines = output().splitlines()

    assert lines[0] == f"card {town.stamped.card_number} of {slug_of(town.stamps)} ({town.stamped.pk})"
    assert lines[1].startswith("  stamps_after: row 4: 4 stamps and -3 make 1, not 3 [")
    rows = [line for line in lines if line.startswith("    ")]
    assert len(rows) == town.stamps.fresh(town.stamped).seq
    assert "seq=4 type=reward_issued stamps_delta=-3 stamps_after=3" in rows[3]


def test_another_merchants_difference_is_not_mine(town: Town) -> None:
    town.plant(CARD.format("stamp_count = 2"))

    assert kinds(town.points) == []
    assert "stamp_count" in kinds(town.stamps)
    call_command("verify_ledger", merchant=slug_of(town.points), stdout=io.StringIO())


def test_an_unknown_merchant_is_refused(real_db: Any) -> None:
    with pytest.raises(CommandError, match="no merchant"):
        call_command("verify_ledger", merchant="nobody")


def test_it_sees_one_moment_while_the_tills_go_on(town: Town, monkeypatch: Any) -> None:
    """A stamp between two of its statements would otherwise look like a difference."""
    import threading

    ask, calls = verification._ask, []

    def slow(sql: str, merchant_id: Any, **values: Any) -> Any:
        found = ask(sql, merchant_id, **values)
        if not calls:
            calls.append(1)
            worker = threading.Thread(target=stamp)
            worker.start()
            worker.join()
        return found

    def stamp() -> None:
        from django.db import connection

        town.stamps.stamp(town.stamped, 3)
        connection.close()

    monkeypatch.setattr(verification, "_ask", slow)

    assert verification.verify().differences == ()
    assert town.stamps.fresh(town.stamped).rewards_ready == 2


def test_a_pooled_connection_is_left_as_it_was(town: Town) -> None:
    from django.db import connection

    verification.verify()

    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
        cursor.execute("SELECT current_setting('role'), current_setting('work_mem') <> '128MB'")
        assert cursor.fetchone() == ("none", True)
