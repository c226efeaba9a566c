"""What a drill is given, and what it returns."""

from dataclasses import dataclass

FULL_SECONDS, SHORT_SECONDS = 30.0, 6.0
SHORT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the promise was kept, and the figure that shows it."""

    ok: bool
    figure: str


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
    def share(self) -> float:
        """What part of the full drill is done."""
        return SHORT_SHARE if self.short else 1.0

    def count(self, full: int, *, least: int = 1) -> int:
        """Scale a number of things to do."""
        return max(least, round(full * self.share))
