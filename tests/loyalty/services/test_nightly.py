"""The nightly verification keeps what it found, and names differences without naming people."""

from typing import Any

import psycopg

from core import tenancy
from core.audit import LEDGER_VERIFIED
from core.models import AuditEntry
from loyalty import tasks
from loyalty.services import nightly
from loyalty_platform.celery import BEAT_SCHEDULE
from tests.support.world import World


def last() -> dict[str, Any]:
    with tenancy.platform(reason="test"):
        found = nightly.last_result()
    assert found is not None
    return found


def test_the_result_of_the_night_is_kept(real_db: Any) -> None:
    world = World.make()
    card = world.card(name="Marie Klein")
    world.stamp(card)
    with tenancy.platform(reason="test"):
        assert nightly.last_result() is None

    tasks.verify_ledger_nightly()

    assert last() | {"at": "", "seconds": 0} == {
        "at": "", "seconds": 0, "cards": 1, "rows": 2, "differences": 0, "kept": [],
    }  # fmt: skip
    plan = BEAT_SCHEDULE["verify the ledger"]
    assert (plan["task"], plan["schedule"].hour) == ("loyalty.verify_ledger_nightly", {2})


def test_differences_are_kept_bounded_and_counted(real_db: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(nightly, "KEPT", 2)
    world = World.make()
    cards = [world.card(name="Marie Klein") for _ in range(4)]
    with psycopg.connect(real_db.superuser_url, autocommit=True) as behind:
        behind.execute("SET session_replication_role = replica")
        behind.execute("UPDATE loyalty_card SET points_balance = 7")

    report = nightly.verify(at=world.at)

    found = last()
    assert found["differences"] == len(report.differences) >= len(cards)
    assert len(found["kept"]) == 2
    assert {item["card_id"] for item in found["kept"]} <= {str(card.pk) for card in cards}
    assert "Marie" not in str(found)
    with tenancy.platform(reason="test"):
        entry = AuditEntry.objects.get(action=LEDGER_VERIFIED)
    assert entry.merchant_id is None
