"""What a drill is given, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass

FULL_SECONDS, SHORT_SECONDS = 30.0, 6.0
SHORT_SHARE = 0.2
# Whoever takes longer hangs; the longest takes a tenth of it on a machine of its own, in full a third.
MOST_SECONDS, MOST_SHORT_SECONDS = 600.0, 450.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the promise was kept, and the figure that shows it."""

    ok: bool
    figure: str


@dataclass(frozen=True, slots=True)
class Rest:
    """What a drill has left to do once some time went by: others, which break nothing, run meanwhile."""

    end: Callable[[], Finding]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a drill may keep its load up; the short form does a fifth of everything."""

    seconds: float = FULL_SECONDS
    short: bool = False

    @classmethod
    def of(cls, *, short: bool) -> "Budget":
        """Return the budget of a form."""
        return cls(SHORT_SECONDS if short else FULL_SECONDS, short)

    @property
    def limit(self) -> float:
        """After how many seconds a drill is broken off."""
        return MOST_SHORT_SECONDS if self.short else MOST_SECONDS

    @property
    def share(self) -> float:
        """What part of the full drill is done."""
        return SHORT_SHARE if self.short else 1.0

    def count(self, full: int, *, least: int = 1) -> int:
        """Scale a number of things to do."""
        return max(least, round(full * self.share))
