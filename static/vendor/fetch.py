"""Fetch the third-party front-end files named in vendor.lock.json and verify every hash.

Usage: ``python static/vendor/fetch.py`` checks the archives and writes the files; ``--check`` only
re-hashes what is there; ``--update`` accepts new archives and rewrites the hashes in the lock; ``--folder``
names another folder with such a lock, as tests/browser/vendor, whose files never leave the test suite.
Archives come through ``npm pack``, so the registry is whatever the npm client is configured for.
An entry with a ``weight`` is made from variable fonts of the archive, for the PDF writer, which reads
static TrueType only; making it needs fonttools and brotli, checking it does not.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOCK = "vendor.lock.json"
# A source map we do not ship would make the manifest storage look for a missing file.
# Family, full and PostScript name: the parts of a variable font are all named after its lightest weight.
NAMES = (1, 4, 6)
SOURCE_MAP = re.compile(rb"\n?(?:/\*|//)# sourceMappingURL=[^\n]*\n?\Z")


class HashMismatch(Exception):
    """A downloaded or vendored file is not the one the lock names."""


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content`` as lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def load_lock(folder: Path = HERE) -> dict[str, Any]:
    """Return the content of a folder's lock file."""
    lock: dict[str, Any] = json.loads((folder / LOCK).read_text(encoding="utf-8"))
    return lock


def download(package: dict[str, Any], folder: Path) -> bytes:
    """Return the archive of ``package`` as the configured npm client delivers it."""
    spec = f"{package['name']}@{package['version']}"
    done = subprocess.run(
        ["npm", "pack", spec, "--silent", "--pack-destination", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    return (folder / done.stdout.strip().splitlines()[-1]).read_bytes()


def extract(archive: Path, package: dict[str, Any]) -> dict[str, bytes]:
    """Return ``{target: content}`` for the files that the lock takes from ``archive``."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for target, entry in package["files"].items():
            if "weight" in entry:
                parts = [read(tar, package, name) for name in entry["from"]]
                found[target] = static_font(parts, entry["weight"])
            else:
                found[target] = SOURCE_MAP.sub(b"\n", read(tar, package, entry["from"]))
    return found


def read(tar: tarfile.TarFile, package: dict[str, Any], name: str) -> bytes:
    """Return one file of an archive."""
    member = tar.extractfile(name)
    if member is None:
        raise HashMismatch(f"{package['name']}: {name} is no file")
    return member.read()


def static_font(parts: list[bytes], weight: int) -> bytes:
    """Return one TrueType font of one weight from the parts of a variable one; the same bytes every time."""
    from fontTools import merge, ttLib
    from fontTools.varLib import instancer

    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, part in enumerate(parts):
            font = ttLib.TTFont(io.BytesIO(part), recalcTimestamp=False)
            font.flavor = None
            instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True)
            names.append(f"{folder}/{number}.ttf")
            font.save(names[-1])
        whole = merge.Merger(merge.Options(drop_tables=["GSUB", "GPOS", "GDEF", "STAT"])).merge(names)
        whole.recalcTimestamp = False
        whole["head"].created = whole["head"].modified = 0
        for record in whole["name"].names:
            if record.nameID in NAMES:
                record.string = f"{str(record).split('-')[0].split(' ')[0]}-{weight}"
        out = io.BytesIO()
        whole.save(out)
    return out.getvalue()


def verify(what: str, content: bytes, expected: str) -> None:
    """Raise HashMismatch unless ``content`` has the expected SHA-256."""
    if sha256(content) != expected:
        raise HashMismatch(f"{what}: {sha256(content)} instead of {expected}")


def fetch(here: Path = HERE, *, update: bool) -> None:
    """Download every package, verify it and write its files beside the lock."""
    lock = load_lock(here)
    for package in lock["packages"]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            content = download(package, folder)
            if update:
                package["sha256"] = sha256(content)
            verify(package["name"], content, package["sha256"])
            archive = folder / "archive.tgz"
            archive.write_bytes(content)
            files = extract(archive, package)
        for target, body in files.items():
            if update:
                package["files"][target]["sha256"] = sha256(body)
            verify(target, body, package["files"][target]["sha256"])
            path = here / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    if update:
        (here / LOCK).write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def check(here: Path = HERE) -> list[str]:
    """Return one line per vendored file that is missing, changed or not in the folder's lock."""
    known: set[str] = set()
    faults: list[str] = []
    for package in load_lock(here)["packages"]:
        for target, entry in package["files"].items():
            known.add(target)
            path = here / target
            if not path.is_file():
                faults.append(f"{target}: missing")
            elif sha256(path.read_bytes()) != entry["sha256"]:
                faults.append(f"{target}: changed")
    for path in sorted(here.rglob("*")):
        name = path.relative_to(here).as_posix()
        own = path.parent == here or "__pycache__" in path.parts
        if path.is_file() and not own and name not in known:
            faults.append(f"{name}: not in the lock")
    return faults


def main() -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only re-hash the files")
    parser.add_argument("--update", action="store_true", help="accept new archives")
    parser.add_argument("--folder", type=Path, default=HERE, help="the folder of the lock")
    options = parser.parse_args()
    if not options.check:
        fetch(options.folder, update=options.update)
    faults = check(options.folder)
    print("\n".join(faults) or "All vendored files match the lock.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
