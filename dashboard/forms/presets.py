"""What a trade usually gives: the first values of the wizard, all of them changeable."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.enums import LoyaltyType
from merchants.enums import Trade


@dataclass(frozen=True, slots=True)
class Preset:
    """Suggestions for one trade, the likeliest reward first."""

    kind: str
    target: int
    rewards: tuple[Promise, ...]
    reward_points: int = 100


PRESETS: dict[str, Preset] = {
    Trade.CAFE: Preset(LoyaltyType.STAMPS, 10, (_("Free coffee"), _("Free drink of your choice"), _("Free cake"))),
    Trade.RESTAURANT: Preset(LoyaltyType.STAMPS, 8, (_("Free lunch"), _("Free dessert"), _("Free drink"))),
    Trade.BAKERY: Preset(LoyaltyType.STAMPS, 10, (_("Free bread"), _("Free pastry"), _("Free coffee"))),
    Trade.BARBER: Preset(LoyaltyType.STAMPS, 8, (_("Free haircut"), _("Half price haircut"), _("Free hair care"))),
    Trade.BOUTIQUE: Preset(LoyaltyType.POINTS, 10, (_("10 € off"), _("Free alteration"), _("Tote bag")), 250),
    Trade.FLORIST: Preset(LoyaltyType.STAMPS, 8, (_("Free bunch of flowers"), _("Free vase"))),
    Trade.PETS: Preset(LoyaltyType.POINTS, 10, (_("Free toy"), _("Free treats"), _("Free grooming")), 250),
    Trade.OTHER: Preset(LoyaltyType.STAMPS, 10, (_("Free surprise"), _("Half price"))),
}
# The icon on the stamps; icons of our sprite.
ICONS: dict[str, str] = {
    Trade.CAFE: "cup",
    Trade.RESTAURANT: "fork",
    Trade.BAKERY: "loaf",
    Trade.BARBER: "scissors",
    Trade.BOUTIQUE: "hanger",
    Trade.FLORIST: "flower",
    Trade.PETS: "paw",
    Trade.OTHER: "star",
}


def of(trade: str) -> Preset:
    """Return a trade's suggestions."""
    return PRESETS.get(trade, PRESETS[Trade.OTHER])


def icon(trade: str) -> str:
    """Return the icon of a trade."""
    return ICONS.get(trade, "star")
