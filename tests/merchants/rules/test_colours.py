"""Colours of a merchant: whatever it chooses, words can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.rules import colours

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")


@given(COLOURS)
def test_text_reads_on_every_colour(colour: str) -> None:
    palette = colours.palette(colour)

    for ground in ("merchant", "merchant-light", "merchant-deep"):
        assert colours.contrast(palette["on-merchant"], palette[ground]) >= 4.5
    for ground in ("merchant", "merchant-light"):
        assert colours.contrast(palette["on-merchant-accent"], palette[ground]) >= 4.5
    assert colours.contrast(palette["stamp"], "#FFFFFF") >= 4.5


@given(COLOURS)
def test_the_nearest_shade_may_be_chosen(colour: str) -> None:
    shade = colours.nearest(colour)

    assert colours.reads(shade)
    assert colours.contrast(shade, "#FFFFFF") >= 3


@pytest.mark.parametrize(("colour", "may"), [("#7F7F7F", False), ("#FF0000", False), ("#FFE000", True), ("red", True)])
def test_knows_where_nothing_reads(colour: str, may: bool) -> None:
    assert colours.reads(colour) is may


def test_keeps_the_house_colours_for_the_house_colour() -> None:
    palette = colours.palette("#2f3bbf")

    assert (palette["merchant"], palette["on-merchant"], palette["on-merchant-accent"]) == (
        "#2F3BBF",
        "#FFFFFF",
        "#FFD98A",
    )
    assert palette["stamp"] == "#2F3BBF"


def test_takes_nothing_that_is_no_colour() -> None:
    assert colours.palette("red; } body { display: none")["merchant"] == "#2F3BBF"
