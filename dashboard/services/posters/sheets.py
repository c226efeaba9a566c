"""The sheets: A4, A5 and the table tent, with three millimetres of bleed and cut marks around them.

Viewers and office printers show the cut sheet (the PDF's CropBox); a print shop finds bleed and marks in the MediaBox.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from dashboard.services.posters import face
from dashboard.services.posters.face import Facts, Sheet
from dashboard.services.posters.words import ALL, LANGUAGES, Words, of, order

__all__ = ["ALL", "LANGUAGES", "SIZES", "Facts", "draw", "words"]

A4, A5 = (210 * mm, 297 * mm), (148 * mm, 210 * mm)
SIZES = {"a4": A4, "a5": A5, "tent": A4}
BLEED, MARGIN, MARK = 3 * mm, 12 * mm, 6 * mm
FOLD = "#B8B2A4"


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet of paper: its size after cutting, in points."""

    width: float
    height: float


def draw(size: str, facts: Facts, language: str) -> bytes:
    """Return a poster as PDF. size: one of SIZES; language: one of LANGUAGES or "all" (the merchant's first).

    Raises KeyError for a size that there is not.
    """
    paper = Paper(*SIZES[size])
    said = words(facts, language)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(paper.width + 2 * MARGIN, paper.height + 2 * MARGIN), pageCompression=1)
    _describe(canvas, facts, said[0])
    canvas.translate(MARGIN, MARGIN)
    _boxes(canvas, paper)
    logo = ImageReader(io.BytesIO(facts.logo)) if facts.logo else None
    if size == "tent":
        _tent(canvas, paper, facts, said, logo)
    else:
        _bled(canvas, 0, 0, paper)
        face.upright(canvas, Sheet(paper.width, paper.height, BLEED), facts, said, logo)
        canvas.restoreState()
    _marks(canvas, paper, fold=size == "tent")
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def words(facts: Facts, language: str) -> list[Words]:
    """Return what a poster says in each of its languages, the one in large first."""
    return [of(each, stamps=facts.stamps, reward=facts.reward) for each in order(language, facts.first_language)]


def _tent(
    canvas: Canvas, paper: Paper, facts: Facts, words: Sequence[Words], logo: ImageReader | None
) -> None:  # fmt: skip
    """Draw two faces that stand back to back once the sheet is folded: the upper one stands on its head."""
    half = Sheet(paper.width, paper.height / 2, BLEED)
    for upper in (False, True):
        canvas.saveState()
        if upper:
            canvas.translate(paper.width, paper.height)
            canvas.rotate(180)
        path = canvas.beginPath()
        path.rect(-BLEED, -BLEED, paper.width + 2 * BLEED, paper.height / 2 + BLEED)
        canvas.clipPath(path, stroke=0)
        face.wide(canvas, half, facts, words, logo)
        canvas.restoreState()


def _bled(canvas: Canvas, x: float, y: float, paper: Paper) -> None:
    """Let nothing be drawn beyond the bleed; the caller restores the state."""
    canvas.saveState()
    path = canvas.beginPath()
    path.rect(x - BLEED, y - BLEED, paper.width + 2 * BLEED, paper.height + 2 * BLEED)
    canvas.clipPath(path, stroke=0)


def _boxes(canvas: Canvas, paper: Paper) -> None:
    cut = (MARGIN, MARGIN, MARGIN + paper.width, MARGIN + paper.height)
    bleed = (cut[0] - BLEED, cut[1] - BLEED, cut[2] + BLEED, cut[3] + BLEED)
    canvas.setCropBox(cut)
    canvas.setTrimBox(cut)
    canvas.setBleedBox(bleed)


def _marks(canvas: Canvas, paper: Paper, *, fold: bool) -> None:
    """Draw the marks outside the bleed: where to cut, and where to fold."""
    canvas.setStrokeColorRGB(0, 0, 0)
    canvas.setLineWidth(0.3)
    near, far = BLEED + 1 * mm, BLEED + 1 * mm + MARK
    for x, away in ((0.0, -1), (paper.width, 1)):
        for y, off in ((0.0, -1), (paper.height, 1)):
            canvas.line(x + away * near, y, x + away * far, y)
            canvas.line(x, y + off * near, x, y + off * far)
    if fold:
        middle = paper.height / 2
        canvas.setStrokeColor(HexColor(FOLD))
        canvas.setDash(2 * mm, 2 * mm)
        for start, end in ((-far, -near), (0, 7 * mm), (paper.width - 7 * mm, paper.width)):
            canvas.line(start, middle, end, middle)
        canvas.line(paper.width + near, middle, paper.width + far, middle)
        canvas.setDash()


def _describe(canvas: Canvas, facts: Facts, words: Words) -> None:
    """Name the document for readers of its title, screen readers among them."""
    canvas.setTitle(f"{facts.merchant} – {words.promise}")
    canvas.setAuthor(facts.merchant)
    canvas.setSubject(facts.address)
    canvas.setCatalogEntry("Lang", words.language)
    canvas.setViewerPreference("DisplayDocTitle", "true")
