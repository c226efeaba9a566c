"""Google's pictures: public addresses that never change what they show, with nothing of a person in them."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from core.ids import uuid7
from wallets.providers import pictures
from wallets.providers.pictures import public

from .cards import card


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    public._hero.cache_clear()
    public._logo.cache_clear()


def fetched(url: str) -> Image.Image:
    """Fetch an address as Google does, and read the picture."""
    answer = Client().get(urlsplit(url).path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert "immutable" in answer["Cache-Control"]
    return Image.open(io.BytesIO(answer.content), formats=("PNG",))


def test_pitfall_45_addresses_are_complete_permanent_and_bare(settings: Any) -> None:
    for url in (pictures.hero_url(card()), pictures.logo_url(card().program)):
        parts = urlsplit(url)

        assert url.startswith(f"{settings.SITE_URL}/media/wallets/")
        assert not parts.query
        assert not parts.fragment


def test_google_gets_the_sizes_it_asks_for() -> None:
    assert fetched(pictures.hero_url(card())).size == (1032, 336)
    assert fetched(pictures.hero_url(card(stamps=None, points=4))).size == (1032, 336)
    assert fetched(pictures.logo_url(card().program)).size == (660, 660)


def test_the_logo_keeps_fifteen_percent_of_air() -> None:
    logo = fetched(pictures.logo_url(card().program)).convert("RGB")
    air, ground = 660 * 15 // 100 - 1, logo.getpixel((0, 0))
    frames = [(0, 0, 660, air), (0, 660 - air, 660, 660), (0, 0, air, 660), (660 - air, 0, 660, 660)]

    for frame in frames:
        assert logo.crop(frame).getcolors() == [(logo.crop(frame).width * logo.crop(frame).height, ground)]
    assert len(logo.getcolors(1 << 20) or []) > 1


def test_one_address_for_one_state_whoever_holds_the_card() -> None:
    marie = card(holder="Marie", number="111", points=5)
    jean = replace(card(holder="Jean", number="222", points=70), code="https://loyalty.example/c/other")

    assert pictures.hero_url(marie) == pictures.hero_url(jean)
    assert pictures.hero_url(card(stamps=8)) != pictures.hero_url(card(stamps=7))
    assert pictures.logo_url(card(color="#0B6E4F").program) != pictures.logo_url(card().program)


def test_a_picture_is_written_once() -> None:
    first = pictures.hero_url(card())
    public._hero.cache_clear()
    second = pictures.hero_url(card())

    assert first == second
    assert len(default_storage.listdir("wallets")[1]) == 1


def test_two_who_write_at_the_same_time_leave_one_file() -> None:
    def draw_while_another_is_quicker() -> bytes:
        default_storage.save(name, ContentFile(b"the same picture"))
        return b"the same picture"

    name = public._kept(("a test",), lambda: b"")
    default_storage.delete(name)

    assert public._kept(("a test",), draw_while_another_is_quicker) == name
    assert default_storage.listdir("wallets")[1] == [name.rpartition("/")[2]]


def test_another_name_in_the_folder_is_not_served() -> None:
    assert Client().get(f"/media/wallets/{uuid7()}.png").status_code == 404
    assert Client().get("/media/wallets/0123456789abcdef0123456789abcdef.png").status_code == 404
