"""Versions of a merchant's rollups: of all of them, and of their days up to one, which seldom change again.

A version is the time it was made, in microseconds, or one more than the last: none is ever given twice, even when a
change was taken back after somebody saw it.

`changes` says with which version days changed, as [the oldest day of it, version], the newest first; what a newer
change covers is left out, so that the days grow older with each line.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

# What is older is taken together: no more than days that are told apart.
MOST_CHANGES = 40


@dataclass(frozen=True, slots=True)
class Versions:
    """number: the version of everything (0: nothing was counted yet); changes: see above."""

    number: int
    changes: tuple[tuple[date, int], ...] = ()

    @classmethod
    def read(cls, number: int | None, changes: str | None) -> "Versions":
        """Read what the database keeps, changes as JSON; None where nothing was counted yet."""
        rows = tuple((date.fromisoformat(day), version) for day, version in json.loads(changes or "[]"))
        # An older release counts versions and does not say of which days.
        return cls(number or 0, rows if rows and rows[0][1] == number else ())

    def written(self) -> str:
        """Return the changes as JSON."""
        return json.dumps([(day.isoformat(), version) for day, version in self.changes])

    def until(self, day: date | None) -> int:
        """Return the version of the days up to one; None: of everything."""
        if day is None:
            return self.number
        return next((version for oldest, version in self.changes if oldest <= day), self.number)

    def changed(self, days: Sequence[date] | None, at: datetime) -> "Versions":
        """Return what they are after some days changed at a time; None: all of them may have."""
        if days is not None and not days:
            return self
        oldest = min(days) if days is not None else date.min
        number = max(self.number + 1, int(at.timestamp() * 1_000_000))
        before = self.changes or ((date.min, self.number),)
        found = [(oldest, number), *((day, version) for day, version in before if day < oldest)]
        if len(found) > MOST_CHANGES:
            (_, newer), (day, _) = found[-2:]
            found[-2:] = [(day, newer)]
        return Versions(number, tuple(found))
