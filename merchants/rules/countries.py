"""What follows from a merchant's country: its currency and its time zone."""

from babel.core import get_global
from babel.numbers import get_territory_currencies

DEFAULT_ZONE = "Europe/Luxembourg"


def zone_of(country: str) -> str:
    """Return the main time zone of a country (the first European one), Luxembourg's when there is none."""
    if country == "LU":
        return DEFAULT_ZONE
    territories = get_global("zone_territories")
    mine = sorted(zone for zone, territory in territories.items() if territory == country and "/" in zone)
    return next((zone for zone in mine if zone.startswith("Europe/")), mine[0] if mine else DEFAULT_ZONE)


def currency_of(country: str) -> str:
    """Return the currency of a country today, the euro when it is not known."""
    found = get_territory_currencies(country)
    return str(found[0]) if found else "EUR"
