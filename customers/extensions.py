"""What higher apps have to say when a person is erased. They register in their AppConfig.ready.

Everything runs inside the one transaction of the erasure: when its answer is given, nothing personal is left anywhere.
What may follow later (passes on phones) hears the topic `customers.erased` instead.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Eraser:
    """An app's part. Each is given ids of customer records, inside the merchant's scope.

    related: other records that the app knows to be of the same person. lock: take the app's locks, which come before
    those of customers, in the order of their keys; raises what the app raises when it is too busy. erase: scrub;
    returns ids by which stored answers may name the person.
    """

    related: Callable[[Collection[UUID]], set[UUID]]
    lock: Callable[[Collection[UUID]], None]
    erase: Callable[[Collection[UUID], datetime], list[UUID]]


_erasers: list[Eraser] = []


def on_erasure(eraser: Eraser) -> None:
    """Let an app take part in erasing people."""
    if eraser not in _erasers:
        _erasers.append(eraser)


def erasers() -> tuple[Eraser, ...]:
    """Return who takes part, in the order of registration."""
    return tuple(_erasers)
