"""What follows from a country."""

import pytest

from merchants.rules import countries


@pytest.mark.parametrize(
    ("country", "currency", "zone"),
    [
        ("LU", "EUR", "Europe/Luxembourg"),
        ("FR", "EUR", "Europe/Paris"),
        ("DE", "EUR", "Europe/Berlin"),
        ("BE", "EUR", "Europe/Brussels"),
        ("CH", "CHF", "Europe/Zurich"),
        ("PL", "PLN", "Europe/Warsaw"),
        ("", "EUR", "Europe/Luxembourg"),
        ("XX", "EUR", "Europe/Luxembourg"),
    ],
)
def test_currency_and_zone_follow_from_the_country(country: str, currency: str, zone: str) -> None:
    assert countries.currency_of(country) == currency
    assert countries.zone_of(country) == zone
