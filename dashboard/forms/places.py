"""Countries and time zones to choose from, in the reader's language."""

from functools import cache

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

from core.money import babel_locale

# Where a merchant can open an account: the European Union, the EEA, Switzerland and the United Kingdom.
COUNTRIES = (
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
# Zones that keep the same time as their country's main one.
DOUBLES = frozenset({"Europe/Busingen", "Asia/Famagusta"})
FIRST = ("LU", "BE", "DE", "FR")


def countries() -> list[tuple[str, str]]:
    """Return the countries as choices, neighbours of Luxembourg first."""
    names = Locale.parse(babel_locale()).territories
    rest = sorted((code for code in COUNTRIES if code not in FIRST), key=lambda code: names.get(code, code))
    return [(code, names.get(code, code)) for code in (*FIRST, *rest)]


def zones() -> list[tuple[str, str]]:
    """Return the time zones of those countries as choices: the town's name in the reader's language."""
    locale = babel_locale()
    named = [(zone, get_timezone_location(zone, locale=locale, return_city=True)) for zone in _zones()]
    return sorted(named, key=lambda choice: choice[1])


@cache
def _zones() -> tuple[str, ...]:
    territories = get_global("zone_territories")
    found = {zone for zone, territory in territories.items() if territory in COUNTRIES and "/" in zone} - DOUBLES
    return tuple(sorted(found | {"Europe/Luxembourg"}, key=lambda zone: (not zone.startswith("Europe/"), zone)))
