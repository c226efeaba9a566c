"""Pictures as PNG files: few colours, so that they stay small, and the grounds exactly as they were asked for."""

import io
from collections.abc import Callable

from PIL import Image

Write = Callable[[Image.Image], bytes]
MOST_COLORS = 128
LANCZOS = Image.Resampling.LANCZOS


def png(picture: Image.Image) -> bytes:
    """Write a picture as it is."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


def flat_png(picture: Image.Image, exact: tuple[tuple[int, int], ...] = ((0, 0),)) -> bytes:
    """Write a drawing of few colours with a palette; the colours at the points `exact` stay what they are."""
    indexed = picture.quantize(MOST_COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = indexed.getpalette() or []
    for point in exact:
        at, color = indexed.getpixel(point), picture.getpixel(point)
        if isinstance(at, int) and isinstance(color, tuple):
            palette[3 * at : 3 * at + 3] = [int(part) for part in color[:3]]
    indexed.putpalette(palette)
    return png(indexed)
