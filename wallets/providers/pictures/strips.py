"""The wide picture of a pass: the tray with its stamps, or for points a quiet impression beside the figure."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

from wallets.providers.pictures import files, ink, logos
from wallets.rules import colours, trays
from wallets.rules.colours import PassColours
from wallets.rules.description import Branding

FONT, WEIGHT = "static/vendor/figtree/figtree-latin-wght-normal.woff2", 600
TRAY, TRAY_LINE, TRAY_TEXT = "#FFFFFF", "#D3CDBF", "#585A6E"
GOLD, GOLD_WASH, GOLD_TEXT = "#F5B83D", "#FFF3D6", "#6E4700"
# Below this contrast the tray needs an edge.
SEEN = 1.25
# A lighter shade is taken for quiet prints where it can be told from the ground.
FAINT = 1.08
# From this size on a number can be read in an empty place (points of a pass).
READABLE = 21
# A mark's ring reaches to 21.55 of its grid's 24: so much larger than the place it stands in.
OVERLAP = ink.GRID / (2 * (ink.RING + ink.RING_WIDTH / 2))


@dataclass(frozen=True, slots=True)
class Wide:
    """What is drawn: how wide and high in points, pixels to a point, how far the tray stays off the edges."""

    width: int
    height: int
    scale: int
    aside: int
    above: int
    radius: int = 14


@dataclass(frozen=True, slots=True)
class Look:
    """What a wide picture depends on: nothing of a person. stamps None: points only."""

    color: str
    icon: str
    seed: str
    stamps: int | None = None
    target: int | None = None


def look(branding: Branding, stamps: int | None, target: int | None) -> Look:
    """Return what a card's wide picture depends on; a points card's has neither place nor turn."""
    color, icon = branding.color.upper(), logos.trade_icon(branding.trade)
    if stamps is None or not target:
        return Look(color, icon, "")
    return Look(color, icon, branding.seed, min(stamps, target), target)


def encoded(picture: Image.Image) -> bytes:
    """Return the picture as a file; ground and tray keep their exact colours, so that no seam shows on the pass."""
    return files.flat_png(picture, ((0, 0), (picture.width // 2, picture.height // 12)))


def draw(look: Look, wide: Wide) -> Image.Image:
    """Draw a wide picture."""
    shades = colours.of(look.color)
    picture = Image.new("RGB", (wide.width * wide.scale, wide.height * wide.scale), shades.background)
    if look.stamps is None or not look.target:
        _impression(picture, look, shades)
    else:
        _tray(picture, look, wide, shades, look.stamps, look.target)
    return picture


def _tray(picture: Image.Image, look: Look, wide: Wide, shades: PassColours, count: int, target: int) -> None:
    """Draw the light tray and every place on it."""
    scale = wide.scale
    left, top = wide.aside * scale, wide.above * scale
    width, height = picture.width - 2 * left, picture.height - 2 * top
    if colours.contrast(shades.background, TRAY) < SEEN:
        edge = scale
        outer = ink.plate(width + 2 * edge, height + 2 * edge, wide.radius * scale + edge)
        picture.paste(TRAY_LINE, (left - edge, top - edge), outer)
    picture.paste(TRAY, (left, top), ink.plate(width, height, wide.radius * scale))
    inner = 13 * scale, 9 * scale
    laid = trays.lay(target, width - 2 * inner[0], height - 2 * inner[1], 66 * scale)
    side = round(laid.mark)
    for number, (x, y) in enumerate(laid.middles, start=1):
        middle = left + inner[0] + x, top + inner[1] + y
        if number <= count:
            _stamp(picture, look, shades, number, middle, side, gold=number == target)
        elif number == target:
            _gift(picture, middle, side, scale)
        else:
            _place(picture, number, middle, side, scale)


def _stamp(
    picture: Image.Image, look: Look, shades: PassColours, number: int, middle: tuple[float, float], side: int,
    *, gold: bool,
) -> None:  # fmt: skip
    """Print a stamp; the one that fills the card has a golden halo: the reward is won."""
    if gold:
        _paste(picture, GOLD, middle, ink.disc(round(side * 1.06)))
        _paste(picture, TRAY, middle, ink.disc(round(side * 0.95)))
        side = round(side * 0.9)
    mask = ink.stamp(look.icon, round(side * OVERLAP), ink.turn(look.seed, number), number)
    _paste(picture, shades.stamp, middle, mask)


def _gift(picture: Image.Image, middle: tuple[float, float], side: int, scale: int) -> None:
    """Draw the reward's place: gold means a reward, and nothing else."""
    _paste(picture, GOLD_WASH, middle, ink.disc(side))
    _paste(picture, GOLD, middle, ink.ring(side, max(1.4 * scale, side * 0.045)))
    _paste(picture, GOLD_TEXT, middle, ink.sign("gift", round(side * 0.54)))


def _place(picture: Image.Image, number: int, middle: tuple[float, float], side: int, scale: int) -> None:
    """Draw an empty place: a quiet ring with its number, where it can be read."""
    _paste(picture, TRAY_LINE, middle, ink.ring(side, 1.3 * scale))
    if side >= READABLE * scale:
        pen = ImageDraw.Draw(picture)
        pen.text(middle, str(number), fill=TRAY_TEXT, font=_font(round(side * 0.32)), anchor="mm")


def _impression(picture: Image.Image, look: Look, shades: PassColours) -> None:
    """Print two large stamps towards the right edge, hardly darker or lighter than the ground: text reads on them."""
    lighter = colours.contrast(shades.light, shades.background) >= FAINT
    faint = shades.light if lighter else colours.mix(shades.background, shades.deep, 0.4)
    width, height = picture.size
    for share, turned, x, y in ((1.35, -8, 0.87, 0.56), (0.62, 9, 0.585, 0.06)):
        _paste(picture, faint, (width * x, height * y), ink.stamp(look.icon, round(height * share), turned, 0))


def _paste(picture: Image.Image, color: str, middle: tuple[float, float], mask: Image.Image) -> None:
    picture.paste(color, (round(middle[0] - mask.width / 2), round(middle[1] - mask.height / 2)), mask)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(settings.BASE_DIR / FONT, size)
    font.set_variation_by_axes([WEIGHT])
    return font
