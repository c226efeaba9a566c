"""The .pkpass: a zip of stored files, put together from bytes that were hashed once.

What does not change from card to card (pictures, languages) is one block of zip entries with its part of the manifest
and of the directory, kept in memory by the key of the pictures; a card adds pass.json, manifest.json and the signature.
PNGs are not compressed again: it would cost thirty times the signature and save nothing.
Source of the format: PKWARE's APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.16.
"""

import hashlib
import json
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LOCAL = struct.Struct("<4sHHHHHIIIHH")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
END = struct.Struct("<4sHHHHIIH")
VERSION = 20
UTF8_NAMES = 0x0800
# 1 January 2000, 0:00: equal content makes equal bytes.
DAY, HOUR = (20 << 9) | (1 << 5) | 1, 0
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
MOST_BYTES = 96 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Assets:
    """Files that many passes share: their zip entries, their lines of the manifest and of the directory."""

    entries: bytes
    directory: bytes
    count: int
    manifest: str


class AssetCache:
    """The assets used last, as many as fit into a bound of bytes per process."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[str, Assets] = OrderedDict()
        self._bytes, self._most = 0, most_bytes
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], Mapping[str, bytes]]) -> Assets:
        """Return the assets of a key, made of `make`'s files when they are not there."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = bundle(make())
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made.entries)
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1].entries)
        return made


def bundle(files: Mapping[str, bytes]) -> Assets:
    """Hash and lay out shared files, once."""
    entries, directory, offset = [], [], 0
    for name in sorted(files):
        entry, line = _entry(name, files[name], offset)
        entries.append(entry)
        directory.append(line)
        offset += len(entry)
    lines = [f"{json.dumps(name)}:{json.dumps(sha1(files[name]))}" for name in sorted(files)]
    return Assets(b"".join(entries), b"".join(directory), len(files), ",".join(lines))


def manifest(assets: Assets, pass_json: bytes) -> bytes:
    """Return manifest.json: each file but itself and the signature, with its SHA-1, as Apple wants it."""
    parts = [f'"pass.json":"{sha1(pass_json)}"', *([assets.manifest] if assets.manifest else [])]
    return f"{{{','.join(parts)}}}".encode()


def pack(assets: Assets, own: Mapping[str, bytes]) -> bytes:
    """Return the zip of the shared files and of a pass's own."""
    parts, lines, offset = [assets.entries], [assets.directory], len(assets.entries)
    for name, content in own.items():
        entry, line = _entry(name, content, offset)
        parts.append(entry)
        lines.append(line)
        offset += len(entry)
    directory = b"".join(lines)
    count = assets.count + len(own)
    end = END.pack(b"PK\5\6", 0, 0, count, count, len(directory), offset, 0)
    return b"".join((*parts, directory, end))


def encode(content: Mapping[str, Any]) -> bytes:
    """Return JSON as phones read it: UTF-8 without byte order mark; raises ValueError for NaN and infinity."""
    return ENCODER.encode(content).encode()


def sha1(content: bytes) -> str:
    """Return the hash that Apple's manifests hold; what protects the pass is the signature over them."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _entry(name: str, content: bytes, offset: int) -> tuple[bytes, bytes]:
    """Return a stored file's zip entry and its line of the directory."""
    path, size, check = name.encode(), len(content), zlib.crc32(content)
    local = LOCAL.pack(b"PK\3\4", VERSION, UTF8_NAMES, 0, HOUR, DAY, check, size, size, len(path), 0)
    line = CENTRAL.pack(
        b"PK\1\2", VERSION, VERSION, UTF8_NAMES, 0, HOUR, DAY, check, size, size, len(path), 0, 0, 0, 0, 0, offset
    )
    return b"".join((local, path, content)), line + path
