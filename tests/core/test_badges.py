"""The wallets' badges: found by language, served unaltered from our own origin, and nothing else of the folder."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import translation
from PIL import Image

from core import badges, media

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} 35"><style>.a{{fill:#000}}</style><rect class="a"/></svg>'
)
BUTTON = "{% include 'loyalty/_wallet.html' with url='/x' wallet='apple' name='Apple Wallet' %}"


def drawing(width: float = 110.7) -> bytes:
    return SVG.format(width).encode()


def png(width: int, height: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "badges"
    path.mkdir()
    settings.LOYALTY_WALLET_BADGES_DIR = str(path)
    return path


def put(folder: Path, **files: bytes) -> None:
    for name, body in files.items():
        (folder / name.replace("__", ".").replace("_", "-")).write_bytes(body)


@pytest.mark.parametrize(
    ("language", "there", "shown"),
    [
        ("fr", "apple_fr__svg apple_en__svg", "apple-fr"), ("fr", "apple_en__svg apple_de__svg", "apple-en"),
        ("lb", "apple_fr__svg apple_de__svg apple_en__svg", "apple-fr"),
        ("lb", "apple_de__svg apple_en__svg", "apple-de"),
        ("lb", "apple_lb__svg apple_fr__svg", "apple-lb"), ("lb", "apple_en__svg", "apple-en"),
        ("de", "apple_fr__svg google_de__svg", None), ("en", "apple_en__png apple_en__svg", "apple-en"),
    ],
)  # fmt: skip
def test_the_language_of_the_page_decides(folder: Path, language: str, there: str, shown: str | None) -> None:
    put(folder, **{name: png(300, 96) if name.endswith("png") else drawing() for name in there.split()})

    found = badges.find("apple", language)

    assert (found.name.rsplit("-", 1)[0] if found else None) == shown
    assert found is None or found.name.endswith(".svg")


def test_the_page_shows_it_as_high_as_it_must_be_with_words_for_who_cannot_see_it(folder: Path) -> None:
    put(folder, apple_en__svg=drawing())
    with translation.override("en"):
        html = Template(BUTTON).render(Context())

    address = reverse("badge", args=[badges.load(folder / "apple-en.svg").name])
    assert f'src="{address}"' in html
    assert 'alt="Add to Apple Wallet"' in html
    assert 'width="152"' in html
    assert 'height="48"' in html
    assert 'class="wallet"' not in html


def test_without_artwork_our_own_button_stays(folder: Path) -> None:
    put(folder, google_en__svg=drawing())

    html = Template(BUTTON).render(Context())

    assert 'class="wallet"' in html
    assert "<img" not in html


@pytest.mark.parametrize(("name", "kind"), [("apple-en.svg", "image/svg+xml"), ("google-fr.png", "image/png")])
def test_it_is_served_unaltered_for_ever_and_without_scripts(
    folder: Path, client: Client, name: str, kind: str
) -> None:
    body = drawing() if name.endswith("svg") else png(300, 96)
    (folder / name).write_bytes(body)

    answer = client.get(reverse("badge", args=[badges.load(folder / name).name]))

    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, kind, body)
    assert answer["Cache-Control"] == media.FOR_EVER
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_other_artwork_has_another_address(folder: Path, client: Client) -> None:
    put(folder, apple_en__svg=drawing())
    old = badges.load(folder / "apple-en.svg").name
    put(folder, apple_en__svg=drawing(120))

    assert badges.load(folder / "apple-en.svg").name != old
    assert client.get(reverse("badge", args=[old])).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "apple-en.svg", "apple-en-0000000000000000.svg", "../secret.svg", "..%2fsecret.svg", "%2e%2e/secret.svg",
        "apple-en-{version}.svg/..", "apple-en-{version}.svg%00", "apple-..-{version}.svg", "apple-en-{version}.png",
        "APPLE-en-{version}.svg", "apple-en-{version}.svg%0a", "secret-{version}.svg", ".hidden.svg", "",
    ],
)  # fmt: skip
def test_nothing_else_is_served(folder: Path, client: Client, path: str) -> None:
    put(folder, apple_en__svg=drawing())
    put(folder.parent, secret__svg=drawing())
    put(folder, secret__svg=drawing())
    version = badges.load(folder / "apple-en.svg").name.rsplit("-", 1)[1].removesuffix(".svg")

    answer = client.get(f"/media/badges/{path.format(version=version)}")

    assert answer.status_code == 404


FAULTS: list[tuple[str, bytes, str]] = [
    ("apple-en.svg", b"<html><svg/></html>", "is not an SVG"),
    ("apple-en.svg", b'<svg viewBox="0 0 300 96"/>', "is not an SVG"),
    ("apple-en.svg", drawing()[:-3], "is not an SVG"),
    ("apple-en.svg", b"\xff\xfe\x00", "is not an SVG"),
    ("apple-en.svg", b"", "is not an SVG"),
    ("apple-en.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + drawing(), "declares entities"),
    ("apple-en.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "how large"),
    ("apple-en.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan 0"/>', "how large"),
    ("apple-en.svg", drawing(35), "shape of a badge"),
    ("apple-en.svg", drawing(1000), "shape of a badge"),
    ("apple-en.svg", drawing() + b" " * badges.MOST_BYTES, "larger than 100 kB"),
    ("google-de.png", drawing(), "is not a PNG"),
    ("google-de.png", png(300, 96)[:18], "is not a PNG"),
    ("google-de.png", png(120, 40), "less than 48 pixels"),
    ("badge.svg", drawing(), "has no name of a badge"),
    ("apple-es.svg", drawing(), "has no name of a badge"),
    ("apple-en.gif", b"GIF89a", "has no name of a badge"),
]


@pytest.mark.parametrize(("name", "body", "fault"), FAULTS)
def test_what_is_no_badge_is_named_and_not_shown(
    folder: Path, client: Client, name: str, body: bytes, fault: str
) -> None:
    (folder / name).write_bytes(body)
    (folder / ".DS_Store").write_bytes(b"left by a Mac")
    (folder / "google-fr.svg").write_bytes(drawing())

    said = [message for message in run_checks() if message.id == "core.W001"]

    assert len(said) == 1
    assert name in said[0].msg
    assert fault in said[0].msg
    assert badges.find(name.partition("-")[0], name.partition("-")[2][:2]) is None


def test_a_folder_of_that_name_is_no_badge(folder: Path) -> None:
    (folder / "apple-en.svg").mkdir()

    assert badges.find("apple", "en") is None
    assert list(badges.examine()) == [("apple-en.svg", "is no file")]


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path, settings: Any) -> None:
    settings.LOYALTY_WALLET_BADGES_DIR = str(tmp_path / "nowhere")

    assert badges.find("google", "en") is None
    assert list(badges.examine()) == []
