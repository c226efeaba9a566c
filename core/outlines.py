"""Our own icons as outlines: what stands in the sprite of the pages, for what draws without a browser.

An icon is made of lines without a filling, 1.75 thick unless a line says otherwise, with round ends. A line is a list
of steps in the icon's own 24 × 24 field, y downwards: ("move", (x, y)), ("line", (x, y)), ("curve", (x1, y1, x2, y2,
x, y)) and ("close", ()).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from django.conf import settings
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path

Step = tuple[str, tuple[float, ...]]
FIELD, THICKNESS = 24.0, 1.75
SVG = "{http://www.w3.org/2000/svg}"
# How far the handles of four curves stand off to make a circle.
KAPPA = 4 * (math.sqrt(2) - 1) / 3
NAMES = {"moveTo": "move", "lineTo": "line", "curveTo": "curve", "closePath": "close"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an icon; thickness: its own, None for the icon's."""

    steps: tuple[Step, ...]
    thickness: float | None = None


@lru_cache(maxsize=64)
def icon(name: str) -> tuple[Line, ...]:
    """Return the lines of an icon of the sprite; raises KeyError for one that is not there."""
    for symbol in _sprite().iter(f"{SVG}symbol"):
        if symbol.get("id") == name:
            return tuple(Line(tuple(_part(part)), _thickness(part)) for part in symbol)
    raise KeyError(name)


def _thickness(part: ElementTree.Element) -> float | None:
    own = part.get("stroke-width")
    return float(own) if own else None


@lru_cache(maxsize=1)
def _sprite() -> ElementTree.Element:
    path = Path(settings.BASE_DIR) / "static" / "core" / "icons.svg"
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a file of ours


def _part(part: ElementTree.Element) -> list[Step]:
    if part.tag == f"{SVG}path":
        return _path(part.attrib["d"])
    if part.tag == f"{SVG}circle":
        return _circle(*(float(part.attrib[name]) for name in ("cx", "cy", "r")))
    if part.tag == f"{SVG}rect":
        x, y, width, height = (float(part.attrib[name]) for name in ("x", "y", "width", "height"))
        return [
            ("move", (x, y)), ("line", (x + width, y)), ("line", (x + width, y + height)), ("line", (x, y + height)),
            ("close", ()),
        ]  # fmt: skip
    raise ValueError(f"an icon has a part that cannot be drawn: {part.tag}")


def _path(text: str) -> list[Step]:
    pen = RecordingPen()
    parse_path(text, pen)
    steps: list[Step] = []
    for verb, points in pen.value:
        if verb in NAMES:
            steps.append((NAMES[verb], tuple(float(number) for point in points for number in point)))
        elif verb == "qCurveTo":
            raise ValueError("an icon has a quadratic curve, which no outline of ours uses")
    return steps


def _circle(x: float, y: float, r: float) -> list[Step]:
    k = KAPPA * r
    return [
        ("move", (x + r, y)),
        ("curve", (x + r, y + k, x + k, y + r, x, y + r)),
        ("curve", (x - k, y + r, x - r, y + k, x - r, y)),
        ("curve", (x - r, y - k, x - k, y - r, x, y - r)),
        ("curve", (x + k, y - r, x + r, y - k, x + r, y)),
        ("close", ()),
    ]
