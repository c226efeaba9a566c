"""The merchant's sign in the sizes that wallets ask for: its logo where it has one, else its trade's stamp."""

import logging
from functools import lru_cache

from django.core.files.storage import default_storage
from PIL import Image, ImageChops, ImageOps, ImageStat

from wallets.providers.pictures import ink
from wallets.rules import colours
from wallets.rules.description import Branding

logger = logging.getLogger(__name__)

# Points of Apple's pictures, drawn at three times as many pixels; a logo may be wider than high.
ICON, LOGO_WIDE, LOGO_HIGH, DENSEST = 29, 160, 50, 3
# Google masks its square to a circle and asks for 15 % of air on each side.
SQUARE, AIR = 660, 0.15
# A logo without a ground of its own needs this contrast with what it stands on, else it gets a plate.
SEEN = 2.0
# From this many times wider than high on, a logo is a line of letters.
WORDMARK = 2.4
LANCZOS = Image.Resampling.LANCZOS
WHITE = "#FFFFFF"
# Trades and the icon on their stamps, as on the pages.
ICONS = {
    "cafe": "cup", "restaurant": "fork", "bakery": "loaf", "barber": "scissors", "boutique": "hanger",
    "florist": "flower", "pets": "paw",
}  # fmt: skip


def trade_icon(trade: str) -> str:
    """Return the icon on the stamps of a trade."""
    return ICONS.get(trade, "star")


def apple_icon(branding: Branding) -> Image.Image:
    """Return the square that stands beside notifications, 87 pixels."""
    side = ICON * DENSEST
    logo = _logo(branding.logo)
    if logo is None or _is_a_line(logo):
        return _printed(branding, side, 0.82)
    return _on_ground(logo, side, 0.84, branding)


def apple_logo(branding: Branding) -> Image.Image:
    """Return the sign at the head of the pass, at most 480x150 pixels, see-through around it."""
    wide, high = LOGO_WIDE * DENSEST, LOGO_HIGH * DENSEST
    logo = _logo(branding.logo)
    if logo is None:
        picture = Image.new("RGBA", (high, high))
        picture.paste(colours.of(branding.color).foreground, (0, 0), _mark(branding, high))
        return picture
    background = colours.of(branding.color).background
    if not _ground(logo) and colours.contrast(_average(logo), background) >= SEEN:
        return _contained(_trimmed(logo), wide, high)
    plate = _plate(logo, background)
    inset = high // 10
    inner = _contained(_trimmed(logo), wide - 2 * inset, high - 2 * inset)
    picture = Image.new("RGBA", (inner.width + 2 * inset, inner.height + 2 * inset))
    picture.paste(plate, (0, 0), ink.plate(picture.width, picture.height, min(picture.height // 4, high // 6)))
    picture.alpha_composite(inner, (inset, inset))
    return picture


def google_logo(branding: Branding) -> Image.Image:
    """Return the square for Google, everything that counts inside its circle."""
    logo = _logo(branding.logo)
    share = 1 - 2 * AIR
    return _printed(branding, SQUARE, share) if logo is None else _on_ground(logo, SQUARE, share, branding)


def _printed(branding: Branding, side: int, share: float) -> Image.Image:
    """Return the trade's stamp on the merchant's colour."""
    shades = colours.of(branding.color)
    picture = Image.new("RGB", (side, side), shades.background)
    mark = _mark(branding, round(side * share))
    picture.paste(shades.foreground, ((side - mark.width) // 2, (side - mark.height) // 2), mark)
    return picture


def _mark(branding: Branding, side: int) -> Image.Image:
    """Return the mask of the trade's stamp, clean: at the head of a pass wear looks like a fault."""
    return ink.clean(trade_icon(branding.trade), side)


def _on_ground(logo: Image.Image, side: int, share: float, branding: Branding) -> Image.Image:
    """Return the logo in the middle of a square of its own ground, of white, or of the colour that shows it."""
    picture = Image.new("RGB", (side, side), _plate(logo, colours.of(branding.color).background))
    inner = _contained(_trimmed(logo), round(side * share), round(side * share))
    picture.paste(inner, ((side - inner.width) // 2, (side - inner.height) // 2), inner)
    return picture


def _plate(logo: Image.Image, background: str) -> str:
    """Return the colour that a logo stands on: its own, else white, else what shows it best."""
    own = _ground(logo)
    if own:
        return own
    shown = _average(logo)
    return max((WHITE, background, colours.INK), key=lambda ground: min(colours.contrast(shown, ground), SEEN))


def _ground(logo: Image.Image) -> str:
    """Return the one solid colour around a logo, "" where there is none."""
    right, bottom = logo.width - 1, logo.height - 1
    corners = {logo.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))}
    corner = corners.pop()
    solid = not corners and isinstance(corner, tuple) and corner[3] == 255
    return colours.hexadecimal([int(part) for part in corner[:3]]) if solid and isinstance(corner, tuple) else ""


def _average(logo: Image.Image) -> str:
    """Return the colour that a see-through logo has on the whole."""
    return colours.hexadecimal([round(part) for part in ImageStat.Stat(logo, logo.getchannel("A")).mean[:3]])


def _trimmed(logo: Image.Image) -> Image.Image:
    """Return a logo without the empty border around it."""
    ground = _ground(logo)
    if ground:
        box = ImageChops.difference(logo.convert("RGB"), Image.new("RGB", logo.size, ground)).getbbox()
    else:
        box = logo.getchannel("A").getbbox()
    return logo.crop(box) if box else logo


def _is_a_line(logo: Image.Image) -> bool:
    """Tell whether a logo is a line of letters, which nobody could read in the small square."""
    trimmed = _trimmed(logo)
    return trimmed.width > WORDMARK * trimmed.height


def _contained(logo: Image.Image, width: int, height: int) -> Image.Image:
    return ImageOps.contain(logo, (max(1, width), max(1, height)), LANCZOS)


@lru_cache(maxsize=8)
def _logo(name: str) -> Image.Image | None:
    """Return the merchant's logo, None for none, and for a file that is gone or cannot be read: the stamp stands in."""
    if not name:
        return None
    try:
        with default_storage.open(name) as file, Image.open(file, formats=("PNG",)) as opened:
            logo = opened.convert("RGBA")
    except (OSError, ValueError):
        logger.warning("logo not readable: %s", name)
        return None
    return logo if logo.getchannel("A").getbbox() else None
