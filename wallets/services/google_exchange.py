"""One thing told to Google: which requests it takes, in their turn of the pace. No database: many run at once."""

import time
from dataclasses import dataclass, field
from typing import Any

from wallets.providers.base import Answer, Verdict
from wallets.providers.google import pace
from wallets.providers.google.client import CLASS, READ_SECONDS, Client, Reply
from wallets.providers.google.differences import class_difference, object_difference

# With a request's own timeouts this stays below the time after which another worker takes over (queue.STALE).
PATIENCE_SECONDS = 22.0
LEAST_SECONDS = 1.0
NOTIFY = {"notifyPreference": "NOTIFY_ON_UPDATE"}
# After these answers Google surely has not shown a notification.
SURELY_NOT_DONE = frozenset({400, 403, 404, 409, 429, 503})


@dataclass(frozen=True, slots=True)
class Task:
    """What a thing at Google is to become. base: what Google last accepted; known: whether it should be there.

    notify: whether the holder is told; vital: whether it is made when it is not there (a card that is over is not).
    ends: when its time is over, by the monotonic clock.
    """

    kind: str
    name: str
    wanted: dict[str, Any]
    base: dict[str, Any]
    known: bool
    priority: int
    notify: bool = False
    vital: bool = True
    ends: float = field(default_factory=lambda: time.monotonic() + PATIENCE_SECONDS)

    def changes(self, base: dict[str, Any]) -> dict[str, Any]:
        """Return the PATCH that makes of `base` what is wanted."""
        return (class_difference if self.kind == CLASS else object_difference)(base, self.wanted)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task. answer None: its turn did not come in time.

    there: whether the thing is at Google now; class_missing: the object's class is not; notified: whether the holder
    may have been told; asked: whether Google was asked at all.
    """

    answer: Answer | None
    there: bool = False
    class_missing: bool = False
    notified: bool = False
    asked: bool = True


def deliver(client: Client, task: Task) -> Outcome:
    """Make a thing at Google what it is to be: insert it or send the difference, whichever it takes."""
    if not task.known and task.vital:
        reply = _insert(client, task)
        if reply is None or not reply.exists:
            return _outcome(task, reply, inserted=True)
        return _outcome(task, _patch(client, task, task.changes({})))
    changes = task.changes(task.base)
    if not changes:
        return Outcome(Answer(Verdict.ACCEPTED), there=True, asked=False)
    reply, notified = _patch(client, task, {**changes, **NOTIFY} if task.notify else changes), task.notify
    if reply is not None and reply.notified_too_often:
        reply, notified = _patch(client, task, changes), False
    if reply is None or not reply.missing:
        return _outcome(task, reply, notified=notified)
    if not task.vital:
        return Outcome(Answer(Verdict.ACCEPTED, status=404))
    return _outcome(task, _insert(client, task), inserted=True)


def _patch(client: Client, task: Task, changes: dict[str, Any]) -> Reply | None:
    return client.patch(task.kind, task.name, changes, seconds=_seconds(task)) if _turn(task) else None


def _insert(client: Client, task: Task) -> Reply | None:
    return client.insert(task.kind, task.wanted, seconds=_seconds(task)) if _turn(task) else None


def _turn(task: Task) -> bool:
    """Wait for a turn; False when the task has had its time: by then somebody else may work on the same row."""
    left = task.ends - time.monotonic()
    return left > 0 and pace.take(task.priority, seconds=left)


def _seconds(task: Task) -> float:
    """How long an answer is waited for: a little, even at the end of the time."""
    return min(max(task.ends - time.monotonic(), LEAST_SECONDS), READ_SECONDS)


def _outcome(task: Task, reply: Reply | None, *, inserted: bool = False, notified: bool = False) -> Outcome:
    if reply is None:
        return Outcome(None)
    answer = reply.answer
    if inserted and reply.exists:
        # It was not there and is there: somebody else is making it.
        answer = Answer(Verdict.RETRY, answer.reason, answer.status)
    class_missing = inserted and reply.missing and task.kind != CLASS
    if class_missing:
        answer = Answer(Verdict.RETRY, answer.reason, answer.status)
    told = notified and (reply.accepted or answer.status not in SURELY_NOT_DONE)
    return Outcome(answer, there=reply.accepted, class_missing=class_missing, notified=told)
