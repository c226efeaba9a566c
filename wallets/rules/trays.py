"""How the places of a stamp card stand on a tray: the largest marks that fit, in even rows where that costs little."""

from dataclasses import dataclass
from math import ceil

# The gap between two marks, as a share of a mark.
GAP = 0.14
# Even rows may cost this much of a mark's size.
EVEN = 0.84


@dataclass(frozen=True, slots=True)
class Tray:
    """Marks of one size, and the middle of each place in the order of their numbers."""

    mark: float
    middles: tuple[tuple[float, float], ...]


def lay(count: int, width: float, height: float, largest: float) -> Tray:
    """Place `count` marks, none larger than `largest`, in the middle of a rectangle; rows are filled from the top."""
    if count < 1:
        return Tray(0.0, ())
    columns = max(range(1, count + 1), key=lambda wide: _worth(count, wide, width, height, largest))
    rows = ceil(count / columns)
    mark = _mark(columns, rows, width, height, largest)
    # Looser sideways than upright where there is room.
    across = min(mark * (1 + GAP) * 1.35, (width - mark) / (columns - 1)) if columns > 1 else 0.0
    down = min(mark * (1 + GAP) * 1.35, (height - mark) / (rows - 1)) if rows > 1 else 0.0
    left, top = (width - across * (columns - 1)) / 2, (height - down * (rows - 1)) / 2
    places = (divmod(number, columns) for number in range(count))
    return Tray(mark, tuple((left + column * across, top + row * down) for row, column in places))


def _worth(count: int, columns: int, width: float, height: float, largest: float) -> float:
    """Weigh a number of columns by the size of its marks; uneven last rows count for less."""
    rows = ceil(count / columns)
    mark = _mark(columns, rows, width, height, largest)
    return mark if count == rows * columns else mark * EVEN


def _mark(columns: int, rows: int, width: float, height: float, largest: float) -> float:
    return min(largest, width / (columns + (columns - 1) * GAP), height / (rows + (rows - 1) * GAP))
