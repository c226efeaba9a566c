"""What is worth a look, in words: each sign with the page where something can be done about it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.templatetags.ui import when
from dashboard.queries.cards import READY, grouped
from dashboard.queries.worth import Sign


@dataclass(frozen=True, slots=True)
class Hint:
    """A line: what is so, a word about it, where it leads."""

    title: str
    text: str
    url: str
    icon: str
    tone: str = ""


def shown(sign: Sign, code: str) -> Hint:
    """Return a sign as a line of the home page of the store with this code."""
    return WORDS[sign.kind](sign, code)


def _locked(sign: Sign, code: str) -> Hint:
    title = _("%(name)s is locked out") % {"name": sign.name}
    text = _("Too many wrong PINs. It ends %(time)s, or you unlock it.") % {"time": when(sign.at)}
    return Hint(title, text, reverse("dashboard:staff_member", args=[code, sign.key]), "lock", "warn")


def _undid(sign: Sign, code: str) -> Hint:
    words = ngettext("%(name)s undid %(count)s time this week", "%(name)s undid %(count)s times this week", sign.count)
    title = words % {"name": sign.name, "count": grouped(sign.count)}
    text = _("The others: %(count)s on average.") % {"count": grouped(sign.usual)} if sign.usual else ""
    return Hint(title, text, reverse("dashboard:staff_member", args=[code, sign.key]), "undo", "warn")


def _thin(sign: Sign, code: str) -> Hint:
    words = ngettext("%(count)s visit in the last 7 days", "%(count)s visits in the last 7 days", sign.count)
    text = _("Usually it is %(count)s.") % {"count": grouped(sign.usual)}
    return Hint(words % {"count": grouped(sign.count)}, text, reverse("dashboard:stats", args=[code]), "down", "warn")


def _silent(sign: Sign, code: str) -> Hint:
    title = _("%(name)s is silent") % {"name": sign.name}
    text = _("Last seen %(time)s. Sign it out if it is gone.") % {"time": when(sign.at)}
    return Hint(title, text, reverse("dashboard:terminals", args=[code]), "device")


def _no_new_cards(sign: Sign, _code: str) -> Hint:
    title = _("No new card at %(store)s for four weeks") % {"store": sign.name}
    return Hint(title, _("Print a poster for the counter."), reverse("dashboard:posters", args=[sign.key]), "poster")


def _ready(sign: Sign, code: str) -> Hint:
    words = ngettext("%(count)s reward waits to be collected", "%(count)s rewards wait to be collected", sign.count)
    text = _("A word at the till brings people back.")
    url = f"{reverse('dashboard:cards', args=[code])}?{urlencode({'status': READY})}"
    return Hint(words % {"count": grouped(sign.count)}, text, url, "gift", "gold")


WORDS = {
    "pin_locked": _locked, "undid": _undid, "thin_week": _thin, "silent_till": _silent, "no_new_cards": _no_new_cards,
    "rewards_ready": _ready,
}  # fmt: skip
