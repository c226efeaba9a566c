"""Sums over rollup rows that add up: by field, whatever the fields are."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
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
        return tuple(item.name for item in fields(cls))

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """Return the sum of parts, all 0 without any."""
        found = cls()
        for part in parts:
            found.add(part)
        return found
