"""Versions of rollups: today's change leaves what was counted of past days right."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboard.queries.versions import MOST_CHANGES, Versions

TODAY = date(2026, 5, 20)
# Before it every version is one more than the last.
AT = datetime(1970, 1, 1, tzinfo=UTC)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_a_change_today_leaves_the_past_as_it_was() -> None:
    before = Versions(0).changed(None, AT)
    after = before.changed([TODAY], AT).changed([ago(1), TODAY], AT).changed([TODAY], AT)

    assert after.number == 4
    assert [after.until(day) for day in (TODAY, ago(1), ago(2))] == [4, 3, 1]
    assert after.until(None) == 4


def test_a_version_is_never_given_twice() -> None:
    """A change that was taken back had a number that some answer may be kept under."""
    before, at = Versions(0).changed(None, AT), datetime(2026, 5, 20, 12, tzinfo=UTC)
    seen, real = before.changed([TODAY], at), before.changed([TODAY], at + timedelta(milliseconds=1))

    assert before.number < seen.number < real.number
    assert real.changed([TODAY], at).number == real.number + 1


def test_nothing_changed_is_the_same_version() -> None:
    assert Versions(3).changed([], AT) == Versions(3)


def test_what_an_older_release_counted_changes_everything() -> None:
    kept = Versions(0).changed(None, AT).changed([TODAY], AT)
    mixed = Versions.read(kept.number + 1, kept.written())

    assert mixed.until(ago(9)) == 3
    assert mixed.changed([TODAY], AT).until(ago(9)) == 3
    assert Versions.read(None, None) == Versions(0)
    assert Versions.read(7, "[]").changed([TODAY], AT).until(ago(9)) == 7


@given(st.lists(st.one_of(st.none(), st.lists(st.integers(0, 90), max_size=3)), max_size=120))
def test_a_version_is_new_whenever_one_of_its_days_changed(history: list[list[int] | None]) -> None:
    """And what is kept stays short, also after it was written and read."""
    versions = Versions(0)
    for each in history:
        days = None if each is None else [ago(number) for number in each]
        before, versions = versions, versions.changed(days, AT)
        versions = Versions.read(versions.number, versions.written())
        for back in range(0, 91, 7):
            if days is None or any(day <= ago(back) for day in days):
                assert versions.until(ago(back)) > before.until(ago(back))
            elif len(before.changes) < MOST_CHANGES:
                assert versions.until(ago(back)) == before.until(ago(back)) or not before.changes
        assert len(versions.changes) <= MOST_CHANGES
