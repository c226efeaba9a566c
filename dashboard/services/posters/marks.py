"""The signs of a poster: stamps, the gift, and the QR code, as vectors. Coordinates in points, y upwards."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import qrcode
import qrcode.constants
from reportlab.pdfgen.canvas import Canvas

from core import outlines
from core.outlines import Step

QUIET_ZONE = 4
# The stamp of the pages, in its field of 48.
FIELD, RING, RING_WIDTH, DISC, SCALE, LINE = 48, 20.6, 1.9, 17.4, 1.36, 1.7
TURN_FROM, TURNS = -12, 24


def code(canvas: Canvas, data: str, x: float, y: float, side: float) -> None:
    """Draw a QR code of level Q, black on white; its quiet zone has its lower left corner at (x, y)."""
    rows = _modules(data)
    module = side / len(rows)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(x, y, side, side, stroke=0, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        for start, length in _runs(row):
            path.rect(x + start * module, y + side - (number + 1) * module, length * module, module)
    canvas.drawPath(path, stroke=0, fill=1)


def quiet(data: str, side: float) -> float:
    """Return the width of the quiet zone of a code of this size."""
    return side * QUIET_ZONE / len(_modules(data))


def stamp(canvas: Canvas, icon: str, x: float, y: float, size: float, *, ink: str, ground: str, turn: float) -> None:
    """Draw a stamp with its middle at (x, y): ring, disc, and the trade's icon cut out of it."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.rotate(-turn)
    canvas.scale(size / FIELD, size / FIELD)
    canvas.setStrokeColor(ink)
    canvas.setFillColor(ink)
    canvas.setLineWidth(RING_WIDTH)
    canvas.circle(0, 0, RING, stroke=1, fill=0)
    canvas.circle(0, 0, DISC, stroke=0, fill=1)
    _icon(canvas, icon, SCALE, ground)
    canvas.restoreState()


def empty(canvas: Canvas, x: float, y: float, size: float, *, ink: str) -> None:
    """Draw the place of a stamp that is still to come."""
    canvas.saveState()
    canvas.setStrokeColor(ink)
    canvas.setLineWidth(size * 0.03)
    canvas.setDash(size * 0.07, size * 0.06)
    canvas.circle(x, y, size * 0.42, stroke=1, fill=0)
    canvas.restoreState()


def gift(canvas: Canvas, x: float, y: float, size: float, *, ground: str, ink: str) -> None:
    """Draw the last place: the reward, in gold."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.scale(size / FIELD, size / FIELD)
    canvas.setFillColor(ground)
    canvas.circle(0, 0, RING, stroke=0, fill=1)
    _icon(canvas, "gift", 1.1, ink)
    canvas.restoreState()


def turn(seed: str, position: int) -> int:
    """Return the turn of a mark in degrees, −12…+11: the same at every print."""
    return TURN_FROM + hashlib.sha256(f"{seed}/{position}".encode()).digest()[0] % TURNS


def _icon(canvas: Canvas, name: str, scale: float, color: str) -> None:
    canvas.setStrokeColor(color)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    canvas.scale(scale, -scale)
    canvas.translate(-outlines.FIELD / 2, -outlines.FIELD / 2)
    for line in outlines.icon(name):
        canvas.setLineWidth(line.thickness or LINE)
        canvas.drawPath(_trace(canvas, line.steps), stroke=1, fill=0)


def _trace(canvas: Canvas, steps: Iterable[Step]) -> Any:
    path = canvas.beginPath()
    draw: dict[str, Callable[..., Any]] = {
        "move": path.moveTo,
        "line": path.lineTo,
        "curve": path.curveTo,
        "close": path.close,
    }
    for verb, numbers in steps:
        draw[verb](*numbers)
    return path


def _modules(data: str) -> list[list[bool]]:
    made = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, border=QUIET_ZONE)
    made.add_data(data)
    made.make(fit=True)
    rows: list[list[bool]] = made.get_matrix()
    return rows


def _runs(row: list[bool]) -> Iterable[tuple[int, int]]:
    """Yield start and length of each run of dark modules."""
    at = 0
    while at < len(row):
        start = at
        while at < len(row) and row[at]:
            at += 1
        if at > start:
            yield start, at - start
        at += 1
