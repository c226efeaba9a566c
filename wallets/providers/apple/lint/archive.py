"""The zip and its manifest: every file is listed with its hash, and nothing else is."""

import hashlib
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from wallets.providers.apple.lint import reading
from wallets.providers.apple.lint.reading import Unreadable

UNLISTED = ("manifest.json", "signature")
MOST_BYTES = 64 * 1024 * 1024
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
ZIP64 = 45
SHA1 = re.compile(r"[0-9a-f]{40}")


def read(data: bytes) -> tuple[dict[str, bytes], list[str]]:
    """Return the files of a package and what is wrong with its zip; raises Unreadable when it is none."""
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        raise Unreadable("The package is not a zip archive.") from None
    with opened:
        entries = [entry for entry in opened.infolist() if not entry.is_dir()]
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise Unreadable(f"The package unpacks to more than {MOST_BYTES >> 20} MB.")
        twice = [name for name, count in Counter(entry.filename for entry in entries).items() if count > 1]
        found = [f"{name} is in the zip twice." for name in twice]
        files: dict[str, bytes] = {}
        for entry in entries:
            fault = _entry_fault(entry)
            try:
                files[entry.orig_filename] = b"" if fault else opened.read(entry)
            except (zipfile.BadZipFile, zlib.error, EOFError):
                fault = f"{entry.filename} is damaged: its content does not match its checksum in the zip."
            if fault:
                found.append(fault)
                raise Unreadable(" ".join(found))
    return files, found


def _entry_fault(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & ENCRYPTED:
        return f"{entry.filename} is encrypted in the zip."
    if entry.compress_type not in METHODS:
        return f"{entry.filename} is compressed by method {entry.compress_type}; only stored and deflated are read."
    if entry.extract_version >= ZIP64:
        return f"{entry.filename} needs zip64, which phones do not read."
    return ""


def manifest_faults(files: dict[str, bytes]) -> Iterator[str]:
    """Yield how the manifest and the files differ."""
    if "manifest.json" not in files:
        return
    try:
        listed = reading.load("manifest.json", files["manifest.json"])
    except Unreadable as error:
        yield str(error)
        return
    for name in UNLISTED:
        if name in listed:
            yield f"manifest.json lists {name}, which cannot be in it."
    for name in sorted(listed.keys() - files.keys() - {*UNLISTED}):
        yield f"manifest.json lists {name}, which is not in the package."
    for name in sorted(files.keys() - {*UNLISTED}):
        yield from _listed(name, files[name], listed)


def _listed(name: str, content: bytes, listed: dict[str, Any]) -> Iterator[str]:
    if name not in listed:
        yield f"No entry in the manifest for {name}."
        return
    written = listed[name]
    right = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not isinstance(written, str) or not SHA1.fullmatch(written):
        yield f"The manifest's hash of {name} is not 40 lower-case hexadecimal digits (SHA-1)."
    elif written != right:
        yield f"The manifest's hash of {name} is {written}, but the file's is {right}."
