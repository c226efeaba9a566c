"""Stamps: the pages' own icons, the pages' own turns, and the same pixels every time."""

import re

import pytest
from django.conf import settings

from core.templatetags import ui
from wallets.providers.pictures import icons, ink

SPRITE = (settings.BASE_DIR / "static/core/icons.svg").read_text()
NAMES = re.findall(r'<symbol id="([a-z-]+)" viewBox="0 0 24 24"', SPRITE)


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_of_the_sprite_lies_on_its_grid(name: str) -> None:
    strokes = icons.strokes(name)

    assert strokes
    for stroke in strokes:
        assert len(stroke.points) > 1
        assert all(-0.5 <= value <= 24.5 for point in stroke.points for value in point)


def test_an_arc_ends_where_it_should() -> None:
    ((stroke),) = icons.strokes("moon")

    assert stroke.points[-1] == pytest.approx(stroke.points[0], abs=0.01)


def test_marks_turn_as_on_the_pages() -> None:
    turns = [ink.turn("a-program", position) for position in range(1, 51)]

    assert turns == [ui.rotation("a-program", position) for position in range(1, 51)]
    assert -12 <= min(turns) < max(turns) <= 11


def test_no_two_stamps_sit_alike_and_none_jumps() -> None:
    first = ink.stamp("cup", 120, 3, 1).tobytes()
    ink.stamp.cache_clear()

    assert ink.stamp("cup", 120, 3, 1).tobytes() == first
    assert ink.stamp("cup", 120, 3, 2).tobytes() != first
    assert ink.stamp("cup", 120, 4, 1).tobytes() != first


@pytest.mark.parametrize("side", [40, 90, 178])
def test_a_stamp_is_solid_ink_with_a_light_grain(side: int) -> None:
    worn, clean = (sum(mask.histogram()[200:]) for mask in (ink.stamp("star", side, 0, 5), ink._sized("star", side)))

    assert 0.75 < worn / clean < 1
