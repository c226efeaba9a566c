"""The house's own icons as strokes: the outlines of the pages' sprite, flattened to points, drawn by Pillow."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageDraw

from core import outlines
from core.outlines import Step

Point = tuple[float, float]
CURVE_STEPS = 14
STROKE = outlines.THICKNESS


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points on the grid of 24, with its own width or None for the picture's."""

    points: tuple[Point, ...]
    width: float | None = None


@lru_cache(maxsize=32)
def strokes(name: str) -> tuple[Stroke, ...]:
    """Return an icon's strokes; raises KeyError for one that the sprite has not."""
    return tuple(Stroke(tuple(points), line.thickness) for line in outlines.icon(name) for points in _flat(line.steps))


def draw(canvas: ImageDraw.ImageDraw, name: str, box: tuple[float, float, float], *, width: float, fill: int) -> None:
    """Draw an icon; box: left, top and side of its grid. Ends and corners are round."""
    left, top, side = box
    scale = side / 24
    for stroke in strokes(name):
        thick = (stroke.width or width) * scale
        points = [(left + x * scale, top + y * scale) for x, y in stroke.points]
        canvas.line(points, fill=fill, width=max(1, round(thick)))
        for x, y in points:
            canvas.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=fill)


def _flat(steps: tuple[Step, ...]) -> Iterator[list[Point]]:
    """Flatten a line into points, one list for each part that is drawn without lifting the pen."""
    points: list[Point] = []
    for verb, numbers in steps:
        if verb == "move":
            if len(points) > 1:
                yield points
            points = [(numbers[0], numbers[1])]
        elif verb == "line":
            points.append((numbers[0], numbers[1]))
        elif verb == "curve":
            points += _curve((points[-1], *zip(numbers[::2], numbers[1::2], strict=True)))
        else:
            points.append(points[0])
    if len(points) > 1:
        yield points


def _curve(corners: tuple[Point, ...]) -> list[Point]:
    """Return the points of a cubic curve behind its start."""
    found = []
    for step in range(1, CURVE_STEPS + 1):
        t = step / CURVE_STEPS
        weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
        x, y = (sum(weight * corner[axis] for weight, corner in zip(weights, corners, strict=True)) for axis in (0, 1))
        found.append((x, y))
    return found
