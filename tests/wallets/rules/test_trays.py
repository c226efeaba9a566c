"""The places on a tray: all of them inside, none over another, in the order of their numbers."""

from itertools import pairwise

import pytest

from wallets.rules import trays

WIDTH, HEIGHT, LARGEST = 325.0, 110.0, 66.0


@pytest.mark.parametrize("count", range(1, 51))
def test_all_marks_fit_apart(count: int) -> None:
    tray = trays.lay(count, WIDTH, HEIGHT, LARGEST)
    half = tray.mark / 2

    assert len(tray.middles) == count
    assert 17 <= tray.mark <= LARGEST
    for x, y in tray.middles:
        assert half - 0.01 <= x <= WIDTH - half + 0.01
        assert half - 0.01 <= y <= HEIGHT - half + 0.01
    for number, (x, y) in enumerate(tray.middles):
        for other_x, other_y in tray.middles[:number]:
            assert (x - other_x) ** 2 + (y - other_y) ** 2 >= (1.05 * tray.mark) ** 2
    assert all((y, x) < (next_y, next_x) for (x, y), (next_x, next_y) in pairwise(tray.middles))


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (5, 1), (8, 2), (10, 2), (12, 2), (20, 2), (50, 5)])
def test_rows_are_even_where_people_expect_it(count: int, rows: int) -> None:
    tray = trays.lay(count, WIDTH, HEIGHT, LARGEST)

    assert len({y for _x, y in tray.middles}) == rows


def test_no_places_no_marks() -> None:
    assert trays.lay(0, WIDTH, HEIGHT, LARGEST).middles == ()
