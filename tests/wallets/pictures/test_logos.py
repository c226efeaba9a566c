"""The merchant's sign: seen on any colour, whatever the merchant uploaded; its trade's stamp without one."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageDraw

from core import images
from dashboard.forms import presets
from merchants.enums import Trade
from wallets.providers.pictures import logos
from wallets.rules import colours
from wallets.rules.description import Branding

BROWN, CREAM = "#5A2D1A", "#F5E6C8"


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    logos._logo.cache_clear()


def uploaded(color: str, ground: str = "", size: tuple[int, int] = (600, 200)) -> str:
    """Upload a logo, a bar of a colour with or without a ground, as the house keeps it; return its name."""
    picture = Image.new("RGBA", size, ground or (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((40, 40, size[0] - 40, size[1] - 40), fill=color)
    out = io.BytesIO()
    (picture.convert("RGB") if ground else picture).save(out, "PNG")
    kept = images.logo(io.BytesIO(out.getvalue()))
    return default_storage.save(f"logos/{images.new_name()}.png", ContentFile(kept[".png"]))


def test_trades_have_the_icons_of_the_pages() -> None:
    assert {trade: logos.trade_icon(trade) for trade in Trade} == {trade: presets.icon(trade) for trade in Trade}


@pytest.mark.parametrize("color", [BROWN, CREAM, "#FFFFFF", "#000000", "#7A7A7A"])
@pytest.mark.parametrize("mark", ["#FFFFFF", "#1B1C2E", "#5A2D1A", "#F5E6C8", ""])
def test_the_sign_is_seen_on_every_colour(color: str, mark: str) -> None:
    branding = Branding(color, "cafe", uploaded(mark) if mark else "", "seed")
    head = Image.new("RGBA", (480, 150), color)
    sign = logos.apple_logo(branding)
    head.alpha_composite(sign)

    for picture in (head.convert("RGB"), logos.apple_icon(branding), logos.google_logo(branding)):
        shades = [shade for count, shade in picture.getcolors(1 << 20) or [] if count > 40]
        ratios = [
            colours.contrast(colours.hexadecimal(one), colours.hexadecimal(other))  # type: ignore[arg-type]
            for one in shades
            for other in shades
        ]
        assert max(ratios) >= logos.SEEN


def test_a_wide_logo_is_wide_again_and_readable() -> None:
    sign = logos.apple_logo(Branding(CREAM, "cafe", uploaded("#1B1C2E"), "seed"))

    assert sign.width > 3 * sign.height
    assert sign.width <= 480
    assert sign.height <= 150


def test_a_line_of_letters_leaves_the_small_square_to_the_stamp() -> None:
    stamp = logos.apple_icon(Branding(BROWN, "cafe", "", "seed"))

    assert logos.apple_icon(Branding(BROWN, "cafe", uploaded("#FFFFFF"), "seed")).tobytes() == stamp.tobytes()
    square = uploaded("#FFFFFF", size=(400, 400))
    assert logos.apple_icon(Branding(BROWN, "cafe", square, "seed")).tobytes() != stamp.tobytes()


def test_a_ground_of_its_own_goes_to_the_edge() -> None:
    square = logos.google_logo(Branding(BROWN, "cafe", uploaded("#E91E63", "#FFE082", (400, 400)), "seed"))

    assert {square.getpixel(at) for at in ((0, 0), (659, 0), (0, 659), (659, 659))} == {(0xFF, 0xE0, 0x82)}


@pytest.mark.parametrize("broken", ["gone", "not a picture", "empty picture"])
def test_a_logo_that_cannot_be_read_gives_way_to_the_stamp(broken: str) -> None:
    name = "logos/gone.png"
    if broken == "not a picture":
        name = default_storage.save("logos/a.png", ContentFile(b"<svg/>"))
    elif broken == "empty picture":
        out = io.BytesIO()
        Image.new("RGBA", (80, 80)).save(out, "PNG")
        name = default_storage.save("logos/b.png", ContentFile(out.getvalue()))

    stamp = logos.google_logo(Branding(BROWN, "cafe", "", "seed"))
    assert logos.google_logo(Branding(BROWN, "cafe", name, "seed")).tobytes() == stamp.tobytes()
