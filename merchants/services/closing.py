"""Everything of a merchant as one ZIP of CSV files, streamed: for a merchant that leaves.

The files come from higher apps, which register them when they load; each opens the merchant's scope by itself, since
a body is streamed after the request's transaction.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

# Returns the bytes of one file; called with the merchant's id when its turn has come.
Stream = Callable[[UUID], Iterable[bytes]]
_files: dict[str, Stream] = {}
CHUNK = 64 * 1024


def register(name: str, stream: Stream) -> None:
    """Add a file to every merchant's export; a second registration of the name replaces the first."""
    _files[name] = stream


def files() -> tuple[str, ...]:
    """Return the names of the files."""
    return tuple(_files)


def archive(*, merchant_id: UUID) -> Iterator[bytes]:
    """Yield the ZIP piece by piece; no more than some rows are held at once."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, stream in _files.items():
            with packed.open(name, "w", force_zip64=True) as member:
                for piece in stream(merchant_id):
                    member.write(piece)
                    if sink.size >= CHUNK:
                        yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """What a ZIP is written to that is read away while it grows."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        piece = bytes(data)
        self._parts.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken
