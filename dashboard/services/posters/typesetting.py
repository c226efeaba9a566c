"""Setting type on a poster: embedded fonts, and text that is made as large as its box allows."""

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


def block(canvas: Canvas, text: str, box: Box, *, font: str, largest: float, lines: int = 4) -> float:
    """Write a text into a box from its top, as large as it fits; returns the y below its last line."""
    text = printable(text)
    size, rows = fit(text, box, font=font, largest=largest, lines=lines)
    canvas.setFont(font, size)
    y = box.top - size * ASCENT
    for row in rows:
        canvas.drawString(box.x, y, row)
        y -= size * LINE_HEIGHT
    return y + size * (LINE_HEIGHT - DESCENT)


def fit(text: str, box: Box, *, font: str, largest: float, lines: int) -> tuple[float, list[str]]:
    """Return the largest size at which a text fits into a box, and its lines."""
    size = largest
    while size > SMALLEST:
        rows = wrap(text, font, size, box.width)
        narrow = all(width(row, font, size) <= box.width for row in rows)
        if narrow and len(rows) <= lines and len(rows) * size * LINE_HEIGHT <= box.height:
            return size, rows
        size *= STEP
    return size, wrap(text, font, size, box.width)[:lines]


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
