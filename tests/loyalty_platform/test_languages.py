"""One request, four languages: what Accept-Language asks for is what the page and the API speak, over real HTTP."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.world import World

# As browsers send it, and the language that answers; "lu" is what some Luxembourgish phones say.
ASKED = [
    ("en-GB,en;q=0.9", "en"),
    ("fr-LU,fr;q=0.9,en;q=0.8", "fr"),
    ("de-AT", "de"),
    ("lb", "lb"),
    ("lu,fr;q=0.5", "lb"),
]
NO_KEY = {
    "en": "Sign in, or send a valid key.",
    "fr": "Connectez-vous ou envoyez une clé en cours de validité.",
    "de": "Anmelden oder einen gültigen Schlüssel senden.",
    "lb": "Loggt Iech an oder schéckt e gëltege Schlëssel.",
}
NOTHING_FOUND = {
    "en": "Nothing was found here.",
    "fr": "Rien n’a été trouvé ici.",
    "de": "Hier wurde nichts gefunden.",
    "lb": "Hei gouf näischt fonnt.",
}
GET_MY_CARD = {
    "en": "Get my card", "fr": "Obtenir ma carte", "de": "Meine Karte holen", "lb": "Meng Kaart kréien",
}  # fmt: skip


def ask(address: str, language: str, body: Any = None) -> tuple[int, Any, str]:
    """Send a request; returns the status, the headers and the text of the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(address, data, {"Accept-Language": language, "Content-Type": "application/json"})
    try:
        with urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read().decode()


@pytest.mark.parametrize(("asked", "spoken"), ASKED)
def test_the_api_and_the_enrol_page_speak_what_is_asked_for(site: Any, asked: str, spoken: str) -> None:
    world = World.make()

    denied = ask(f"{site.url}/api/v1/store/loyalty/stamp", asked, {"card_number": "1"})
    missing = ask(f"{site.url}/api/v1/loyalty/programs/nowhere", asked)
    shown = ask(f"{site.url}/loyalty/{world.store.code}/enroll", asked)

    assert [answer[0] for answer in (denied, missing, shown)] == [401, 404, 200]
    assert [answer[1]["Content-Language"] for answer in (denied, missing, shown)] == [spoken] * 3
    assert "Accept-Language" in shown[1]["Vary"]
    assert json.loads(denied[2])["detail"] == NO_KEY[spoken]
    assert json.loads(missing[2])["detail"] == NOTHING_FOUND[spoken]
    assert f'<html lang="{spoken}"' in shown[2]
    assert [language for language, words in GET_MY_CARD.items() if words in shown[2]] == [spoken]
