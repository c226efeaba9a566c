"""Rule 16: a birthday is a day and a month, with a year only for who likes; 29 February is kept on the 28th."""

from collections.abc import Callable
from datetime import date

import pytest

from customers.queries import birthdays
from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]


@pytest.mark.parametrize("birthday", ["03-21", "02-29", "1956-03-21", "1996-02-29"])
def test_the_year_is_optional(shop: Open, birthday: str) -> None:
    cafe = shop()

    marie = cafe.joins(birthday=birthday)
    nora = cafe.joins()
    done(nora.ask("patch", "profile", {"birthday": birthday}), 200)

    assert [done(phone.ask("get", "profile"), 200)["birthday"] for phone in (marie, nora)] == [birthday, birthday]


@pytest.mark.parametrize("birthday", ["02-30", "13-01", "1995-02-29", "29 Feb", "2999-01-01", "2-29", 229])
def test_a_day_that_never_was_is_refused(shop: Open, birthday: object) -> None:
    marie = shop().joins(birthday="02-29")

    assert_problem(marie.ask("patch", "profile", {"birthday": birthday}), 400, "validation_error", "birthday")

    assert done(marie.ask("get", "profile"), 200)["birthday"] == "02-29"


@pytest.mark.parametrize(
    ("year", "kept"),
    [(2026, date(2026, 2, 28)), (2027, date(2027, 2, 28)), (2028, date(2028, 2, 29)), (2100, date(2100, 2, 28)),
     (2000, date(2000, 2, 29))],
)  # fmt: skip
def test_29_february_is_kept_on_the_28th_in_common_years(year: int, kept: date) -> None:
    leapling = birthdays.parse("1996-02-29", date(2026, 3, 10))

    assert birthdays.date_in(leapling, year) == kept
    assert birthdays.date_in(birthdays.parse("02-28", date(2026, 3, 10)), year) == date(year, 2, 28)


def test_staff_may_type_it_too(shop: Open) -> None:
    cafe = shop()

    made = done(cafe.pos.post("cards/enroll", {"name": "Marie", "birthday": "02-29"}))

    customer = done(cafe.pos.get(f"/api/v1/merchant/customers/{made['customer']['id']}"), 200)
    assert customer["birthday"] == "02-29"
