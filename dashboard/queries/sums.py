"""Sums over rollup rows that add up: by field, whatever the fields are."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Self


@dataclass(slots=True)
class Sums:
    """Numbers that are added field by field; subclasses name them, each 0 at first."""

    def add(self, other: Self) -> None:
        """Add another one's."""
        for name in self.names():
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the numbers."""
        names: tuple[str, ...] = cls.__match_args__  # the fields of a dataclass, without looking at each again
        return names

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """Return the sum of parts, all 0 without any."""
        read = attrgetter(*cls.names())
        return cls(*map(sum, zip(*map(read, parts), strict=True)))
