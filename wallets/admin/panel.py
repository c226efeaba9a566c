"""Wallets on the panel of the admin's first page: do they work, how long, what waits, what failed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin import health
from wallets.enums import Provider, UpdateState
from wallets.models import GoogleClass, PassUpdate
from wallets.queries import standing
from wallets.queries.standing import Standing
from wallets.services.expiries import STEPS

OLD_UPDATE = timedelta(minutes=2)
SAMPLE = 1_000
SOON, VERY_SOON = timedelta(days=STEPS[0]), timedelta(days=14)
PROVIDERS = "wallets_providerstate"


@health.lines
def of_wallets(at: datetime) -> Iterable[health.Line]:
    """Tell how both wallets stand, and what their queue holds."""
    yield from (_standing(standing.of(provider), at) for provider in Provider)
    yield _waiting(at)
    failed = health.bounded(PassUpdate.objects.filter(state=UpdateState.FAILED))
    url = health.to_list("wallets_passupdate", state__exact=UpdateState.FAILED)
    yield health.Line(_("Pass updates that failed"), health.shown(failed), "bad" if failed else "ok", url)
    broken = health.bounded(GoogleClass.objects.filter(state=UpdateState.FAILED))
    if broken:
        url = health.to_list("wallets_googleclass", state__exact=UpdateState.FAILED)
        yield health.Line(_("Programs that Google refused"), health.shown(broken), "bad", url)


def _standing(found: Standing, at: datetime) -> health.Line:
    label, url = found.provider.label, health.to_list(PROVIDERS, provider__exact=found.provider)
    if not found.set_up:
        return health.Line(label, _("not set up"), "ok", url)
    if found.problems:
        # The operator's own words: the exact fault stays as wallet_doctor prints it.
        return health.Line(label, found.problems[0].detail, "bad", url)
    if found.blocked_at:
        since = {"time": timesince(found.blocked_at, at)}
        return health.Line(label, _("refused by the provider for %(time)s") % since, "bad", url)
    if found.ends_at is None:
        return health.Line(label, _("set up"), "ok", url)
    left = found.ends_at - at
    words = ngettext("certificate ends in %(days)d day", "certificate ends in %(days)d days", max(left.days, 0))
    tone = "bad" if left <= VERY_SOON else "warn" if left <= SOON else "ok"
    return health.Line(label, words % {"days": max(left.days, 0)}, tone, url)


def _waiting(at: datetime) -> health.Line:
    # What is due first was nearly always asked for first; what is tried again is among so many all the same.
    waiting = health.bounded(PassUpdate.objects.filter(state=UpdateState.QUEUED))
    label, url = _("Pass updates waiting"), health.to_list("wallets_passupdate", state__exact=UpdateState.QUEUED)
    if not waiting:
        return health.Line(label, "0", "ok", url)
    firsts = [_oldest(provider) for provider in Provider]
    oldest = min((found for found in firsts if found), default=None)
    value = _("%(count)s, the oldest for %(time)s") % {
        "count": health.shown(waiting), "time": timesince(oldest, at) if oldest else "–",
    }  # fmt: skip
    return health.Line(label, value, "warn" if oldest and at - oldest > OLD_UPDATE else "ok", url)


def _oldest(provider: Provider) -> datetime | None:
    queued = PassUpdate.objects.filter(provider=provider, state=UpdateState.QUEUED)
    found = queued.order_by("due_at").values("queued_at")[:SAMPLE].aggregate(found=Min("queued_at"))
    return found["found"]
