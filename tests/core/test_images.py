"""Promise 17: whatever is uploaded is refused or written anew; nothing of it survives, and memory stays bounded."""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from core import images
from core.errors import ValidationFailed

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
SCRIPT = b"<script>alert('canary')</script>"


def drawn(size: tuple[int, int] = (800, 600), kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, options.pop("colour", None) or 0).save(out, kind, **options)
    return out.getvalue()


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose head says any size, however little is in it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data or zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def refusal(data: bytes, how: Any = images.logo) -> str:
    with pytest.raises(ValidationFailed) as caught:
        how(io.BytesIO(data))
    [(field, [(code, text)])] = caught.value.errors.items()
    assert field == "image"
    assert str(text)
    return code


def opened(data: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(data))
    found.load()
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("how", [images.logo, images.picture])
def test_it_works(kind: str, how: Any) -> None:
    files = how(io.BytesIO(drawn(kind=kind, colour=(200, 30, 40))))

    found = {end: opened(data) for end, data in files.items()}
    if how is images.logo:
        assert {end: (picture.format, picture.size) for end, picture in found.items()} == {
            ".png": ("PNG", (800, 800)), "-s.webp": ("WEBP", (80, 80)),
        }  # fmt: skip
    else:
        assert {end: (picture.format, picture.size) for end, picture in found.items()} == {
            ".webp": ("WEBP", (800, 600)), "-s.webp": ("WEBP", (160, 160)),
        }  # fmt: skip


@pytest.mark.parametrize(
    ("size", "side"), [((16, 16), 660), ((100, 50), 660), ((660, 660), 660), ((900, 300), 900), ((3000, 200), 1024)]
)
def test_a_logo_is_a_square_that_wallets_take(size: tuple[int, int], side: int) -> None:
    files = images.logo(io.BytesIO(drawn(size, colour=(255, 255, 255))))

    square = opened(files[".png"])
    assert square.size == (side, side)
    assert square.getpixel((0, 0)) == (255, 255, 255, 255)


def test_a_logo_of_many_colours_is_padded_with_nothing() -> None:
    picture = Image.new("RGB", (800, 400), (255, 255, 255))
    picture.putpixel((0, 0), (1, 2, 3))
    out = io.BytesIO()
    picture.save(out, "PNG")

    assert opened(images.logo(io.BytesIO(out.getvalue()))[".png"]).getpixel((400, 0)) == (0, 0, 0, 0)


def test_the_small_logo_weighs_little() -> None:
    noise = Image.frombytes("RGB", (700, 700), random.Random(7).randbytes(700 * 700 * 3))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=90)

    assert len(images.logo(io.BytesIO(out.getvalue()))["-s.webp"]) <= 8_000


def test_turns_the_picture_upright_and_forgets_where_it_was_taken() -> None:
    picture = Image.new("RGB", (400, 200), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "canary"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=b"canary")

    for data in images.picture(io.BytesIO(out.getvalue())).values():
        found = opened(data)
        assert not dict(found.getexif())
        assert b"canary" not in data
        assert "exif" not in found.info
    assert opened(images.picture(io.BytesIO(out.getvalue()))[".webp"]).size == (200, 400)


@pytest.mark.parametrize("how", [images.logo, images.picture])
def test_nothing_beside_the_pixels_survives(how: Any) -> None:
    """Text chunks, colour profiles, and another format's file behind the end."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SCRIPT.decode())
    polyglots = [
        drawn(kind="PNG", pnginfo=notes, icc_profile=b"canary" * 50) + SCRIPT + b"PK\x03\x04canary",
        drawn(kind="JPEG", comment=SCRIPT) + b"GIF89a" + SCRIPT,
        drawn(kind="WEBP", xmp=SCRIPT),
    ]
    for upload in polyglots:
        for data in how(io.BytesIO(upload)).values():
            assert b"canary" not in data
            assert b"<script" not in data
            assert b"PK\x03\x04" not in data


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_reads_every_kind_of_png(mode: str) -> None:
    assert opened(images.logo(io.BytesIO(drawn((64, 64), mode=mode)))[".png"]).size == (660, 660)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_reads_every_kind_of_jpeg(mode: str) -> None:
    assert opened(images.picture(io.BytesIO(drawn((64, 64), kind="JPEG", mode=mode)))[".webp"]).size == (64, 64)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"), (SVG, "not_an_image"), (b"<?xml version='1.0'?>" + SVG, "not_an_image"),
        (SCRIPT, "not_an_image"),
        (drawn(kind="GIF"), "not_an_image"), (drawn(kind="BMP"), "not_an_image"), (drawn(kind="TIFF"), "not_an_image"),
        (drawn(kind="ICO", size=(64, 64)), "not_an_image"), (b"GIF89a" + drawn(), "not_an_image"),
        (b"%PDF-1.7\n" + drawn(), "not_an_image"), (b"\x89PNG\r\n\x1a\n", "not_an_image"),
        (b"\xff\xd8\xff", "not_an_image"),
        (b"RIFF\x00\x00\x00\x00WEBP", "not_an_image"), (b"RIFF\x00\x00\x00\x00WAVE", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n" + SVG, "not_an_image"), (b"\xff\xd8\xff" + SVG, "not_an_image"),
        (b"\x00" * 1000, "not_an_image"),
        (drawn((8, 800)), "too_small"), (drawn((1, 1)), "too_small"),
        (png_of(60_000, 60_000), "too_many_pixels"), (png_of(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (png_of(5_000, 5_000), "too_many_pixels"), (png_of(20_000, 100), "too_many_pixels"),
        (png_of(0, 10), "not_an_image"), (b"\x89PNG\r\n\x1a\n" + b"x" * images.MAX_BYTES, "too_large"),
    ],
)  # fmt: skip
def test_refuses(data: bytes, code: str) -> None:
    assert refusal(data) == code
    assert refusal(data, images.picture) == code


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_refuses_what_moves(kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (0, 100, 200)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=50)

    assert refusal(out.getvalue()) == "animated"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_refuses_what_is_cut_off_or_broken(kind: str) -> None:
    noise = Image.frombytes("RGB", (200, 200), random.Random(3).randbytes(200 * 200 * 3))
    out = io.BytesIO()
    noise.save(out, kind)
    whole = out.getvalue()

    assert refusal(whole[: len(whole) // 2]) == "not_an_image"
    assert refusal(whole[:40]) == "not_an_image"


def test_any_damage_is_refused_or_read_and_never_an_error() -> None:
    chance, seen = random.Random(11), set()
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = drawn((120, 80), kind=kind, colour=(3, 90, 200))
        for _ in range(60):
            broken = bytearray(whole)
            for _ in range(chance.randint(1, 12)):
                broken[chance.randrange(12, len(broken))] = chance.randrange(256)
            try:
                images.picture(io.BytesIO(bytes(broken)))
                seen.add("read")
            except ValidationFailed:
                seen.add("refused")
    assert seen == {"read", "refused"}


def test_refuses_a_jpeg_that_repeats_its_scans() -> None:
    whole = drawn(kind="JPEG", progressive=True)
    start = whole.index(b"\xff\xda")
    scans = whole[start:-2]

    assert refusal(whole[:start] + scans * 100 + whole[-2:]) == "not_an_image"


def test_a_bomb_in_the_pixels_does_not_grow_memory() -> None:
    """24 million pixels pass, one after the other, within what one of them needs."""
    largest = drawn((6000, 4000), colour=(10, 20, 30))
    page = 4096

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    images.picture(io.BytesIO(largest))
    before = resident()
    for _ in range(3):
        images.logo(io.BytesIO(largest))

    assert len(largest) < 500_000
    assert resident() - before < 60_000_000


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_logo_loses_its_empty_margins(mode: str) -> None:
    ground = (255, 255, 255) if mode == "RGB" else (0, 0, 0, 0)
    page = Image.new(mode, (1200, 900), ground)
    page.paste((120, 20, 20) if mode == "RGB" else (120, 20, 20, 255), (500, 400, 700, 600))
    out = io.BytesIO()
    page.save(out, "PNG")

    square = opened(images.logo(io.BytesIO(out.getvalue()))[".png"]).convert("RGBA")

    assert square.getpixel((330, 330)) == (120, 20, 20, 255)
    assert square.getpixel((100, 330)) == (120, 20, 20, 255), "the mark fills the square"
    assert square.getpixel((10, 330))[:3] != (120, 20, 20), "and keeps a little air"
