"""Short labels stay short in every language: what stands in tab bars, in rows of sub pages and on buttons."""

import re
from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import gettext

from dashboard.views import frame
from tests.architecture.source import ROOT

LANGUAGES = ("en", "fr", "de", "lb")
# As many letters as have room: five tabs on 320 px, the side bar of 232 px, a button of two lines on a phone.
TAB, SIDE, SUB_PAGE, BUTTON = 12, 20, 16, 46
MARKED = re.compile(r"<(?:button|a)\b[^>]*\bclass=\"[^\"]*\bbtn\b[^>]*>(?P<inside>.*?)</(?:button|a)>", re.DOTALL)
TRANSLATED = re.compile(r"{% translate (?:\"([^\"]+)\"|'([^']+)')")
SUB_PAGES = (
    "Staff", "Terminals", "To look at", "Team", "API keys", "Program", "Looks", "Poster", "Wallets", "Export",
    "Support",
)  # fmt: skip


def buttons() -> Iterator[str]:
    """Yield what stands on the buttons of the templates."""
    for path in (ROOT / "templates").rglob("*.html"):
        for found in MARKED.finditer(path.read_text(encoding="utf-8")):
            yield from (one or other for one, other in TRANSLATED.findall(found["inside"]))


def too_long(texts: list[str], most: int, language: str) -> list[str]:
    with translation.override(language):
        return [spoken for spoken in map(gettext, texts) if len(spoken) > most]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tabs_and_the_side_bar_have_room(language: str) -> None:
    names = [str(words) for _, _, words, _ in frame.STORE_PAGES]

    assert too_long([*names[:3], "More"], TAB, language) == []
    assert too_long(names, SIDE, language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sub_pages_have_room_and_names_of_their_own(language: str) -> None:
    assert too_long(list(SUB_PAGES), SUB_PAGE, language) == []
    with translation.override(language):
        assert len({gettext(name) for name in SUB_PAGES}) == len(SUB_PAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_buttons_have_room(language: str) -> None:
    found = sorted(set(buttons()))

    assert len(found) > 80
    assert too_long(found, BUTTON, language) == []


def test_finds_a_label_that_is_too_long() -> None:
    assert too_long(["Home", "Stamps of a whole year"], TAB, "en") == ["Stamps of a whole year"]
