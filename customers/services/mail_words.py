"""The words of each mail, in the language that is active: subject, greeting, sentence, button, small print."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.enums import MailKind


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says. lead: the sentence above the button; notes: what stands under it; is_reward: gold."""

    subject: str
    greeting: str
    lead: str
    button: str
    notes: tuple[str, ...] = ()
    is_reward: bool = False


def of(kind: str, facts: Mapping[str, Any], *, merchant: str, name: str, pages: str) -> Words:
    """Return the words of a kind of mail. name: empty where nobody is to be greeted by name."""
    greeting = _("Hello %(name)s,") % {"name": name} if name else _("Hello,")
    writers = {
        MailKind.CONFIRM: _confirm, MailKind.KNOWN: _known, MailKind.RECOVER: _recover, MailKind.CARD: _card,
        MailKind.REWARD_READY: _reward_ready, MailKind.ONE_STAMP_AWAY: _one_stamp_away,
        MailKind.POINTS_EXPIRING: _points_expiring,
    }  # fmt: skip
    return writers[MailKind(kind)](facts, {"merchant": merchant, "enroll": f"{pages}/recover"}, greeting)


def _confirm(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    lead = _(
        "your card at %(merchant)s is ready. Confirm your address, and the card can be brought back if you lose your "
        "phone:"
    )
    if facts.get("why") == "profile":
        lead = _(
            "you gave this address for your card at %(merchant)s. Confirm it, and the card can be brought back if you "
            "lose your phone:"
        )
    return Words(
        subject=_("Your %(merchant)s card: confirm your address") % names,
        greeting=greeting,
        lead=lead % names,
        button=_("Confirm my address"),
        notes=(
            _("The link works once, for three days."),
            _("It was not you? Then do nothing: without the link we do not write again."),
        ),
    )


def _known(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    return Words(
        subject=_("You already have a card at %(merchant)s") % names,
        greeting=greeting,
        lead=_(
            "somebody asked for a card at %(merchant)s with your address or number. You already have one; this opens "
            "it, with everything on it:"
        )
        % names,
        button=_("Open my card"),
        notes=(
            _("The link works once, for three days."),
            _("It was not you? Then do nothing: nobody sees your card."),
        ),
    )


def _recover(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    return Words(
        subject=_("Your card at %(merchant)s") % names,
        greeting=greeting,
        lead=_("this opens your card at %(merchant)s on the phone in your hand:") % names,
        button=_("Open my card"),
        notes=(
            _("The link works once, for 30 minutes."),
            _("It is too late? Ask for a new one: %(enroll)s") % names,
            _("It was not you? Then do nothing: nobody sees your card."),
        ),
    )


def _card(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    return Words(
        subject=_("Your card at %(merchant)s") % names,
        greeting=greeting,
        lead=_("here is your card at %(merchant)s, as you asked. This opens it on any phone or computer of yours:")
        % names,
        button=_("Open my card"),
        notes=(
            _("The link works once, for three days."),
            _("It is too late? Ask for a new one: %(enroll)s") % names,
            _("Pass it on to nobody: who opens it holds your card."),
        ),
    )


def _reward_ready(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    said = {**names, "reward": facts["reward_name"]}
    return Words(
        subject=_("%(reward)s is waiting at %(merchant)s") % said,
        greeting=greeting,
        lead=_("your card is full. %(reward)s is waiting for you at %(merchant)s: just ask at the till.") % said,
        button=_("See my card"),
        is_reward=True,
    )


def _one_stamp_away(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    said = {**names, "reward": facts["reward_name"]}
    return Words(
        subject=_("1 more stamp at %(merchant)s: %(reward)s") % said,
        greeting=greeting,
        lead=_("1 more stamp at %(merchant)s, and this is yours: %(reward)s.") % said,
        button=_("See my card"),
        is_reward=True,
    )


def _points_expiring(facts: Mapping[str, Any], names: dict[str, str], greeting: str) -> Words:
    points = int(facts["points"])
    day = date_format(date.fromisoformat(facts["expires_on"]), "DATE_FORMAT")
    said = {**names, "points": points, "day": day}
    return Words(
        subject=ngettext(
            "%(points)s point at %(merchant)s is valid until %(day)s",
            "%(points)s points at %(merchant)s are valid until %(day)s",
            points,
        )
        % said,
        greeting=greeting,
        lead=ngettext(
            "%(points)s point on your card at %(merchant)s is valid until %(day)s. Any visit with a stamp, a purchase "
            "or a reward keeps it.",
            "%(points)s points on your card at %(merchant)s are valid until %(day)s. Any visit with a stamp, a "
            "purchase or a reward keeps them.",
            points,
        )
        % said,
        button=_("See my card"),
    )
