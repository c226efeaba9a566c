"""Setting type on a poster: embedded fonts, and text that is made as large as its box allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

BODY, BOLD, HEAVY = "Figtree-500", "Figtree-700", "Figtree-800"
LINE_HEIGHT, ASCENT, DESCENT = 1.1, 0.76, 0.22
SMALLEST, STEP = 5.0, 0.96
# Below this a word that is too wide is broken inside.
BREAKING = 12.0
# The share of the largest size that is enough for sentences that stay whole, and for a line less.
WHOLE, FEWER = 0.66, 0.82
# What the font lacks, and what stands for it.
SUBSTITUTES = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "→": "–"})
MISSING = "·"


@lru_cache(maxsize=1)
def load() -> dict[str, TTFont]:
    """Make the fonts known to the PDF writer; once per process."""
    folder = Path(settings.BASE_DIR) / "static" / "vendor" / "figtree"
    fonts = {name: TTFont(name, str(folder / f"{name.lower()}.ttf")) for name in (BODY, BOLD, HEAVY)}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    return fonts


def printable(text: str) -> str:
    """Return a text with every character that the fonts have no picture for replaced by a dot."""
    known = load()[BODY].face.charToGlyph
    return "".join(char if ord(char) in known else MISSING for char in text.translate(SUBSTITUTES))


def width(text: str, font: str, size: float) -> float:
    """Return the width of a line in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


@dataclass(frozen=True, slots=True)
class Box:
    """Where a text goes: left edge, upper edge, size; all in points."""

    x: float
    top: float
    width: float
    height: float


def block(
    canvas: Canvas, text: str, box: Box, *, font: str, largest: float, lines: int = 4, after: str = ""
) -> float:  # fmt: skip
    """Write a text into a box as large as it fits, from its top; returns the y below its last line.

    after: the sign after which a new line begins, so that what belongs together stays together.
    """
    chunks = split(printable(text), after)
    size, rows = fit(chunks, box, font=font, largest=largest, lines=lines)
    return write(canvas, rows, box, font=font, size=size)


def write(canvas: Canvas, rows: Sequence[str], box: Box, *, font: str, size: float, apart: float = 1) -> float:
    """Write lines from the top of a box; returns the y below the last. apart: how much wider than usual they stand."""
    canvas.setFont(font, size)
    y = box.top - size * ASCENT
    for row in rows:
        canvas.drawString(box.x, y, row)
        y -= size * LINE_HEIGHT * apart
    return y + size * (LINE_HEIGHT * apart - DESCENT)


def split(text: str, after: str) -> list[str]:
    """Return a text in two chunks, each of which begins a line: the first ends with the first `after`."""
    first, found, rest = text.partition(f"{after} ") if after else (text, "", "")
    return [f"{first}{after}", rest] if found else [text]


def fit(chunks: Sequence[str], box: Box, *, font: str, largest: float, lines: int) -> tuple[float, list[str]]:
    """Return the size at which a text fits into a box, and its lines: large, but not torn into a ladder of words.

    What is said in one breath stands on one line, and fewer lines win, as long as the letters hardly shrink for it.
    """
    biggest, rows = _fit(chunks, box, font, largest, lines)
    for fewer in range(len(chunks), lines):
        size, tried = _fit(chunks, box, font, largest, fewer)
        if size > SMALLEST and size >= biggest * (WHOLE if fewer == len(chunks) > 1 else FEWER):
            return size, tried
    return biggest, rows


def _fit(chunks: Sequence[str], box: Box, font: str, largest: float, lines: int) -> tuple[float, list[str]]:
    size = largest
    while size > SMALLEST:
        rows = _rows(chunks, font, size, box.width)
        narrow = all(width(row, font, size) <= box.width for row in rows)
        if narrow and len(rows) <= lines and len(rows) * size * LINE_HEIGHT <= box.height:
            return size, rows
        size *= STEP
    return size, _rows(chunks, font, size, box.width)[:lines]


def _rows(chunks: Sequence[str], font: str, size: float, most: float) -> list[str]:
    return [row for chunk in chunks for row in balanced(chunk, font, size, most)]


def balanced(text: str, font: str, size: float, most: float) -> list[str]:
    """Break a text into as few lines as there must be, as even as they can be: no word is left alone on the last."""
    rows = wrap(text, font, size, most)
    narrower = most
    while len(rows) > 1:
        narrower -= size * 0.25
        tried = wrap(text, font, size, narrower)
        if len(tried) > len(rows) or any(width(row, font, size) > narrower for row in tried):
            break
        rows = tried
    return rows


def wrap(text: str, font: str, size: float, most: float) -> list[str]:
    """Break a text into lines; a word that is wider than the box is broken inside."""
    rows: list[str] = []
    row = ""
    for word in text.split(" "):
        for part in _parts(word, font, size, most):
            wider = f"{row} {part}" if row else part
            if row and width(wider, font, size) > most:
                rows.append(row)
                row = part
            else:
                row = wider
    return [*rows, row] if row else rows


def _parts(word: str, font: str, size: float, most: float) -> list[str]:
    """Break a word that alone is too wide: only where it is so at every size worth reading."""
    if width(word, font, size) <= most or size > BREAKING:
        return [word]
    at = max(1, int(len(word) * most / width(word, font, size)))
    return [word[start : start + at] for start in range(0, len(word), at)]
