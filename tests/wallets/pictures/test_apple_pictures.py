"""Apple's pictures: sizes exact, bytes the same for the same state, another state another picture, quick."""

import io
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from PIL import Image

from wallets.providers import pictures
from wallets.providers.pictures import apple, strips
from wallets.rules import colours
from wallets.rules.description import Standing

from .cards import card

SIZES = {
    "icon.png": (29, 29), "icon@2x.png": (58, 58), "icon@3x.png": (87, 87),
    "strip.png": (375, 144), "strip@2x.png": (750, 288), "strip@3x.png": (1125, 432),
}  # fmt: skip
LOGOS = {"logo.png": 1, "logo@2x.png": 2, "logo@3x.png": 3}
TRADES = ["cafe", "restaurant", "bakery", "barber", "boutique", "florist", "pets", "other", "a trade of tomorrow"]


def opened(data: bytes) -> Image.Image:
    """Read a picture whole; a PNG that is broken anywhere raises."""
    picture = Image.open(io.BytesIO(data), formats=("PNG",))
    picture.load()
    return picture


@pytest.mark.parametrize("trade", TRADES)
def test_the_files_have_the_sizes_of_the_manual(trade: str) -> None:
    files = pictures.for_apple(card(trade=trade)).files

    assert set(files) == {*SIZES, *LOGOS}
    assert {name: opened(files[name]).size for name in SIZES} == SIZES
    for name, scale in LOGOS.items():
        width, height = opened(files[name]).size
        assert width <= 160 * scale
        assert height <= 50 * scale


@pytest.mark.parametrize("target", range(1, 51))
def test_every_number_of_stamps_has_its_picture(target: int) -> None:
    seen = {pictures.for_apple(card(stamps=count, target=target)).files["strip@3x.png"] for count in (0, target)}

    assert len(seen) == 2
    assert all(opened(data).size == (1125, 432) for data in seen)


def test_each_stamp_shows() -> None:
    seen = {pictures.for_apple(card(stamps=count)).files["strip.png"] for count in range(11)}

    assert len(seen) == 11


def test_more_stamps_than_places_fill_the_card() -> None:
    assert pictures.for_apple(card(stamps=12)) is pictures.for_apple(card(stamps=10))


def test_the_same_state_is_the_same_object_for_everybody() -> None:
    first = pictures.for_apple(card(holder="Marie", number="1", points=3))

    assert pictures.for_apple(replace(card(holder="Jean", number="2", points=9), standing=Standing.SUSPENDED)) is first


@pytest.mark.parametrize(
    "other",
    [card(stamps=6), card(target=12), card(color="#0B6E4F"), card(trade="pets"), card(seed="b"), card(stamps=None)],
)
def test_the_key_names_the_content(other: pictures.Images | object) -> None:
    one, another = pictures.for_apple(card()), pictures.for_apple(other)  # type: ignore[arg-type]

    assert one.key != another.key
    assert dict(one.files) != dict(another.files)


def test_a_points_card_shows_no_figures_and_no_program() -> None:
    few, many = card(stamps=None, points=3), card(stamps=None, points=12_500, seed="another")

    assert pictures.for_apple(few).files["strip.png"] == pictures.for_apple(many).files["strip.png"]


def test_another_process_draws_the_same_bytes() -> None:
    program = (
        "import hashlib, os, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'loyalty_platform.settings.test');"
        "django.setup();"
        "from wallets.providers import pictures; from tests.wallets.pictures.cards import card;"
        "images = pictures.for_apple(card());"
        "print(images.key, *(hashlib.sha256(data).hexdigest() for _name, data in sorted(images.files.items())))"
    )
    runs = {
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }

    assert len(runs) == 1
    assert runs.pop().split()[0] == pictures.for_apple(card()).key


@pytest.mark.parametrize("color", ["#5A2D1A", "#FFFFFF", "#000000", "#FFD400", "#7A7A7A", "#2F3BBF"])
@pytest.mark.parametrize("stamps", [7, None])
def test_the_strip_has_no_seam_on_the_pass(color: str, stamps: int | None) -> None:
    files = pictures.for_apple(card(color=color, stamps=stamps)).files

    for name in ("strip.png", "strip@2x.png", "strip@3x.png"):
        strip = opened(files[name]).convert("RGB")
        corners = {strip.getpixel((0, 0)), strip.getpixel((0, strip.height - 1))}
        assert corners == {colours.channels(color)}, name


def test_text_reads_on_the_left_of_a_points_strip() -> None:
    for color in ("#5A2D1A", "#FFFFFF", "#FFD400", "#7A7A7A", "#8BC34A"):
        strip = strips.draw(strips.look(card(color=color).program.branding, None, None), apple.STRIP)
        shades = strip.crop((0, 0, strip.width * 2 // 3, strip.height)).getcolors(1 << 20) or []
        grounds = [colours.hexadecimal([int(part) for part in shade]) for _count, shade in shades]  # type: ignore[union-attr]
        text = colours.of(color).foreground
        assert min(colours.contrast(text, ground) for ground in grounds) >= colours.TEXT_LEAST


def test_a_strip_is_drawn_quickly_and_found_at_once() -> None:
    pictures.for_apple(card(seed="warm"))
    cold = min(_seconds(seed) for seed in "abcde")
    start = time.process_time()
    for _ in range(1000):
        pictures.for_apple(card(seed="a"))

    assert cold < 0.15
    assert time.process_time() - start < 0.1


def _seconds(seed: str) -> float:
    start = time.process_time()
    pictures.for_apple(card(seed=f"quick-{seed}", stamps=9))
    return time.process_time() - start
