"""Bar charts drawn by the server."""

from datetime import date, timedelta

import pytest

from dashboard import charts

FIRST = date(2026, 3, 1)


def days(*values: int) -> list[tuple[date, int]]:
    return [(FIRST + timedelta(days=index), value) for index, value in enumerate(values)]


def test_a_bar_is_as_high_as_its_value() -> None:
    chart = charts.bars(days(0, 5, 10), 1, charts.WIDE)
    heights = [bar.height for bar in chart.bars]
    assert heights[0] == 0
    assert heights[2] == pytest.approx(2 * heights[1], abs=0.2)
    assert [bar.is_latest for bar in chart.bars] == [False, False, True]


def test_every_bar_stays_on_the_ground_of_the_chart() -> None:
    for size in (charts.WIDE, charts.NARROW):
        chart = charts.bars(days(*range(28)), 7, size)
        assert len(chart.bars) == min(28, size.most_bars)
        for bar in chart.bars:
            assert bar.x >= charts.LEFT
            assert bar.x + bar.width <= size.width
            assert bar.y >= charts.TOP
            assert bar.y + bar.height == pytest.approx(size.height - charts.BOTTOM, abs=0.2)


@pytest.mark.parametrize(
    ("largest", "step"), [(0, 1), (4, 1), (5, 2), (22, 10), (40, 10), (41, 20), (1999, 500), (10**9, 5 * 10**8)]
)
def test_the_scale_is_round_and_reaches_the_largest_value(largest: int, step: int) -> None:
    assert charts.scale_step(largest) == step
    assert step * charts.GRID_LINES >= largest


def test_no_days_make_no_bars() -> None:
    assert charts.bars([], 7, charts.WIDE).bars == []


def test_a_drawing_has_a_bar_for_each_day_with_something_and_escapes_its_words() -> None:
    chart = charts.named([("<b>1</b>", 3), ("2", 0), ("3", 1)])[0]

    assert chart.marks.count("<rect") == 2
    assert chart.marks.count('class="grid"') == charts.GRID_LINES + 1
    assert "&lt;b&gt;1&lt;/b&gt;" in chart.marks
    assert "<b>" not in chart.marks


def test_a_word_under_the_last_bar_ends_with_it_rather_than_run_over_the_edge() -> None:
    wide, narrow = charts.named([(f"{number} octobre", 1) for number in range(10, 23)], every=(2, 4))

    first, last, under = narrow.bars[0], narrow.bars[-1], narrow.day_label_y
    assert f'<text x="{first.x}" y="{under}">10 octobre' in narrow.marks
    assert f'<text x="{round(last.x + last.width, 1)}" text-anchor="end" y="{under}">22 octobre' in narrow.marks
    assert narrow.marks.count('text-anchor="end"') == len(narrow.grid) + 1
    assert wide.marks.count('text-anchor="end"') == len(wide.grid) + 1
