"""A pass of the night: it ends in time, and its rows say when they were written."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from loyalty.services import expiry
from tests.loyalty.services.test_expiry import expire, shop, with_points


def test_a_pass_ends_in_time_and_the_next_goes_on(real_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = shop()
    cards = [with_points(world) for _ in range(3)]
    world.tick(days=101)
    monkeypatch.setattr(expiry, "PASS", timedelta(seconds=-1))
    assert expire(world) == expiry.Tally(unfinished=True)
    monkeypatch.setattr(expiry, "PASS", timedelta(seconds=60))
    assert expire(world).points == len(cards)


def test_a_row_of_a_long_pass_is_recorded_when_it_is_written(real_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows the ledger looks back half a minute; a pass may take a whole one."""
    world = shop()
    cards = [with_points(world) for _ in range(2)]
    world.tick(days=101)
    clock = iter([0.0, 1.0, 45.0])
    with monkeypatch.context() as patched:
        patched.setattr(expiry, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        assert expire(world).points == 2

    recorded = sorted(world.rows(card)[-1].recorded_at for card in cards)
    assert [moment - world.at for moment in recorded] == [timedelta(seconds=1), timedelta(seconds=45)]
