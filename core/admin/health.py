"""The panel on the first page: what an operator looks at first. Each app adds its lines when its admin loads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from core.audit import LEDGER_VERIFIED
from core.models import AuditEntry, OutboxEvent, OutboxState

COUNTED_AT_MOST = 1_000
LATE_VERIFICATION = timedelta(hours=26)
OLD_EVENT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the panel. tone: "ok", "warn" or "bad"; url: where the rows behind it are."""

    label: str
    value: str
    tone: str = "ok"
    url: str = ""


Lines = Callable[[datetime], Iterable[Line]]
_providers: list[Lines] = []
# What is wrong stands first.
_TONES = ("bad", "warn", "ok")


def lines(provider: Lines) -> Lines:
    """Register a function that returns lines for the panel."""
    _providers.append(provider)
    return provider


def panel(at: datetime) -> list[Line]:
    """Return the whole panel, the worst first; every line is one bounded query."""
    return sorted((line for provider in _providers for line in provider(at)), key=lambda line: _TONES.index(line.tone))


def bounded(rows: QuerySet[Any]) -> int:
    """Count rows up to a bound."""
    return int(rows.order_by()[:COUNTED_AT_MOST].count())


def shown(count: int) -> str:
    """Return a bounded count as people read it."""
    return f"{count}+" if count >= COUNTED_AT_MOST else str(count)


def to_list(name: str, **parameters: str) -> str:
    """Return the address of a list of the admin with filters."""
    query = "&".join(f"{key}={value}" for key, value in parameters.items())
    return f"{reverse(f'admin:{name}_changelist')}?{query}"


@lines
def of_the_ground_floor(at: datetime) -> Iterable[Line]:
    """Tell of the nightly check of the ledger and of the outbox."""
    yield _verification(at)
    yield _queue(at)
    failed = bounded(OutboxEvent.objects.filter(state=OutboxState.FAILED))
    url = to_list("core_outboxevent", state__exact=OutboxState.FAILED)
    yield Line(_("Events that failed"), shown(failed), "bad" if failed else "ok", url)


def _verification(at: datetime) -> Line:
    last = AuditEntry.objects.filter(action=LEDGER_VERIFIED).order_by("-created_at").first()
    label, url = _("Ledger verified"), to_list("core_auditentry", action__exact=LEDGER_VERIFIED)
    if last is None:
        return Line(label, _("never"), "warn", url)
    when = _("%(time)s ago") % {"time": timesince(last.created_at, at)}
    found = int(last.facts.get("differences", 0))
    if found:
        return Line(label, _("%(when)s, differences: %(count)d") % {"when": when, "count": found}, "bad", url)
    return Line(label, when, "warn" if at - last.created_at > LATE_VERIFICATION else "ok", url)


def _queue(at: datetime) -> Line:
    queued = OutboxEvent.objects.filter(state=OutboxState.QUEUED).order_by()[:COUNTED_AT_MOST]
    found = queued.aggregate(waiting=Count("pk"), first=Min("created_at"))
    waiting, first = found["waiting"], found["first"]
    if not waiting:
        return Line(_("Events waiting"), "0")
    value = _("%(count)s, the oldest for %(time)s") % {"count": shown(waiting), "time": timesince(first, at)}
    url = to_list("core_outboxevent", state__exact=OutboxState.QUEUED)
    return Line(_("Events waiting"), value, "warn" if at - first > OLD_EVENT else "ok", url)
