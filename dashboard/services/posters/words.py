"""What a poster says, in one language after the other."""

from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext, ngettext

LANGUAGES = ("en", "fr", "de", "lb")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's texts: the promise, and the two sentences beside the code."""

    language: str
    promise: str
    scan: str


def of(language: str, *, stamps: int | None, reward: str) -> Words:
    """Return the texts; stamps: how many make a full card, None where only points are counted."""
    with translation.override(language):
        return Words(language, _promise(stamps, reward), gettext("Scan. No app."))


def order(chosen: str, first: str) -> tuple[str, ...]:
    """Return the languages of a poster, the one in large first: the chosen one, or all with `first` leading."""
    if chosen != ALL:
        return (chosen,)
    return (first, *(language for language in LANGUAGES if language != first))


def _promise(stamps: int | None, reward: str) -> str:
    if stamps is None:
        return gettext("Collect points with every purchase.")
    if not reward:
        return ngettext("Collect %(counter)s stamp.", "Collect %(counter)s stamps.", stamps) % {"counter": stamps}
    text = ngettext("%(counter)s stamp, %(reward)s.", "%(counter)s stamps, %(reward)s.", stamps)
    return text % {"counter": stamps, "reward": reward}
