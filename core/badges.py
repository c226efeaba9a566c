"""The wallets' own badges: artwork that an operator downloads after agreeing to Apple's and Google's terms, unaltered.

A file is called apple-fr.svg or google-en.png. What is missing or not fit leaves our own button in its place.
"""

import hashlib
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.parsers import expat

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core.media import FOR_EVER

WALLETS = ("apple", "google")
# Where to look for a language's badge, one after the other; neither company draws one in Luxembourgish.
INSTEAD = {"en": ("en",), "fr": ("fr", "en"), "de": ("de", "en"), "lb": ("lb", "fr", "de", "en")}
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
NAMED = re.compile(rf"({'|'.join(WALLETS)})-({'|'.join(INSTEAD)})\.({'|'.join(TYPES)})")
ASKED = re.compile(rf"({'|'.join(WALLETS)})-({'|'.join(INSTEAD)})-([0-9a-f]{{16}})\.({'|'.join(TYPES)})")
MOST_BYTES = 100_000
HEIGHT = 48
# A badge is a wide button, and fits a phone of 320 px.
NARROWEST, WIDEST = 1.5, 5.9
# Nothing in the artwork runs or is fetched, even where somebody opens the file by itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
LENGTH = re.compile(r"\s*([0-9.]+)\s*(?:px|pt|mm)?\s*")


class NotABadge(ValueError):
    """A file is not what its name says; the message tells the operator why."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A file that can be shown: its name with the version in it, its width at 48 px, its bytes."""

    name: str
    width: int
    body: bytes
    media_type: str


def find(wallet: str, language: str) -> Badge | None:
    """Return the badge of a wallet ("apple", "google") for readers of a language, None where our own button stays."""
    for code in INSTEAD.get(language, INSTEAD["en"]):
        for kind in TYPES:
            try:
                badge = load(_folder() / f"{wallet}-{code}.{kind}")
            except (OSError, NotABadge):
                continue
            return badge
    return None


def load(path: Path) -> Badge:
    """Read a badge; raises OSError, or NotABadge for what is none."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise NotABadge("is no file")
    if facts.st_size > MOST_BYTES:
        raise NotABadge(f"is larger than {MOST_BYTES // 1000} kB")
    found = _read(path, facts.st_mtime_ns, facts.st_size)
    if isinstance(found, str):
        raise NotABadge(found)
    return found


def examine() -> Iterator[tuple[str, str]]:
    """Yield each file of the folder with what is wrong with it, "" for nothing."""
    folder = _folder()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        try:
            if not NAMED.fullmatch(path.name):
                raise NotABadge("has no name of a badge, such as apple-en.svg or google-de.png")
            load(path)
        except OSError as error:
            yield path.name, f"cannot be read: {error.strerror}"
        except NotABadge as error:
            yield path.name, str(error)
        else:
            yield path.name, ""


@require_safe
def serve(request: HttpRequest, file: str) -> HttpResponse:
    """Answer with a badge; other artwork has another address, so this one may be kept for ever."""
    asked = ASKED.fullmatch(file)
    if asked is None:
        raise Http404
    wallet, language, _version, kind = asked.groups()
    try:
        badge = load(_folder() / f"{wallet}-{language}.{kind}")
    except (OSError, NotABadge):
        raise Http404 from None
    if badge.name != file:
        raise Http404
    headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": POLICY}
    return HttpResponse(badge.body, content_type=badge.media_type, headers=headers)


def _folder() -> Path:
    return Path(settings.LOYALTY_WALLET_BADGES_DIR)


@lru_cache(maxsize=32)
def _read(path: Path, _changed: int, _size: int) -> Badge | str:
    """Return what is in a file, or what is wrong with it: either is found out once."""
    try:
        return _parsed(path)
    except NotABadge as fault:
        return str(fault)


def _parsed(path: Path) -> Badge:
    body, kind = path.read_bytes(), path.suffix[1:]
    width, height = _png_size(body) if kind == "png" else _svg_size(body)
    if not NARROWEST <= width / height <= WIDEST:
        raise NotABadge("has not the shape of a badge: a wide button, without empty space around it")
    name = f"{path.stem}-{hashlib.sha256(body).hexdigest()[:16]}.{kind}"
    return Badge(name, round(HEIGHT * width / height), body, TYPES[kind])


def _png_size(body: bytes) -> tuple[float, float]:
    if not body.startswith(PNG_HEAD) or len(body) < len(PNG_HEAD) + 8:
        raise NotABadge("is not a PNG")
    width, height = struct.unpack(">II", body[len(PNG_HEAD) : len(PNG_HEAD) + 8])
    if height < HEIGHT:
        raise NotABadge(f"is less than {HEIGHT} pixels high")
    return width, height


def _svg_size(body: bytes) -> tuple[float, float]:
    """Return width and height of a drawing; raises NotABadge for what is no drawing, or says no size."""
    root: list[tuple[str, dict[str, str]]] = []
    reader = expat.ParserCreate(namespace_separator=" ")
    reader.StartElementHandler = lambda name, given: root.append((name, given)) if not root else None
    reader.EntityDeclHandler = _refuse
    try:
        reader.Parse(body, True)
    except (expat.ExpatError, UnicodeDecodeError):
        raise NotABadge("is not an SVG") from None
    name, given = root[0]
    if name != "http://www.w3.org/2000/svg svg":
        raise NotABadge("is not an SVG")
    box = given.get("viewBox", "").replace(",", " ").split()
    try:
        width, height = (
            (float(box[2]), float(box[3])) if len(box) == 4 else (_length(given, "width"), _length(given, "height"))
        )
    except ValueError:
        width = height = 0.0
    if not (width > 0 and height > 0):
        raise NotABadge("does not say how large it is")
    return width, height


def _length(given: dict[str, str], name: str) -> float:
    found = LENGTH.fullmatch(given.get(name, ""))
    return float(found[1]) if found else 0.0


def _refuse(*_: object) -> None:
    raise NotABadge("declares entities, which artwork does not need")
