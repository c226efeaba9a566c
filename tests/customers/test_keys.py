"""Normal forms by which people are found, and masks by which they are shown."""

from datetime import date

import pytest

from customers.queries import birthdays, keys, masking
from customers.queries.birthdays import Birthday


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Marie@Example.COM ", "marie@example.com"),
        ("ＭＡＲＩＥ@example.com", "marie@example.com"),  # full-width letters
        ("", ""),
    ],
)
def test_finds_an_address_whatever_its_case_and_width(typed: str, key: str) -> None:
    assert keys.email_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Łukasz Weiß", "łukasz weiss"),
        ("  marie \t KLEIN ", "marie klein"),
        ("ﬁona", "fiona"),
        ("a\u202eb", "ab"),
        ("x\x07y", "x y"),
    ],
)
def test_finds_a_name_whatever_its_case_and_spaces(typed: str, key: str) -> None:
    assert keys.name_key(typed) == key


def test_cuts_a_name_key_to_its_column() -> None:
    assert len(keys.name_key("ß" * 80)) == 80


@pytest.mark.parametrize(
    ("typed", "country", "key"),
    [
        ("621 123 456", "LU", "+352621123456"),
        ("+352 621 123 456", "DE", "+352621123456"),
        ("00352621123456", "LU", "+352621123456"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
    ],
)
def test_reads_a_number_as_dialled_in_the_country(typed: str, country: str, key: str) -> None:
    assert keys.phone_key(typed, country) == key


@pytest.mark.parametrize("typed", ["12", "no number", "+", "+999123456789", "1" * 300, "٣"])
def test_refuses_what_is_no_number(typed: str) -> None:
    with pytest.raises(ValueError):
        keys.phone_key(typed, "LU")


@pytest.mark.parametrize(
    ("name", "mask"),
    [("Marie Klein", "M… K."), ("Marie", "M…"), ("Jean Paul Belmondo", "J… B."), ("", ""), ("  ", ""), ("M", "M…")],
)
def test_masks_a_name(name: str, mask: str) -> None:
    assert masking.mask_name(name) == mask


@pytest.mark.parametrize(("email", "mask"), [("marie@example.com", "m…@example.com"), ("", ""), ("nonsense", "")])
def test_masks_an_address(email: str, mask: str) -> None:
    assert masking.mask_email(email) == mask


@pytest.mark.parametrize(("phone", "mask"), [("+352621123442", "••• 42"), ("", "")])
def test_masks_a_number(phone: str, mask: str) -> None:
    assert masking.mask_phone(phone) == mask


@pytest.mark.parametrize(
    ("text", "birthday"),
    [
        ("03-21", Birthday(21, 3)),
        ("1956-03-21", Birthday(21, 3, 1956)),
        ("02-29", Birthday(29, 2)),
        ("2000-02-29", Birthday(29, 2, 2000)),
    ],
)
def test_rule_16_reads_day_and_month_with_or_without_the_year(text: str, birthday: Birthday) -> None:
    assert birthdays.parse(text, date(2026, 3, 10)) == birthday


@pytest.mark.parametrize(
    "text",
    ["2026-03-11", "2027-01-01", "1900-01-01", "2001-02-29", "02-30", "13-01", "1-1", "21.03.", "03-21x", "٠٣-٢١"],
)
def test_rule_16_refuses_what_is_no_birthday(text: str) -> None:
    with pytest.raises(ValueError):
        birthdays.parse(text, date(2026, 3, 10))


@pytest.mark.parametrize(("year", "day"), [(2027, date(2027, 2, 28)), (2028, date(2028, 2, 29))])
def test_rule_16_keeps_29_february_on_the_28th_in_common_years(year: int, day: date) -> None:
    assert birthdays.date_in(Birthday(29, 2), year) == day
