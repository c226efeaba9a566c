"""Money: minor units and the digits of each currency, read strictly, shown as the reader of the language expects."""

import pytest

from core import money


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("CHF", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0)])
def test_exponent(currency: str, digits: int) -> None:
    assert money.exponent(currency) == digits


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("23.40", "EUR", 2340), ("23,40", "EUR", 2340), ("23.4", "EUR", 2340), ("23", "EUR", 2300), (23, "EUR", 2300),
        (" 0.01 ", "EUR", 1), ("0", "EUR", 0), ("500", "JPY", 500), ("1.234", "KWD", 1234),
        ("1000000.00", "EUR", 10**8), (".5", "EUR", 50), ("5.", "EUR", 500), ("0.10", "EUR", 10),
    ],
)  # fmt: skip
def test_parse(text: str | int, currency: str, minor: int) -> None:
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x", "-1", "-0.01", "23.405", "1.2.3", "1,234.50", "NaN", "sNaN", "Infinity", "-Infinity", ".",
        "1000000.01", "9" * 400, "1e2", "+1", "1e400", "1e999999999", "0x10", "١٢", "1 000", "23.40 €", "\x00", "1_0",
    ],
)  # fmt: skip
def test_parse_refuses_what_is_no_plain_amount(text: str) -> None:
    with pytest.raises(ValueError):
        money.parse(text, "EUR")


def test_parse_refuses_parts_of_a_currency_without_any() -> None:
    with pytest.raises(ValueError):
        money.parse("500.5", "JPY")


@pytest.mark.parametrize(
    ("minor", "currency", "language", "shown"),
    [
        (2340, "EUR", "en", "23.40 €"), (2340, "EUR", "fr", "23,40 €"), (2340, "EUR", "de", "23,40 €"),
        (2340, "EUR", "lb", "23,40 €"), (-2340, "EUR", "de", "-23,40 €"), (500, "JPY", "de", "500 ¥"),
        (123456789, "EUR", "de", "1.234.567,89 €"), (0, "EUR", "fr", "0,00 €"),
    ],
)  # fmt: skip
def test_show(minor: int, currency: str, language: str, shown: str) -> None:
    text = money.show(minor, currency, language).replace("\xa0", " ").replace("\u202f", " ")

    assert text == shown


def test_what_is_shown_can_be_read_again() -> None:
    for minor in (0, 1, 99, 100, 2340, 10**8):
        assert money.parse(money.show(minor, "EUR", "de").replace("\xa0€", "").replace(".", ""), "EUR") == minor


def test_an_unknown_language_reads_as_english_does() -> None:
    assert money.babel_locale("xx") == money.babel_locale("en") == "en_150"
    assert money.babel_locale("fr-CH") == "fr"
