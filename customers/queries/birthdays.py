"""Birthdays: a day and a month, the year only if the customer wants to tell it."""

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import date

_FORM = re.compile(r"^(?:(?P<year>[0-9]{4})-)?(?P<month>[0-9]{2})-(?P<day>[0-9]{2})$", re.ASCII)
_ANY_LEAP_YEAR = 2000
OLDEST = 120


@dataclass(frozen=True, slots=True)
class Birthday:
    """A day of the year; 29 February is one."""

    day: int
    month: int
    year: int | None = None


def parse(text: str, today: date) -> Birthday:
    """Read `MM-DD` or `YYYY-MM-DD`; raises ValueError for another form, a day that is none, or one in the future."""
    found = _FORM.match(text.strip())
    if found is None:
        raise ValueError("not a birthday")
    year = int(found["year"]) if found["year"] else None
    day = date(_ANY_LEAP_YEAR if year is None else year, int(found["month"]), int(found["day"]))
    if year is not None and not today.year - OLDEST <= year <= today.year:
        raise ValueError("not a birthday of somebody alive")
    if year is not None and day > today:
        raise ValueError("a birthday in the future")
    return Birthday(day=day.day, month=day.month, year=year)


def date_in(birthday: Birthday, year: int) -> date:
    """Return the date on which the birthday is kept in a year: 29 February on the 28th in common years."""
    day = 28 if (birthday.month, birthday.day) == (2, 29) and not isleap(year) else birthday.day
    return date(year, birthday.month, day)
