"""Countries, currencies and time zones there are, and what follows from a merchant's country."""

from functools import cache
from zoneinfo import available_timezones

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


@cache
def countries() -> frozenset[str]:
    """Return the countries of ISO 3166-1 by their two letters."""
    named = set(get_global("zone_territories").values()) - {"001", "ZZ"}
    # Two islands where nobody lives have no clock of their own.
    return frozenset(named | {"BV", "HM"})


@cache
def currencies() -> frozenset[str]:
    """Return the currencies of ISO 4217 that are money somewhere today."""
    return frozenset(str(found) for country in countries() for found in get_territory_currencies(country))


@cache
def zones() -> frozenset[str]:
    """Return the time zones of the IANA database, without what stands for "this computer's"."""
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})
