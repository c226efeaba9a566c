"""How the admin writes what it knows of passes: short sentences, times, and JSON without what names a person."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.templatetags import ui
from wallets.queries.overviews import AppleState, GoogleState, Waiting

MOST_TEXT, MOST_JSON = 120, 20_000
SEPARATOR = " · "
# What an object tells of its holder, and what a till would take for the card itself.
PERSONAL = frozenset({"accountName", "accountId", "barcode", "rotatingBarcode", "smartTapRedemptionValue"})


def moment(at: datetime | None) -> str:
    """Return a time as people say it, such as "today, 12:04"; a dash for none."""
    return ui.when(at) or "–"


def short(text: str) -> str:
    """Return the beginning of a text for a list, a dash for none."""
    line = " ".join(text.split())
    return (line if len(line) <= MOST_TEXT else f"{line[: MOST_TEXT - 1]}…") or "–"


def block(text: str) -> SafeString | str:
    """Return a text as it came, line by line, escaped and bounded; a dash for none."""
    return format_html("<pre>{}</pre>", text[:MOST_JSON]) if text else "–"


def document(accepted: Mapping[str, Any], *, whole: bool = False) -> SafeString | str:
    """Return JSON to read; without `whole` the values that name or stand for a person are covered."""
    if not accepted:
        return "–"
    shown = dict(accepted) if whole else {key: _covered(key, value) for key, value in accepted.items()}
    return block(json.dumps(shown, ensure_ascii=False, indent=2, sort_keys=True, default=str))


def apple(state: AppleState | None) -> str:
    """Tell where a card is in Apple Wallet and what has not arrived."""
    if state is None:
        return _("No pass yet")
    if not state.devices:
        parts = [_("On no device that can be reached")]
    else:
        devices = ngettext("On %(count)d device", "On %(count)d devices", state.devices) % {"count": state.devices}
        fetched = _("last fetched %(time)s") % {"time": moment(state.fetched_at)}
        parts = [f"{devices}, {fetched if state.fetched_at else _('never fetched')}"]
    if state.behind_since and state.devices:
        parts.append(_("newer than on the devices since %(time)s") % {"time": moment(state.behind_since)})
    return SEPARATOR.join([*parts, *_queue(state.waiting)])


def google(state: GoogleState | None) -> str:
    """Tell where a card is in Google Wallet and what Google has not accepted."""
    if state is None:
        return _("No pass yet")
    if state.saved:
        parts = [_("In the wallet since %(time)s") % {"time": moment(state.saved_at)}]
    else:
        parts = [_("Not in a wallet, as far as Google has told")]
    if state.accepted_at:
        parts.append(_("last accepted %(time)s") % {"time": moment(state.accepted_at)})
    return SEPARATOR.join([*parts, *_queue(state.waiting)])


def _queue(waiting: Waiting | None) -> list[str]:
    if waiting is None or not (waiting.is_open or waiting.has_failed):
        return []
    since = {"time": moment(waiting.since)}
    said = _("given up, asked for %(time)s") if waiting.has_failed else _("waiting since %(time)s")
    parts = [said % since]
    if waiting.is_open and waiting.attempts:
        parts.append(_("next try %(time)s") % {"time": moment(waiting.due_at)})
    if waiting.reason:
        parts.append(_("reason: %(reason)s") % {"reason": waiting.reason})
    return parts


def _covered(key: str, value: Any) -> Any:
    return "•••" if key in PERSONAL and value else value
