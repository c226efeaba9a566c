"""A reader of DER, as small as CMS needs it (ITU-T X.690): definite lengths, tags below 31."""

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, SET, INTEGER, OCTETS, OID = 0x30, 0x31, 0x02, 0x04, 0x06
LONG_FORM, MOST_LENGTH_BYTES = 0x80, 4


class NotDer(ValueError):
    """The bytes are no DER."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value: its tag, its content, and the whole of its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> list["Node"]:
        """Return the values inside."""
        return list(_nodes(self.content))

    def oid(self) -> str:
        """Return an object identifier in dots."""
        if self.tag != OID or not self.content:
            raise NotDer("no object identifier")
        numbers, value = [], 0
        for byte in self.content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))

    def integer(self) -> int:
        """Return an integer."""
        if self.tag != INTEGER:
            raise NotDer("no integer")
        return int.from_bytes(self.content, "big", signed=True)


def parse(data: bytes) -> Node:
    """Return the one value that the bytes hold; raises NotDer."""
    found = list(_nodes(data))
    if len(found) != 1:
        raise NotDer("not one value")
    return found[0]


def _nodes(data: bytes) -> Iterator[Node]:
    at = 0
    while at < len(data):
        header, length = _header(data, at)
        end = at + header + length
        if end > len(data):
            raise NotDer("cut off")
        yield Node(data[at], data[at + header : end], data[at:end])
        at = end


def _header(data: bytes, at: int) -> tuple[int, int]:
    if at + 2 > len(data):
        raise NotDer("cut off")
    length = data[at + 1]
    if length < LONG_FORM:
        return 2, length
    size = length & 0x7F
    if not 1 <= size <= MOST_LENGTH_BYTES or at + 2 + size > len(data):
        raise NotDer("a length that DER does not know")
    return 2 + size, int.from_bytes(data[at + 2 : at + 2 + size], "big")
