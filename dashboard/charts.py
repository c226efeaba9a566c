"""Bar charts as numbers for an SVG that the server draws: no script, no library. One for desks, one for phones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from html import escape

from babel.dates import format_skeleton
from django.utils.safestring import SafeString

from core.money import babel_locale
from core.templatetags.ui import number

LEFT, BOTTOM, TOP = 40, 28, 12
GRID_LINES = 4
GAP = 0.28
LABEL_EVERY = 7
# About as wide as a letter under a bar is.
LETTER = 7


@dataclass(frozen=True, slots=True)
class Size:
    """The ground of a chart. One unit is about a pixel, so that text is never drawn smaller than it is written."""

    width: int
    height: int
    most_bars: int


WIDE = Size(960, 260, 31)
NARROW = Size(320, 220, 14)
HALF = Size(400, 240, 24)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands, whether it belongs to the latest days, and the day under it if one is written."""

    x: float
    y: float
    width: float
    height: float
    is_latest: bool
    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its bars, and its grid lines as (height, value)."""

    size: Size
    bars: list[Bar]
    grid: list[tuple[float, int]]
    total: int
    css: str

    @property
    def left(self) -> int:
        """Where the grid begins."""
        return LEFT

    @property
    def grid_label_x(self) -> int:
        """Where the values of the grid end."""
        return LEFT - 8

    @property
    def day_label_y(self) -> int:
        """Where the days stand."""
        return self.size.height - 8

    @property
    def marks(self) -> SafeString:
        """The lines, bars and words of the SVG: some hundred numbers, which a template writes twenty times slower."""
        right, under = self.size.width, self.day_label_y
        lines = (
            f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" />'
            f'<text x="{self.grid_label_x}" y="{y}" dy="4" text-anchor="end">{escape(number(value))}</text>'
            for y, value in self.grid
        )
        bars = (
            f'<rect class="{"bar" if bar.is_latest else "bar-before"}" x="{bar.x}" y="{bar.y}" width="{bar.width}"'
            f' height="{bar.height}" rx="3" />'
            for bar in self.bars if bar.value
        )  # fmt: skip
        words = (
            f'<text {self._place(bar)} y="{under}">{escape(bar.label)}</text>' for bar in self.bars if bar.label
        )  # fmt: skip
        return SafeString("".join((*lines, *bars, *words)))

    def _place(self, bar: Bar) -> str:
        """Return where a word under a bar begins, or ends where it would run over the edge."""
        if bar.x + LETTER * len(bar.label) <= self.size.width:
            return f'x="{bar.x}"'
        return f'x="{round(bar.x + bar.width, 1)}" text-anchor="end"'


def pair(values: Sequence[tuple[date, int]], *, latest: int) -> list[Chart]:
    """Return the chart for desks and the one for phones, which shows the last days only."""
    return [bars(values, latest, WIDE, "only-wide"), bars(values, latest, NARROW, "only-narrow")]


def named(values: Sequence[tuple[str, int]], *, every: tuple[int, int] = (1, 1), wide: Size = WIDE) -> list[Chart]:
    """Return the charts for desks and for phones of values that have names; every so many of them are written."""
    return [
        _drawn(
            [(name if index % step == 0 else "", value) for index, (name, value) in enumerate(values)],
            len(values), size, css,
        )
        for size, css, step in ((wide, "only-wide", every[0]), (NARROW, "only-narrow", every[1]))
    ]  # fmt: skip


def spark(values: Sequence[int]) -> tuple[str, str]:
    """Return a line and the area under it as SVG paths on a ground of 200 by 40; empty for fewer than two values."""
    if len(values) < 2:
        return "", ""
    top = max(*values, 1)
    points = [
        f"{round(200 * index / (len(values) - 1), 1)} {round(36 - 30 * max(value, 0) / top, 1)}"
        for index, value in enumerate(values)
    ]
    line = "M" + " L".join(points)
    return line, f"{line} L200 40 L0 40 Z"


def bars(values: Sequence[tuple[date, int]], latest: int, size: Size, css: str = "") -> Chart:
    """Return a chart of one value a day; the last `latest` bars are marked."""
    shown = list(values)[-size.most_bars :]
    labelled = [
        (short_day(day) if index % LABEL_EVERY == 0 else "", value) for index, (day, value) in enumerate(shown)
    ]  # fmt: skip
    return replace(_drawn(labelled, latest, size, css), total=sum(value for _day, value in values))


def _drawn(shown: Sequence[tuple[str, int]], latest: int, size: Size, css: str) -> Chart:
    step = scale_step(max((value for _name, value in shown), default=0))
    base, high = size.height - BOTTOM, size.height - BOTTOM - TOP
    room = (size.width - LEFT) / max(len(shown), 1)
    drawn = []
    for index, (name, value) in enumerate(shown):
        height = round(high * max(value, 0) / (step * GRID_LINES), 1)
        drawn.append(
            Bar(
                x=round(LEFT + room * (index + GAP / 2), 1), y=round(base - height, 1),
                width=round(room * (1 - GAP), 1), height=height, is_latest=index >= len(shown) - latest, value=value,
                label=name,
            )
        )  # fmt: skip
    grid = [(round(base - high * line / GRID_LINES, 1), step * line) for line in range(GRID_LINES + 1)]
    return Chart(size, drawn, grid, sum(value for _name, value in shown), css)


def short_day(day: date) -> str:
    """Write a day without its year, as the reader's language does."""
    return _short(day, babel_locale())


@lru_cache(maxsize=4096)
def _short(day: date, locale: str) -> str:
    """Write a day in a locale; the charts of a page write the same days again and again."""
    return str(format_skeleton("MMMd", day, locale=locale))


def scale_step(largest: int) -> int:
    """Return a round distance of the grid lines, so that four of them reach the largest value."""
    needed = max(-(-largest // GRID_LINES), 1)
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= needed:
                return factor * power
        power *= 10
