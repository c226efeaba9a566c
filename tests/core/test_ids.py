"""UUIDv7: version and variant, the time inside, strict order in one process and no collision between threads."""

import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from core import ids
from core.ids import uuid7


def test_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test of this process may have moved the clock ahead; ids never go back behind it.
    monkeypatch.setattr(ids, "_last", (0, 0))
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert isinstance(made, uuid.UUID)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    # A burst of ids may run ahead of the clock by a few milliseconds.
    assert before <= made.int >> 80 <= after + 5


def test_ids_sort_in_the_order_of_making() -> None:
    made = [uuid7() for _ in range(20_000)]

    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)
    assert len(set(made)) == len(made)


def test_the_ids_of_later_rows_are_greater_than_the_first_of_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", (0, 0))
    now = datetime.now(UTC)
    made = uuid7()

    assert ids.first_of(now - timedelta(seconds=1)) < made < ids.first_of(now + timedelta(minutes=1))


def test_every_id_has_its_bits_also_when_the_counter_overflows() -> None:
    """4,096 ids in one millisecond are more than the counter holds."""
    for made in (uuid7() for _ in range(10_000)):
        assert made.int >> 76 & 0xF == 7
        assert made.int >> 62 & 0b11 == 0b10


def test_threads_never_make_the_same_id_or_step_back() -> None:
    found: list[list[uuid.UUID]] = [[] for _ in range(8)]
    start = threading.Barrier(8)

    def make(mine: list[uuid.UUID]) -> None:
        start.wait()
        mine.extend(uuid7() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(mine == sorted(mine) for mine in found)
    assert len({one for mine in found for one in mine}) == 16_000


def test_a_clock_that_goes_back_changes_nothing(monkeypatch: object) -> None:
    import time_machine

    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        late = uuid7()
    with time_machine.travel("2026-03-10T11:00:00Z", tick=False):
        later = uuid7()

    assert later > late
