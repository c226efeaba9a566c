"""The pictures: real PNGs under names that the pass's style shows, in sizes that fit each other."""

import re
import struct
import zlib
from collections.abc import Iterator

PNG = b"\x89PNG\r\n\x1a\n"
NAME = re.compile(r"(?:[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*\.lproj/)?([a-zA-Z]+)(?:@([23])x)?\.png")
# What each style shows; iOS passes over others.
SHOWN = {
    "storeCard": {"icon", "logo", "strip", "primaryLogo"},
    "coupon": {"icon", "logo", "strip", "primaryLogo"},
    "generic": {"icon", "logo", "thumbnail", "primaryLogo", "background", "artwork"},
    "boardingPass": {"icon", "logo", "footer", "primaryLogo"},
    "eventTicket": {
        "icon", "logo", "strip", "background", "thumbnail", "primaryLogo", "secondaryLogo", "artwork",
        "venueMap",
    },
}  # fmt: skip
# Points on the pass; more is cut off or shrunk. The strip of store cards is 144 high since 2017.
MOST = {"logo": (160, 50), "strip": (375, 144)}


def faults(files: dict[str, bytes], style: str) -> Iterator[str]:
    """Yield the faults of each picture."""
    sizes: dict[str, tuple[int, int]] = {}
    for name in sorted(files):
        if not name.lower().endswith(".png") or not NAME.fullmatch(name):
            continue
        found = _size(files[name])
        if isinstance(found, str):
            yield f"{name} {found}"
            continue
        sizes[name] = found
        yield from _fits(name, found, style)
    yield from _densities(sizes)


def _size(data: bytes) -> tuple[int, int] | str:
    """Return width and height of a PNG, or what is wrong with it."""
    if not data.startswith(PNG):
        return "is not a PNG picture."
    at, header = len(PNG), b""
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if len(check) < 4 or zlib.crc32(kind + body) != int.from_bytes(check, "big"):
            return "is damaged: a part of it does not match its checksum."
        header = body if kind == b"IHDR" else header
        if kind == b"IEND":
            width, height = struct.unpack(">II", header[:8]) if len(header) >= 8 else (0, 0)
            return (width, height) if width and height else "has no size."
        at += 12 + length
    return "is cut off."


def _fits(name: str, size: tuple[int, int], style: str) -> Iterator[str]:
    kind, scale = _kind(name)
    shown = f"{size[0]} × {size[1]} pixels"
    if style in SHOWN and kind not in SHOWN[style]:
        yield f"{name} is not shown on a pass of the style {style}."
    elif kind == "icon" and size[0] != size[1]:
        yield f"{name} has {shown}; an icon is square."
    elif style == "storeCard" and kind in MOST:
        width, height = (most * scale for most in MOST[kind])
        if size[0] > width or size[1] > height:
            yield f"{name} has {shown}; there is room for {width} × {height}."


def _densities(sizes: dict[str, tuple[int, int]]) -> Iterator[str]:
    """Yield pictures for dense screens that are no larger version of the plain one."""
    for name, size in sizes.items():
        _, scale = _kind(name)
        plain = sizes.get(name.replace(f"@{scale}x", ""))
        if scale > 1 and plain and any(abs(got - one * scale) > scale for got, one in zip(size, plain, strict=True)):
            shown = f"{size[0]} × {size[1]} pixels, the plain one {plain[0]} × {plain[1]}"
            yield f"{name} has {shown}: it must be {scale} times as large."


def _kind(name: str) -> tuple[str, int]:
    found = NAME.fullmatch(name)
    return (found[1], int(found[2] or 1)) if found else ("", 1)
