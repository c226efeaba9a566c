"""Uploaded pictures: read by content, held to limits, and written anew, so that nothing of the upload itself survives.

What comes out is a PNG or WebP of our own making: no EXIF, no comments, no trailing bytes of another format, no script.
SVG and GIF are never read. One picture at a time is decoded per process, so memory stays bounded however many come.
"""

import io
import secrets
import threading
import warnings
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageChops, ImageFile, ImageOps

from core.errors import ValidationFailed

MAX_BYTES = 5_000_000
MAX_PIXELS = 24_000_000
MAX_SIDE, MIN_SIDE = 10_000, 16
# A progressive JPEG may repeat its scans for hours.
MAX_SCANS = 60
KINDS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}
START_OF_SCAN = b"\xff\xda"

# A square logo for wallets, which ask for 660 pixels at least; and a small one for the head of a page (40 px, twice).
LOGO_SIDE, LARGE_LOGO_SIDE, SMALL_LOGO_SIDE = 660, 1024, 80
PICTURE_SIDE, SMALL_PICTURE_SIDE = 1200, 160
SMALL = "-s.webp"
# How far a pixel may be from the ground of a picture and still be its empty margin: a JPEG's noise.
NOISE = 24

# Pillow's own guard, should a size ever get past ours: its warning counts as an error.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
ImageFile.LOAD_TRUNCATED_IMAGES = False
_one_at_a_time = threading.Lock()

Files = dict[str, bytes]


def logo(upload: IO[bytes], *, field: str = "image") -> Files:
    """Return a logo as files by the end of their names: a square PNG, its margins even, and a small WebP.

    The square has 660 to 1024 pixels a side, whatever came. Raises ValidationFailed of the field.
    """
    raw = _raw(upload, field)
    with _one_at_a_time:
        picture = _trimmed(_opened(raw, LARGE_LOGO_SIDE, field))
        side = min(max(*picture.size, LOGO_SIDE), LARGE_LOGO_SIDE)
        square = _padded(picture, side)
        return {".png": _png(square), SMALL: _webp(square.resize((SMALL_LOGO_SIDE,) * 2, Image.Resampling.LANCZOS))}


def picture(upload: IO[bytes], *, field: str = "image") -> Files:
    """Return a picture as files by the end of their names: a WebP of at most 1200 pixels a side, and a small square.

    Raises ValidationFailed of the field.
    """
    raw = _raw(upload, field)
    with _one_at_a_time:
        found = _opened(raw, PICTURE_SIDE, field)
        found.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
        return {".webp": _webp(found), SMALL: _webp(ImageOps.fit(found, (SMALL_PICTURE_SIDE,) * 2))}


def new_name() -> str:
    """Return a name for a picture that nobody can guess and no upload has a say in."""
    return secrets.token_hex(16)


def small(name: str) -> str:
    """Return the name of the small one beside a picture's file."""
    return name.rpartition(".")[0] + SMALL


def _raw(upload: IO[bytes], field: str) -> bytes:
    raw = upload.read(MAX_BYTES + 1)
    if not raw:
        raise ValidationFailed.of(field, "empty", _("The file is empty."))
    if len(raw) > MAX_BYTES:
        raise too_large(field)
    return raw


def too_large(field: str) -> ValidationFailed:
    """Return the refusal of a file that is too large."""
    return ValidationFailed.of(field, "too_large", _("The file is too large: 5 MB at most."))


def _opened(raw: bytes, enough: int, field: str) -> Image.Image:
    """Return the picture upright, in RGB or RGBA, decoded no larger than is needed where the format can do that."""
    kind = _kind(raw)
    if kind is None or (kind == "JPEG" and raw.count(START_OF_SCAN) > MAX_SCANS):
        raise _not_readable(field)
    try:
        with Image.open(io.BytesIO(raw), formats=(kind,)) as found:
            _check_size(*found.size, field)
            if getattr(found, "n_frames", 1) > 1:
                raise ValidationFailed.of(field, "animated", _("Choose a picture that does not move."))
            if kind == "JPEG":
                found.draft("RGB", (enough, enough))
            return _plain(ImageOps.exif_transpose(found))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(field) from None
    except ValidationFailed:
        raise
    except Exception as error:
        # Pillow's readers raise many kinds for broken files (SyntaxError, struct.error, EOFError, ValueError …).
        raise _not_readable(field) from error


def _kind(raw: bytes) -> str | None:
    """Return the format by the file's first bytes; its name and what the sender calls it do not count."""
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in KINDS.items() if raw.startswith(start)), None)


def _check_size(width: int, height: int, field: str) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_many_pixels(field)
    if min(width, height) < MIN_SIDE:
        raise ValidationFailed.of(field, "too_small", _("The picture is too small: 16 pixels a side at least."))


def _plain(picture: Image.Image) -> Image.Image:
    """Return the bare pixels, without anything the file carried beside them."""
    transparent = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    converted = picture.convert("RGBA" if transparent else "RGB")
    bare = Image.new(converted.mode, converted.size)
    bare.paste(converted)
    return bare


def _trimmed(picture: Image.Image) -> Image.Image:
    """Return the picture without its empty margins, so that a logo on a large white page is not a dot."""
    picture.thumbnail((2 * LARGE_LOGO_SIDE,) * 2, Image.Resampling.LANCZOS)
    if picture.mode == "RGBA":
        seen = picture.getchannel("A")
    else:
        seen = ImageChops.difference(picture, Image.new("RGB", picture.size, picture.getpixel((0, 0)))).convert("L")
    around = seen.point([0] * NOISE + [255] * (256 - NOISE)).getbbox()
    return picture if around is None else _with_air(picture, around)


def _with_air(picture: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """Cut a box out with a little of what is around it."""
    air = max(box[2] - box[0], box[3] - box[1]) // 12
    left, top = max(box[0] - air, 0), max(box[1] - air, 0)
    return picture.crop((left, top, min(box[2] + air, picture.width), min(box[3] + air, picture.height)))


def _padded(picture: Image.Image, side: int) -> Image.Image:
    """Return the picture in the middle of a square, on its own background where it has one colour, else on nothing."""
    fitted = ImageOps.contain(picture, (side, side), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (side, side), _ground(fitted))
    square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    return square


def _ground(picture: Image.Image) -> Any:
    right, bottom = picture.width - 1, picture.height - 1
    corners = {picture.getpixel(corner) for corner in ((0, 0), (right, 0), (0, bottom), (right, bottom))}
    return corners.pop() if picture.mode == "RGB" and len(corners) == 1 else (0, 0, 0, 0)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


def _not_readable(field: str) -> ValidationFailed:
    return ValidationFailed.of(field, "not_an_image", _("Choose a PNG, JPEG or WebP picture."))


def _too_many_pixels(field: str) -> ValidationFailed:
    return ValidationFailed.of(field, "too_many_pixels", _("The picture is too large: 24 million pixels at most."))
