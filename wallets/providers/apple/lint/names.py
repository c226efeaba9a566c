"""The names in a package: the needed ones are there, at the root, and nothing that a desktop left behind."""

import posixpath
from collections.abc import Iterator

NEEDED = ("pass.json", "manifest.json", "signature")
ICONS = ("icon.png", "icon@2x.png", "icon@3x.png")
LEFT_BEHIND = (".DS_Store", "Thumbs.db", "desktop.ini")


def enclosing(files: dict[str, bytes]) -> str:
    """Return the folder that the files were packed with, "" for none; it explains everything that is missing."""
    if "pass.json" in files:
        return ""
    return min((name.removesuffix("/pass.json") for name in files if name.endswith("/pass.json")), default="")


def faults(files: dict[str, bytes]) -> Iterator[str]:
    """Yield what is wrong with the names."""
    yield from (f"{name} {fault}" for name in sorted(files) if (fault := oddity(name)))
    for name in NEEDED:
        if name not in files:
            yield f"{name} is missing."
    if not any(name in files for name in ICONS):
        yield "There is no icon: icon.png, icon@2x.png or icon@3x.png is required."


def oddity(name: str) -> str:
    """Return what is wrong with one name, "" when it is well."""
    parts = name.split("/")
    if "__MACOSX" in parts or parts[-1] in LEFT_BEHIND or parts[-1].startswith("._"):
        return "was left by a desktop and must not be in the package."
    if "\\" in name:
        return "is written with a backslash; paths in the zip have forward slashes."
    if name.startswith("/") or posixpath.normpath(name) != name or ".." in parts:
        return "is no plain path inside the package."
    return ""
