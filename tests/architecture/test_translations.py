"""The catalogues: whole, consistent, and in each language's own manner; what callers and customers read is in them."""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import polib
import pytest
from django.utils import translation
from django.utils.translation import gettext, ngettext

from core import framework_words
from core.errors import DomainError
from dashboard.views import terminal_words
from tests.architecture.source import APPS, ROOT, modules

PLURALS = {
    "en": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "de": "nplurals=2; plural=(n != 1);",
    "lb": "nplurals=2; plural=(n != 1);",
}
TRANSLATED = ("fr", "de", "lb")
FORMS = {0, 1}
PLACEHOLDER = re.compile(r"(?<!%)%(?:\(\w+\))?[sd]|\{\w+\}")
TAG = re.compile(r"<[^>]*>")
# What the till may say as in English: numbers and names, "Online", and points, which are points in French.
SAME_AT_THE_TILL = re.compile(r"(?:%\(\w+\)s|Online|points?|\W)+")
TOO_SHORT = (
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
# What UI.md and everybody's memory of the product rest on.
KEY_WORDS = {
    "Get my card": ("Obtenir ma carte", "Meine Karte holen", "Meng Kaart kréien"),
    "Show this at the till": ("Présentez ceci à la caisse", "Zeig das an der Kasse", "Weist dat hei un der Keess"),
    "Undo": ("Annuler", "Rückgängig machen", "Réckgängeg maachen"),
    "Next stamp possible at %(time)s": (
        "Prochain tampon possible à %(time)s",
        "Nächster Stempel ab %(time)s möglich",
        "Nächste Stempel ab %(time)s méiglech",
    ),
    "If we know this address, a link is on its way": (
        "Si nous connaissons cette adresse, un lien est en route",
        "Wenn wir diese Adresse kennen, ist ein Link unterwegs",
        "Wa mir dës Adress kennen, ass e Link ënnerwee",
    ),
    "Sign in": ("Se connecter", "Anmelden", "Aloggen"),
    "Settings": ("Réglages", "Einstellungen", "Astellungen"),
    "Privacy": ("Confidentialité", "Datenschutz", "Dateschutz"),
}
# Luxembourgish drops the n of these before consonants other than d, h, n, t and z.
KEPT_N = re.compile(
    r"(?<![\w’])(?:en|een|den|keen|vun|wann|dann|hunn|sinn|kann|ginn|schonn|wien|hien)\s[bcfgjklmpqrsvwxy]",
    re.IGNORECASE,
)


@lru_cache
def catalogue(language: str) -> polib.POFile:
    path = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    return polib.pofile(str(path), check_for_duplicates=True)


def texts(entry: polib.POEntry) -> list[str]:
    """Return what an entry is translated to, each plural form for itself."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def misfit(entry: polib.POEntry) -> bool:
    """Tell whether a translation lacks a placeholder or has one of its own; a singular may leave the number out."""
    singular, plural = _placeholders(entry.msgid), _placeholders(entry.msgid_plural or entry.msgid)
    *ones, others = [_placeholders(text) for text in texts(entry) if text] or [plural]
    return others != plural or any(one not in (singular, plural) for one in ones)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("language", PLURALS)
def test_catalogues_are_whole(language: str) -> None:
    found = catalogue(language)

    assert len(found) > 1000
    assert found.metadata["Language"] == language
    assert found.metadata["Plural-Forms"] == PLURALS[language]
    assert [entry.msgid for entry in found if entry.fuzzy or entry.obsolete] == []
    assert [entry.msgid for entry in found if entry.msgid_plural and set(entry.msgstr_plural) != FORMS] == []
    assert {entry.msgid for entry in found} == {entry.msgid for entry in catalogue("en")}


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_in_english(language: str) -> None:
    assert [entry.msgid for entry in catalogue(language) if not all(texts(entry))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_those_of_the_source(language: str) -> None:
    assert [entry.msgid for entry in catalogue(language) if misfit(entry)] == []


@pytest.mark.parametrize(
    "entry",
    [
        polib.POEntry(msgid="Undo until %(time)s", msgstr="Bis %(zeit)s"),
        polib.POEntry(msgid="At most {max_length}", msgstr="Höchstens"),
        polib.POEntry(msgid="One", msgid_plural="%(count)s", msgstr_plural={0: "Eins", 1: "Viele"}),
    ],
)
def test_finds_placeholders_that_got_lost(entry: polib.POEntry) -> None:
    assert misfit(entry)


@pytest.mark.parametrize(
    ("language", "forbidden"),
    [
        ("fr", r" [:;?!»]|« "),
        ("fr", r"\w'\w"),
        ("de", r"«|»|“\w"),
        ("lb", r"«|»|“\w|\w'\w"),
        ("lb", KEPT_N.pattern),
    ],
)
def test_each_language_keeps_its_own_spelling(language: str, forbidden: str) -> None:
    rule = re.compile(forbidden, re.IGNORECASE)
    found = [text for entry in catalogue(language) for text in texts(entry) if rule.search(TAG.sub("", text))]

    # A ratio, "4.5 : 1", is no sentence.
    assert [text for text in found if "%(ratio)s : 1" not in text] == []


def test_finds_an_n_that_falls() -> None:
    assert KEPT_N.search("hu schonn gestempelt")
    assert not KEPT_N.search("scho gestempelt, an den Haaptecran")


@pytest.mark.parametrize("word", KEY_WORDS)
def test_key_words_stay_as_agreed(word: str) -> None:
    assert tuple(_in(language, word) for language in TRANSLATED) == KEY_WORDS[word]


def refusals() -> Iterator[type[DomainError]]:
    """Yield every refusal that the product knows."""
    for module in modules():
        if "Error" in module.text and module.app != "loyalty_platform":
            importlib.import_module(module.name)
    yield from _below(DomainError)


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    if kind.__module__.split(".")[0] in APPS:
        yield kind
    for child in kind.__subclasses__():
        yield from _below(child)


def test_every_refusal_speaks_every_language() -> None:
    found = set(refusals())
    silent = [(kind.__qualname__, language) for kind in found for language in TRANSLATED if _is_english(kind, language)]

    assert len(found) > 40
    assert silent == []


def _is_english(kind: type[DomainError], language: str) -> bool:
    with translation.override("en"):
        english = str(kind.message)
    with translation.override(language):
        return str(kind.message) == english


@pytest.mark.parametrize("language", TRANSLATED)
def test_frameworks_speak_every_language(language: str) -> None:
    with translation.override(language):
        english = [text for text in framework_words.SENTENCES if gettext(text) == text]
        too_short = ngettext(*TOO_SHORT, 10)

    assert len(framework_words.SENTENCES) > 80
    assert english == []
    assert too_short != TOO_SHORT[1]


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_till_speaks_every_language(language: str) -> None:
    english, spoken = _at_the_till("en"), _at_the_till(language)
    same = [text for name, text in english.items() if spoken[name] == text and not SAME_AT_THE_TILL.fullmatch(text)]
    lost = [name for name in english if _placeholders(spoken[name]) != _placeholders(english[name])]

    assert len(english) > 100
    assert spoken.keys() == english.keys()
    assert (same, lost) == ([], [])


def _at_the_till(language: str) -> dict[str, str]:
    with translation.override(language):
        return dict(_flat(terminal_words.words()))


def _flat(words: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, text in words.items():
        if isinstance(text, str):
            yield name, text
        else:
            yield from ((f"{name}.{form}", one) for form, one in text.items())


def _in(language: str, text: str) -> str:
    with translation.override(language):
        return gettext(text)
