"""The face of a poster: the promise on the merchant's colour, the code, and the stamps along the lower edge."""

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from dashboard.services.posters import marks, typesetting
from dashboard.services.posters.typesetting import Box
from dashboard.services.posters.words import Words
from merchants.rules import colours

TEXT, MUTED, WHITE = "#1B1C2E", "#585A6E", "#FFFFFF"
GOLD, ON_GOLD = "#F5B83D", "#1B1C2E"
MOST_MARKS = 10
# The lines of the small languages stand further apart than those of one text.
APART = 1.25


@dataclass(frozen=True, slots=True)
class Facts:
    """What a poster is about. stamps: for a full card, None where points are counted; logo: a picture's bytes."""

    merchant: str
    store: str
    color: str
    icon: str
    seed: str
    enroll_url: str
    address: str
    first_language: str
    stamps: int | None
    reward: str
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The field of one face, and how far colour goes beyond its edge."""

    width: float
    height: float
    bleed: float


def upright(
    canvas: Canvas, sheet: Sheet, facts: Facts, words: Sequence[Words], logo: ImageReader | None
) -> None:  # fmt: skip
    """Draw a standing face: promise above, code below left, the sentences beside it, stamps along the edge."""
    w, h = sheet.width, sheet.height
    pad, split = w * 0.075, h * 0.49
    _ground(canvas, facts, -sheet.bleed, split, w + 2 * sheet.bleed, h - split + sheet.bleed)
    below = _head(canvas, facts, logo, Box(pad, h - pad, w - 2 * pad, w * 0.13))
    room = Box(pad, below - w * 0.06, w - 2 * pad, below - w * 0.06 - split - w * 0.06)
    canvas.setFillColor(HexColor(_on(facts)))
    typesetting.block(canvas, words[0].promise, room, font=typesetting.HEAVY, largest=w * 0.14, lines=5, after=",")
    side = w * 0.43
    top = split - w * 0.05
    quiet = marks.quiet(facts.enroll_url, side)
    marks.code(canvas, facts.enroll_url, pad - quiet, top - side, side)
    x = pad - quiet + side + w * 0.015
    _sentences(canvas, words, Box(x, top - quiet, w - pad - x, side - 2 * quiet))
    _address(canvas, facts, Box(pad, top - side + w * 0.005, w - 2 * pad, w * 0.045))
    _edge(canvas, facts, sheet, y=w * 0.045, pad=pad)


def wide(
    canvas: Canvas, sheet: Sheet, facts: Facts, words: Sequence[Words], logo: ImageReader | None
) -> None:  # fmt: skip
    """Draw a lying face: promise on the left, code on the right."""
    w, h = sheet.width, sheet.height
    pad, split = h * 0.09, w * 0.58
    _ground(canvas, facts, -sheet.bleed, -sheet.bleed, split + sheet.bleed, h + 2 * sheet.bleed)
    below = _head(canvas, facts, logo, Box(pad, h - pad, split - 2 * pad, h * 0.15))
    canvas.setFillColor(HexColor(_on(facts)))
    room = Box(pad, below - h * 0.05, split - 2 * pad, below - h * 0.05 - h * 0.26)
    typesetting.block(canvas, words[0].promise, room, font=typesetting.HEAVY, largest=h * 0.14, lines=5, after=",")
    _row(canvas, facts, Box(pad, h * 0.13, split - 2 * pad, h * 0.1), ink=_on(facts), ground=_color(facts))
    side = h * 0.5
    left = split + (w - split - side) / 2
    marks.code(canvas, facts.enroll_url, left, h - pad * 0.6 - side, side)
    quiet = marks.quiet(facts.enroll_url, side)
    text = Box(left + quiet, h - pad * 0.6 - side - h * 0.01, side - quiet, h * 0.26)
    _sentences(canvas, words, text, centred=False)
    _address(canvas, facts, Box(text.x, h * 0.1, w - text.x - pad * 0.5, h * 0.05))


def _ground(canvas: Canvas, facts: Facts, x: float, y: float, width: float, height: float) -> None:
    canvas.setFillColor(HexColor(_color(facts)))
    canvas.rect(x, y, width, height, stroke=0, fill=1)


def _head(canvas: Canvas, facts: Facts, logo: ImageReader | None, box: Box) -> float:
    """Draw the logo (or the trade's stamp) and the names; returns the y below them."""
    size, middle = box.height, box.top - box.height / 2
    on = _on(facts)
    if logo is not None:
        canvas.saveState()
        path = canvas.beginPath()
        path.roundRect(box.x, box.top - size, size, size, size * 0.2)
        canvas.setFillColor(HexColor(WHITE))
        canvas.drawPath(path, stroke=0, fill=1)
        canvas.clipPath(path, stroke=0)
        canvas.drawImage(logo, box.x, box.top - size, size, size, mask="auto", preserveAspectRatio=True)
        canvas.restoreState()
    else:
        marks.stamp(canvas, facts.icon, box.x + size / 2, middle, size, ink=on, ground=_color(facts), turn=-8)
    canvas.setFillColor(HexColor(on))
    x = box.x + size * 1.25
    room = box.width - size * 1.25
    name_top = box.top - size * (0.14 if facts.store else 0.26)
    name = Box(x, name_top, room, size * 0.52)
    low = typesetting.block(canvas, facts.merchant, name, font=typesetting.BOLD, largest=size * 0.44, lines=2)
    if facts.store:
        store = Box(x, low - size * 0.06, room, size * 0.3)
        typesetting.block(canvas, facts.store, store, font=typesetting.BODY, largest=size * 0.24, lines=1)
    return box.top - size


def _sentences(canvas: Canvas, words: Sequence[Words], box: Box, *, centred: bool = True) -> None:
    """Write "Scan. No app." large in the first language, and small, all of one size, in the others."""
    others = [typesetting.printable(other.scan) for other in words[1:]]
    share = 0.55 if others else 1
    first = typesetting.split(typesetting.printable(words[0].scan), ".")
    above = Box(box.x, box.top, box.width, box.height * share)
    size, rows = typesetting.fit(first, above, font=typesetting.HEAVY, largest=box.width * 0.27, lines=4)
    below = Box(box.x, box.top, box.width, box.height * (1 - share) / APART)
    small, lines = typesetting.fit(
        others, below, font=typesetting.BODY, largest=box.width * 0.1, lines=len(others)
    ) if others else (0.0, [])  # fmt: skip
    gap = small * 0.5
    high = len(rows) * size * typesetting.LINE_HEIGHT + gap + len(lines) * small * typesetting.LINE_HEIGHT * APART
    y = box.top - (max(0.0, box.height - high) / 2 if centred else 0)
    canvas.setFillColor(HexColor(TEXT))
    y = typesetting.write(canvas, rows, Box(box.x, y, box.width, 0), font=typesetting.HEAVY, size=size) - gap
    canvas.setFillColor(HexColor(MUTED))
    typesetting.write(canvas, lines, Box(box.x, y, box.width, 0), font=typesetting.BODY, size=small, apart=APART)


def _address(canvas: Canvas, facts: Facts, box: Box) -> None:
    canvas.setFillColor(HexColor(MUTED))
    typesetting.block(canvas, facts.address, box, font=typesetting.BODY, largest=box.height * 0.62, lines=1)


def _edge(canvas: Canvas, facts: Facts, sheet: Sheet, *, y: float, pad: float) -> None:
    """Draw the row of stamps along the lower edge, the last place in gold."""
    ink = colours.palette(facts.color)["stamp"]
    _row(canvas, facts, Box(pad, y + sheet.width * 0.09, sheet.width - 2 * pad, sheet.width * 0.09), ink=ink)


def _row(canvas: Canvas, facts: Facts, box: Box, *, ink: str, ground: str = WHITE) -> None:
    count = min(facts.stamps or MOST_MARKS, MOST_MARKS)
    step = min(box.width / count, box.height * 1.25)
    size = min(step * 0.9, box.height)
    filled = max(1, round(count * 0.6)) if count > 1 else 0
    y = box.top - box.height / 2
    for number in range(1, count + 1):
        x = box.x + step * (number - 1) + size / 2
        if number == count and facts.stamps is not None:
            marks.gift(canvas, x, y, size, ground=GOLD, ink=ON_GOLD)
        elif number <= filled or facts.stamps is None:
            turn = marks.turn(facts.seed, number)
            marks.stamp(canvas, facts.icon, x, y, size, ink=ink, ground=ground, turn=turn)
        else:
            marks.empty(canvas, x, y, size, ink=ink)


def _color(facts: Facts) -> str:
    return colours.palette(facts.color)["merchant"]


def _on(facts: Facts) -> str:
    return colours.palette(facts.color)["on-merchant"]
