"""Bar charts as numbers for an SVG that the server draws: no script, no library, readable at phone width."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 600, 240, 40, 28, 10
GRID_LINES = 4
GAP = 0.28
LABEL_EVERY = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands, whether it belongs to the latest days, and the day under it if one is written."""

    x: float
    y: float
    width: float
    height: float
    is_latest: bool
    day: date
    value: int
    label: bool
    middle: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart on a ground of WIDTH × HEIGHT."""

    bars: list[Bar]
    grid: list[tuple[float, int]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM
    label_y: int = HEIGHT - 8
    total: int = 0


def bars(values: Sequence[tuple[date, int]], *, latest: int) -> Chart:
    """Return a chart of one value a day; the last `latest` bars are marked."""
    step = scale_step(max((value for _day, value in values), default=0))
    top = step * GRID_LINES
    room, base = (WIDTH - LEFT) / max(len(values), 1), HEIGHT - BOTTOM
    drawn = []
    for index, (day, value) in enumerate(values):
        height = round((base - TOP) * value / top, 1)
        x = round(LEFT + room * (index + GAP / 2), 1)
        drawn.append(
            Bar(
                x=x, y=round(base - height, 1), width=round(room * (1 - GAP), 1), height=height,
                is_latest=index >= len(values) - latest, day=day, value=value,
                label=(len(values) - 1 - index) % LABEL_EVERY == 0 or len(values) <= LABEL_EVERY,
                middle=round(x + room * (1 - GAP) / 2, 1),
            )  # fmt: skip
        )
    grid = [(round(base - (base - TOP) * line / GRID_LINES, 1), step * line) for line in range(GRID_LINES + 1)]
    return Chart(drawn, grid, total=sum(value for _day, value in values))


def scale_step(largest: int) -> int:
    """Return a round distance of the grid lines, so that four of them reach the largest value."""
    needed = max(-(-largest // GRID_LINES), 1)
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= needed:
                return factor * power
        power *= 10
