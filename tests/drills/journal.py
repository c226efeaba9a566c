"""Tills that stamp without a pause and write down what they were told, to be held against the ledger afterwards.

A till never gives up on a key: whatever happens to a request (a cut line, 503, 409), it sends the same one again until
it is answered. So every key is acknowledged in the end, and must stand in the ledger exactly once.
"""

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from tests.drills.stack import Shop, Stack

ANSWER_SECONDS = 20.0
RETRY_PAUSE = 0.05
# How long the last requests may be repeated once the load has ended.
END_SECONDS = 60.0
# By then the tills close, whatever became of the drill.
LONGEST_SECONDS = 400.0


@dataclass(frozen=True, slots=True)
class Event:
    """One answer: when it was asked for and came (monotonic seconds), its status (0: the line was cut)."""

    asked_at: float
    at: float
    status: int
    code: str = ""
    retry_after: str = ""
    what: str = "stamp"


@dataclass(slots=True)
class Entry:
    """One stamp that a till wanted: its key, its card, and the ids of the ledger rows it was told, if any."""

    key: str
    card_id: str
    told: list[str] = field(default_factory=list)


class Line:
    """A kept-alive connection that is opened anew whenever it breaks."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        at = urlsplit(url)
        self.host, self.port, self.headers = at.hostname or "", at.port, headers
        self.wire: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> tuple[Event, Any]:
        """Send a request once and return what came of it."""
        asked_at = time.monotonic()
        sent = {**self.headers, "Content-Type": "application/json"}
        if key:
            sent["Idempotency-Key"] = key
        try:
            if self.wire is None:
                self.wire = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS)
            self.wire.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = self.wire.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Event(asked_at, time.monotonic(), 0, type(error).__name__), {}
        facts = _read(text)
        code = facts.get("code", "") if isinstance(facts, dict) else ""
        wait = answer.headers.get("Retry-After", "")
        return Event(asked_at, time.monotonic(), answer.status, str(code), wait), facts

    def close(self) -> None:
        """Close the connection."""
        if self.wire is not None:
            self.wire.close()
        self.wire = None


@dataclass
class Journal:
    """Tills at work on the cards of a shop, for as long as it is open as a context."""

    shop: Shop
    tills: int = 8
    pause: float = 0.0
    entries: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.deadline = time.monotonic() + LONGEST_SECONDS
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.tills)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.deadline = time.monotonic() + END_SECONDS
        self.closing.set()
        for thread in self.threads:
            thread.join(max(0.1, self.deadline + ANSWER_SECONDS - time.monotonic()))

    def statuses(self) -> Counter[str]:
        """Return how many answers of each kind came."""
        with self.lock:
            return Counter("cut" if event.status == 0 else str(event.status) for event in self.events)

    @property
    def acknowledged(self) -> int:
        """How many stamps the tills were told of."""
        with self.lock:
            return sum(bool(entry.told) for entry in self.entries)

    def _work(self) -> None:
        line = Line(self.shop.url, {"Authorization": f"Bearer {self.shop.api_key}"})
        while not self.closing.is_set() and time.monotonic() < self.deadline:
            entry = Entry(f"journal-{uuid.uuid4()}", random.choice(self.shop.cards))
            with self.lock:
                self.entries.append(entry)
            self._stamp(line, entry)
            if self.pause:
                time.sleep(self.pause)
        line.close()

    def _stamp(self, line: Line, entry: Entry) -> None:
        while time.monotonic() < self.deadline:
            event, facts = line.send(
                "POST", "/api/v1/store/loyalty/stamp", {"card_id": entry.card_id}, key=entry.key
            )  # fmt: skip
            with self.lock:
                self.events.append(event)
            if event.status == 201:
                entry.told.append(str(facts["transaction_id"]))
                return
            time.sleep(RETRY_PAUSE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the journal and the ledger say of each other, in stamps."""

    acknowledged: int
    unanswered: int
    lost: int
    doubled: int
    strange: int

    @property
    def ok(self) -> bool:
        """Whether nothing is missing, nothing is there twice and nothing came from nowhere."""
        return not (self.unanswered or self.lost or self.doubled or self.strange)

    def __str__(self) -> str:
        text = f"{self.acknowledged} acknowledged: {self.lost} lost, {self.doubled} doubled"
        rest = {"never answered": self.unanswered, "of another answer": self.strange}
        return ", ".join([text, *(f"{count} {what}" for what, count in rest.items() if count)])


def compare(stack: Stack, journal: Journal) -> Comparison:
    """Hold the journal against the ledger of its shop, read behind the product's back."""
    rows = stack.rows(
        "SELECT idempotency_key, id::text, stamps_delta FROM loyalty_transaction "
        "WHERE merchant_id = %s AND type = 'stamp_earned'",
        journal.shop.merchant_id,
    )
    return hold(journal.entries, rows)


def hold(entries: list[Entry], rows: list[tuple[Any, ...]]) -> Comparison:
    """Hold what the tills wrote down against what was given: key, row's id and number of stamps."""
    stamps: Counter[str] = Counter()
    ids: dict[str, set[str]] = {}
    for key, row_id, delta in rows:
        stamps[key] += delta
        ids.setdefault(key, set()).add(row_id)
    wanted = {entry.key for entry in entries}
    told = [entry for entry in entries if entry.told]
    foreign = sum(entry.key in ids and not set(entry.told) <= ids[entry.key] for entry in told)
    return Comparison(
        acknowledged=len(told),
        unanswered=len(wanted) - len(told),
        lost=sum(entry.key not in stamps for entry in told),
        doubled=sum(count - 1 for count in stamps.values() if count > 1),
        strange=foreign + len(set(stamps) - wanted),
    )


def _read(text: bytes) -> Any:
    try:
        return json.loads(text or b"{}")
    except ValueError:
        return {}
