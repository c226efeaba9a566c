"""Ink on paper: the stamps, rings and gifts of the pages as masks, through which any colour is poured.

A mark is drawn on a grid of 48: an outer ring, a disc with the icon cut out, a little uneven at its edge, turned a few
degrees and worn. Everything follows from names and numbers: the same mark is the same pixels in every process.
"""

import hashlib
from functools import lru_cache
from math import cos, pi, sin

from PIL import Image, ImageChops, ImageDraw

from wallets.providers.pictures import icons

GRID = 48
RING, RING_WIDTH, DISC = 20.6, 1.9, 17.4
ICON_AT, ICON_SCALE, ICON_STROKE = 7.7, 1.36, 1.7
TURN_FROM, TURN_TO = -12, 11
# Icons with narrow gaps would run full of ink.
FINER = {"fork": 1.35, "flower": 1.45, "loaf": 1.55}
MASTER = 480
# Wear: cells of noise over one mark and their weights, the shares of its area that are touched and bare.
CELLS = ((26, 4), (52, 2), (104, 1))
GRAIN_SIDE, PLACES = 480, 240
TOUCHED, BARE = 0.89, 0.99
LANCZOS, BICUBIC = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC


def turn(seed: str, position: int) -> int:
    """Return the turn of one mark in degrees, clockwise, −12…+11, the same for a program and place for ever."""
    digest = hashlib.sha256(f"{seed}/{position}".encode()).digest()
    return TURN_FROM + digest[0] % (TURN_TO - TURN_FROM + 1)


@lru_cache(maxsize=512)
def stamp(icon: str, side: int, degrees: int, place: int) -> Image.Image:
    """Return the mask of a stamp, side pixels wide: turned, and worn in its own way at each place."""
    return ImageChops.multiply(_sized(icon, side).rotate(-degrees, BICUBIC), _wear(side, place))


def clean(icon: str, side: int) -> Image.Image:
    """Return the mask of a stamp upright and without wear, its ring at the edges of the square."""
    margin = round(MASTER * (0.5 - (RING + RING_WIDTH / 2 + 0.25) / GRID))
    box = (margin, margin, MASTER - margin, MASTER - margin)
    return _master(icon).resize((side, side), LANCZOS, box=box)


@lru_cache(maxsize=64)
def _sized(icon: str, side: int) -> Image.Image:
    return _master(icon).resize((side, side), LANCZOS)


@lru_cache(maxsize=64)
def ring(side: int, width: float, dots: int = 0) -> Image.Image:
    """Return the mask of a ring that fills its square; dots: of so many dots instead of a line."""
    canvas, draw, scale = _canvas(side)
    edge = width * scale / 2
    if not dots:
        draw.ellipse((0, 0, canvas.width - 1, canvas.height - 1), outline=255, width=max(1, round(width * scale)))
    middle, radius = canvas.width / 2, canvas.width / 2 - edge
    for dot in range(dots):
        x, y = middle + radius * cos(2 * pi * dot / dots), middle + radius * sin(2 * pi * dot / dots)
        draw.ellipse((x - edge, y - edge, x + edge, y + edge), fill=255)
    return canvas.resize((side, side), LANCZOS)


@lru_cache(maxsize=64)
def disc(side: int) -> Image.Image:
    """Return the mask of a disc that fills its square."""
    canvas, draw, _scale = _canvas(side)
    draw.ellipse((0, 0, canvas.width - 1, canvas.height - 1), fill=255)
    return canvas.resize((side, side), LANCZOS)


@lru_cache(maxsize=128)
def sign(icon: str, side: int, stroke: float = icons.STROKE) -> Image.Image:
    """Return the mask of an icon alone on its grid."""
    canvas, draw, _scale = _canvas(side)
    icons.draw(draw, icon, (0, 0, canvas.width), width=stroke, fill=255)
    return canvas.resize((side, side), LANCZOS)


@lru_cache(maxsize=32)
def plate(width: int, height: int, radius: int) -> Image.Image:
    """Return the mask of a rectangle with round corners."""
    mask = Image.new("L", (width, height), 255)
    canvas, draw, scale = _canvas(radius * 2)
    draw.ellipse((0, 0, canvas.width - 1, canvas.height - 1), fill=255)
    round_one = canvas.reduce(scale)
    far = radius * 2
    for left, right in ((0, radius), (radius, far)):
        for top, bottom in ((0, radius), (radius, far)):
            corner = round_one.crop((left, top, right, bottom))
            mask.paste(corner, (0 if not left else width - radius, 0 if not top else height - radius))
    return mask


@lru_cache(maxsize=16)
def _master(icon: str) -> Image.Image:
    """Return a stamp as it left the workshop: large, upright, unworn."""
    scale = MASTER * 2 / GRID
    canvas = Image.new("L", (MASTER * 2, MASTER * 2))
    draw = ImageDraw.Draw(canvas)
    for radius, fill in ((RING + RING_WIDTH / 2, 255), (RING - RING_WIDTH / 2, 0), (DISC, 255)):
        draw.polygon([(x * scale, y * scale) for x, y in _edge(radius)], fill=fill)
    icons.draw(
        draw, icon, (ICON_AT * scale, ICON_AT * scale, 24 * ICON_SCALE * scale), fill=0,
        width=FINER.get(icon, ICON_STROKE),
    )  # fmt: skip
    return canvas.reduce(2)


def _edge(radius: float) -> list[tuple[float, float]]:
    """Return a circle as a rubber stamp prints it: not quite round."""
    points = []
    for step in range(360):
        angle = 2 * pi * step / 360
        wobble = 0.1 * sin(3 * angle + radius) + 0.07 * sin(7 * angle + 2 * radius) + 0.05 * sin(17 * angle)
        points.append((GRID / 2 + (radius + wobble) * cos(angle), GRID / 2 + (radius + wobble) * sin(angle)))
    return points


def _wear(side: int, place: int) -> Image.Image:
    """Return what is left of the ink at a place, a piece of the grain's own for each."""
    digest, sheet = hashlib.sha256(b"wear/%d" % place).digest(), _sheet(side)
    left, top = (byte * (sheet.width - side) // 255 for byte in digest[:2])
    return sheet.crop((left, top, left + side, top + side))


@lru_cache(maxsize=16)
def _sheet(side: int) -> Image.Image:
    """Return the grain as it goes with marks of a size."""
    whole = side * GRAIN_SIDE // PLACES
    return _grain().resize((whole, whole), BICUBIC)


@lru_cache(maxsize=1)
def _grain() -> Image.Image:
    """Return the grain: noise in three octaves, of which the highest peaks take the ink away."""
    total, weights = Image.new("L", (GRAIN_SIDE, GRAIN_SIDE)), 0
    for cells, weight in CELLS:
        count = cells * GRAIN_SIDE // PLACES
        noise = Image.frombytes("L", (count, count), hashlib.shake_256(b"grain/%d" % cells).digest(count * count))
        weights += weight
        total = Image.blend(total, noise.resize((GRAIN_SIDE, GRAIN_SIDE), BICUBIC), weight / weights)
    low, high = _level(total, TOUCHED), _level(total, BARE)
    return total.point([max(0, min(255, round(255 * (high - value) / (high - low)))) for value in range(256)])


def _level(picture: Image.Image, share: float) -> int:
    """Return the value below which a share of the pixels lies."""
    counts, seen = picture.histogram(), 0
    for value, count in enumerate(counts):
        seen += count
        if seen >= share * picture.width * picture.height:
            return value
    return 255


def _canvas(side: int) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """Return an empty mask several times as large as asked, its pen, and how many times."""
    scale = 4 if side <= 240 else 2
    canvas = Image.new("L", (side * scale, side * scale))
    return canvas, ImageDraw.Draw(canvas), scale
