"""verify_ledger and merges: silent while they agree, and each kind of difference is planted and must be named."""

from typing import Any

import psycopg
import pytest

from loyalty.queries import verification
from tests.support.merging import join, part, two


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE loyalty_card SET merged_into_id = NULL WHERE id = %(lost)s",
        "UPDATE loyalty_card SET status = 'active' WHERE id = %(lost)s",
        "UPDATE loyalty_card SET rewards_ready = 1 WHERE id = %(lost)s",
        "UPDATE loyalty_card SET status = 'merged', merged_into_id = %(lost)s WHERE id = %(new)s",
        "DELETE FROM loyalty_cardmerge WHERE source_id = %(lost)s",
        "UPDATE loyalty_cardmerge SET undone_at = now() WHERE source_id = %(lost)s",
        "UPDATE loyalty_cardmerge SET idempotency_key = 'other' WHERE source_id = %(lost)s",
        "UPDATE loyalty_transaction SET points_delta = points_delta + 1 WHERE card_id = %(new)s AND type = 'merge_in'",
        "UPDATE loyalty_transaction SET micro_delta = micro_delta + 1 WHERE card_id = %(lost)s AND type = 'merge_out'",
    ],
)
def test_a_merge_that_does_not_agree_is_named(real_db: Any, statement: str) -> None:
    world, lost, new = two(loyalty_type="hybrid", points_per_euro="1", stamps_target=3)
    world.sale(lost, 500)
    world.stamp(lost, 3)
    join(world, lost, new)
    assert verification.verify().differences == ()

    with psycopg.connect(real_db.superuser_url, autocommit=True) as hand:
        hand.execute("SET session_replication_role = replica")
        hand.execute(statement, {"lost": lost.pk, "new": new.pk})

    assert "merge" in {item.kind for item in verification.verify().differences}


def test_a_reward_or_a_refund_on_a_card_without_a_merge_between_is_named(real_db: Any) -> None:
    world, lost, new = two(loyalty_type="hybrid", points_per_euro="1", stamps_target=3)
    sale = world.sale(lost, 500)
    world.stamp(lost, 3)
    join(world, lost, new)
    world.refund(sale["transaction_id"], 100)
    world.redeem(lost)
    part(world, lost)
    assert verification.verify().differences == ()

    with psycopg.connect(real_db.superuser_url, autocommit=True) as hand:
        hand.execute("DELETE FROM loyalty_cardmerge")

    says = [item.says for item in verification.verify().differences]
    assert any("named by rows of another card" in text for text in says)
    assert any("reversed by a row of another card" in text for text in says)
