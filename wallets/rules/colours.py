"""The colours of a pass: what is read on the merchant's colour, and what stamps are printed with (WCAG 2.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from merchants.rules import colours

TEXT_LEAST, LABEL_LEAST = 4.5, 3.0
# How much of the ground a label takes on, the quietest first; text keeps its full strength.
QUIET = (0.28, 0.2, 0.12, 0.06, 0.0)

contrast = colours.contrast
WHITE, INK, BLACK = colours.WHITE, colours.INK, colours.BLACK


@dataclass(frozen=True, slots=True)
class PassColours:
    """Colours as #RRGGBB: of the pass, of its text and labels, and of stamps on the light tray.

    light and deep: the ground a little lighter and darker, text still reads on both.
    """

    background: str
    foreground: str
    label: str
    light: str
    deep: str
    stamp: str


@lru_cache(maxsize=4096)
def of(color: str) -> PassColours:
    """Return the colours of a pass for a merchant's colour; the house's own for what is no colour."""
    palette = colours.palette(color)
    ground, text = palette["merchant"], palette["on-merchant"]
    return PassColours(
        background=ground,
        foreground=text,
        label=_label(text, ground),
        light=palette["merchant-light"],
        deep=palette["merchant-deep"],
        stamp=palette["stamp"],
    )


def rgb(color: str) -> str:
    """Write a colour the way pass.json wants it: "rgb(90, 45, 26)"."""
    red, green, blue = channels(color)
    return f"rgb({red}, {green}, {blue})"


def channels(color: str) -> tuple[int, int, int]:
    """Return red, green and blue of #RRGGBB."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def hexadecimal(parts: Sequence[int]) -> str:
    """Return #RRGGBB of red, green and blue."""
    return "#" + "".join(f"{part:02X}" for part in parts)


def mix(color: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it."""
    pairs = zip(channels(color), channels(other), strict=True)
    return hexadecimal([int(one + (two - one) * share + 0.5) for one, two in pairs])


def _label(text: str, ground: str) -> str:
    """Return the text's colour, quietened as far as small print still reads."""
    shades = (mix(text, ground, share) for share in QUIET)
    return next((shade for shade in shades if contrast(shade, ground) >= TEXT_LEAST), text)
