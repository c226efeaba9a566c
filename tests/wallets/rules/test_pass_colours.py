"""Whatever colour a merchant chooses, a pass can be read: text 4.5, labels 3, stamps on their tray 3."""

import random

import pytest

from wallets.rules import colours

EDGES = ["#FFFFFF", "#000000", "#777777", "#767676", "#7F7F7F", "#FF0000", "#00FF00", "#0000FF", "#FFFF00", "#2F3BBF"]


def test_a_thousand_colours_can_be_read() -> None:
    chosen = random.Random(26)
    for color in [*EDGES, *(f"#{chosen.randrange(1 << 24):06X}" for _ in range(1000))]:
        found = colours.of(color)
        for ground in (found.background, found.light, found.deep):
            assert colours.contrast(found.foreground, ground) >= 4.5, color
        assert colours.contrast(found.label, found.background) >= 4.5, color
        assert colours.contrast(found.stamp, "#FFFFFF") >= 4.5, color


def test_a_label_is_quieter_than_the_text_where_it_can_be() -> None:
    found = colours.of("#1B1C2E")

    assert colours.contrast(found.label, found.background) < colours.contrast(found.foreground, found.background)


@pytest.mark.parametrize("color", ["", "blue", "#12", "#GG0000", "rgb(1,2,3)", "#12345678"])
def test_what_is_no_colour_becomes_the_house_s(color: str) -> None:
    assert colours.of(color).background == "#2F3BBF"


def test_writes_colours_as_pass_json_wants_them() -> None:
    assert colours.rgb("#5A2D1A") == "rgb(90, 45, 26)"
    assert colours.mix("#000000", "#FFFFFF", 0.5) == "#808080"
