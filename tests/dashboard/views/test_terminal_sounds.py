"""The till's sounds: three small files of our own, kept with the app for times without a network."""

import json
import wave
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from dashboard.views import terminal_files
from tests.dashboard.conftest import Shop
from tests.dashboard.views.test_terminal import Page, till

LARGEST = 8_000


def test_page_names_the_sounds_and_the_worker_keeps_them(shop: Shop) -> None:
    named = json.loads(str(Page(till(shop).get(shop.page("terminal"))).data()["data-sounds"]))

    assert set(named) == {"given", "reward", "refused"}
    assert set(named.values()) <= set(terminal_files.release().files)
    for address in named.values():
        answer = Client().get(address)
        assert answer.status_code == 200
        answer.close()


@pytest.mark.parametrize(("name", "seconds"), [("given", 0.09), ("reward", 0.24), ("refused", 0.18)])
def test_a_sound_is_short_and_small(name: str, seconds: float) -> None:
    path = Path(settings.BASE_DIR) / "static" / terminal_files.SOUNDS[name]

    assert path.stat().st_size <= LARGEST
    with wave.open(str(path)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(seconds)
