"""The words on passes, in each language: labels by their keys, and the sentences that hold a card's figures.

A card's own texts (names of programs, rewards, stores and people) are the merchant's and customer's: never translated.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from babel.dates import format_date
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core import money
from wallets.rules.description import LANGUAGES, CardDescription, NextReward, Standing

# The keys of pass.strings and of Google's localised texts. Google shows 9 letters of stamps and points, 15 of
# card_number, 35 of the others. "%%@" stands where Apple puts the new value.
LABELS = {
    "stamps": _("Stamps"),
    "points": _("Points"),
    "next_reward": _("Next reward"),
    "ready": _("Ready for you"),
    "holder": _("Name"),
    "card_number": _("Card number"),
    "points_expire": _("Points valid until"),
    "ends": _("Valid until"),
    "standing": _("This card"),
    "places": _("Valid at"),
    "terms": _("Terms"),
    "card_page": _("Your card on the web"),
    "website": _("Website"),
    "privacy": _("Your data"),
    "show": _("Show this at the till"),
    "nearby": _("Your card is ready"),
    "description": _("Loyalty card"),
}
# Apple's changeMessage, on these two fields only.
CHANGES = {
    "stamps_changed": _("Stamps on your card: %(value)s"),
    "points_changed": _("Points on your card: %(value)s"),
}
VALUE = "%@"


@lru_cache(maxsize=16)
def texts(language: str) -> Mapping[str, str]:
    """Return every label and change message of a language by its key; English for one that we do not speak."""
    with translation.override(spoken(language)):
        labels = {key: str(text) for key, text in LABELS.items()}
        changes = {key: str(text) % {"value": VALUE} for key, text in CHANGES.items()}
    return MappingProxyType({**labels, **changes})


def spoken(language: str, fallback: str = "en") -> str:
    """Return the language if we speak it, without its region, else the fallback."""
    base = language.partition("-")[0].lower()
    return base if base in LANGUAGES else fallback


def next_reward(goal: NextReward | None, language: str) -> str:
    """Say what is missing for the next reward: "3 more to your Free coffee"; "" when there is none."""
    if goal is None:
        return ""
    with translation.override(spoken(language)):
        facts = {"count": goal.missing, "reward": goal.name}
        if goal.unit == "points":
            return ngettext("%(count)s point to %(reward)s", "%(count)s points to %(reward)s", goal.missing) % facts
        return ngettext("%(count)s more to your %(reward)s", "%(count)s more to your %(reward)s", goal.missing) % facts


def ready(names: tuple[str, ...], language: str) -> str:
    """Name the rewards that can be had now, alike ones counted: "2 × Free coffee, Croissant"; "" for none."""
    with translation.override(spoken(language)):
        counted = {name: names.count(name) for name in names}
        return ", ".join(
            name if count == 1 else gettext("%(count)s × %(reward)s") % {"count": count, "reward": name}
            for name, count in counted.items()
        )


def standing(card: CardDescription, language: str) -> str:
    """Say why a card cannot be used, in neutral words; "" when it can."""
    with translation.override(spoken(language)):
        if card.standing == Standing.SUSPENDED:
            return gettext("This card is resting. Ask at the till.")
        return gettext("This card is not in use any more.") if card.standing == Standing.OVER else ""


def day(value: date | None, language: str) -> str:
    """Write a day the way readers of the language do; "" for none."""
    return "" if value is None else format_date(value, "long", locale=money.babel_locale(spoken(language)))


def terms(card_terms: Mapping[str, str], language: str, merchant_language: str = "en") -> str:
    """Return the merchant's terms in the language, else in the merchant's, else in any; "" when there are none."""
    for wanted in (spoken(language), merchant_language, *LANGUAGES):
        if card_terms.get(wanted):
            return card_terms[wanted]
    return ""


def description(program: str, merchant: str, language: str) -> str:
    """Say what the pass is, for screen readers: "Loyalty card: CoffeeLux"."""
    with translation.override(spoken(language)):
        named = program if program == merchant else f"{program}, {merchant}"
        return capfirst(gettext("Loyalty card: %(name)s") % {"name": named})
