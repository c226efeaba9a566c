"""Counts that take long, kept: who asks gets the last one at once, and the worker counts anew what changed meanwhile.

Distinct customers of any period cannot be added up from days, so at a merchant with some hundred thousand cards their
count takes longer than a page may. What is quick to count is never served old. What is slow is counted anew by the
worker that keeps the rollups, for a day after somebody asked, at most a tenth of the time; without one the page counts.
Whose turn was longest ago comes first, and a count that fails keeps its last answer and nobody else's from being made.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from dashboard.queries.versions import Versions

logger = logging.getLogger(__name__)

# So many rows behind a count are counted while a page waits.
QUICK = 2_000
# After a count that took a second the next one begins ten seconds later at the earliest.
PACE = 10
LONGEST_SECONDS = 60
ASKED_SECONDS = 24 * 3600
# Who asks again so soon is not noted again.
NOTED_SECONDS = 300
MOST_QUESTIONS = 40
ASKERS, TURNS = "kept-askers", "kept-turns"


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted: by which counter, of which merchant (None: the platform), with which arguments."""

    name: str
    merchant_id: UUID | None
    arguments: tuple[Any, ...] = ()

    @property
    def key(self) -> str:
        """The answer's place in the cache."""
        return f"kept:{self.name}:{self.merchant_id}:{':'.join(map(str, self.arguments))}"


@dataclass(frozen=True, slots=True)
class Counter:
    """How a question is counted, inside its scope.

    size: about how many things an answer counted; later: the arguments that mean the same some days later, given when
    it was asked and the time now. last: the last day that is looked at, None: whatever there is.
    """

    count: Callable[..., Any]
    size: Callable[[Any], int]
    later: Callable[[tuple[Any, ...], float, float], tuple[Any, ...]] = lambda arguments, _asked, _now: arguments
    last: Callable[[tuple[Any, ...]], date | None] = lambda _arguments: None


@dataclass(frozen=True, slots=True)
class Kept:
    """A count. as_of: what was recorded before is in it; None: it is as recent as what the asker knows."""

    value: Any
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    version: int
    value: Any
    slow: bool
    took: float
    at: float
    until: datetime | None = None


# Filled by the modules whose counts are kept.
COUNTERS: dict[str, Counter] = {}


def answer(question: Question, versions: Versions, *, until: datetime | None = None, fresh_seconds: float = 0) -> Kept:
    """Return the count; of a slow one the last that was made, a minute or some of its own lengths old at most.

    versions: of what is counted; an answer of another version, that is older than fresh_seconds, is an old one.
    until: up to when these versions are complete; without it, up to now.
    """
    return answers([question], versions, until=until, fresh_seconds=fresh_seconds)[0]


def answers(
    questions: Sequence[Question], versions: Versions, *, until: datetime | None = None, fresh_seconds: float = 0
) -> list[Kept]:
    """Return several counts of one merchant, as `answer` returns each."""
    asked, now = _list(questions[0].merchant_id), time.time()
    known = cache.get_many([asked, *(question.key for question in questions)])
    found, made, slow = [], {}, []
    for question in questions:
        last, version = _read(known.get(question.key)), _version(question, versions)
        if last is not None and last.version != version and now - last.at < fresh_seconds:
            found.append(Kept(last.value, _as_of(last)))
            continue
        if last is None or (
            last.version != version and (not last.slow or now - last.at > LONGEST_SECONDS + 2 * PACE * last.took)
        ):
            last = made[question.key] = _count(question, version, until)
        if last.slow:
            slow.append(question)
        found.append(Kept(last.value, None if last.version == version else _as_of(last)))
    if made:
        cache.set_many({key: asdict(each) for key, each in made.items()}, ASKED_SECONDS)
    _remember(slow, known.get(asked) or {}, now)
    return found


def renew(
    merchant_id: UUID | None, versions: Versions, *, until: datetime | None = None, deadline: float | None = None
) -> int:
    """Count anew what was asked for within the last day and is old by now, inside its scope; returns how many.

    deadline: by time.monotonic(); what is not begun by then waits for the next time. The oldest counts come first.
    """
    done = 0
    for question, last in _wanted(merchant_id, time.time()):
        if deadline is not None and time.monotonic() >= deadline:
            break
        version = _version(question, versions)
        if last is not None and (last.version == version or time.time() - last.at < PACE * last.took):
            continue
        done += _renewed(question, version, until)
    return done


def _wanted(merchant_id: UUID | None, now: float) -> list[tuple[Question, _Answer | None]]:
    """Return what somebody asked for within a day with its last answer, the oldest first."""
    asked: dict[tuple[str, tuple[Any, ...]], float] = cache.get(_list(merchant_id)) or {}
    wanted: dict[Question, _Answer | None] = {}
    for (name, arguments), when in asked.items():
        if name not in COUNTERS or now - when >= ASKED_SECONDS:
            continue
        for each in (arguments, COUNTERS[name].later(arguments, when, now)):
            question = Question(name, merchant_id, each)
            wanted.setdefault(question, _read(cache.get(question.key)))
    return sorted(wanted.items(), key=lambda item: item[1].at if item[1] else 0)


def askers() -> list[UUID]:
    """Return the merchants of which something slow was asked within a day, whose turn was longest ago first."""
    turns = cache.get(TURNS) or {}
    return sorted(_askers(), key=lambda merchant_id: (turns.get(merchant_id, 0), merchant_id))


def take_turn(merchant_id: UUID) -> None:
    """Note that a merchant has its turn. Before it begins: who fails or takes too long is the last one next time."""
    turns = cache.get(TURNS) or {}
    here = {place: when for place, when in turns.items() if place in _askers()}
    cache.set(TURNS, {**here, merchant_id: time.time()}, ASKED_SECONDS)


def _askers() -> dict[UUID, float]:
    return dict(cache.get(ASKERS) or {})


def _renewed(question: Question, version: int, until: datetime | None) -> bool:
    try:
        with transaction.atomic():
            made = _count(question, version, until)
    except Exception:
        logger.exception("counting %s of merchant %s failed", question.name, question.merchant_id)
        return False
    cache.set(question.key, asdict(made), ASKED_SECONDS)
    return True


def _count(question: Question, version: int, until: datetime | None) -> _Answer:
    counter, at, began = COUNTERS[question.name], time.time(), time.perf_counter()
    value = counter.count(*question.arguments)
    return _Answer(version, value, counter.size(value) >= QUICK, time.perf_counter() - began, at, until)


def _version(question: Question, versions: Versions) -> int:
    return versions.until(COUNTERS[question.name].last(question.arguments))


def _as_of(found: _Answer) -> datetime:
    return found.until or datetime.fromtimestamp(found.at, UTC)


def _read(found: Any) -> _Answer | None:
    try:
        return _Answer(**found) if found is not None else None
    except TypeError:
        # Another release kept it in another form.
        return None


def _remember(questions: Sequence[Question], asked: dict[tuple[str, tuple[Any, ...]], float], now: float) -> None:
    """Note that somebody asked, beside what was asked within a day. Two at once may forget one of them until later."""
    new = {(each.name, each.arguments): now for each in questions}
    if all(now - asked.get(what, 0) < NOTED_SECONDS for what in new):
        return
    asked = {**{what: when for what, when in asked.items() if now - when < ASKED_SECONDS}, **new}
    newest = sorted(asked.items(), key=lambda item: -item[1])[:MOST_QUESTIONS]
    merchant_id = questions[0].merchant_id
    cache.set(_list(merchant_id), dict(newest), ASKED_SECONDS)
    if merchant_id is not None:
        where = {place: when for place, when in _askers().items() if now - when < ASKED_SECONDS}
        cache.set(ASKERS, {**where, merchant_id: now}, ASKED_SECONDS)


def _list(merchant_id: UUID | None) -> str:
    return f"kept-asked:{merchant_id}"
