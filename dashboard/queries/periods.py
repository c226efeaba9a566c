"""Periods of a report: whole business days, and the period of the same length before."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _

from core.errors import ValidationFailed

LONGEST = 400
USUAL = 28
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Period:
    """Business days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The period of the same length that ends the day before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def each(self) -> list[date]:
        """Return every day, the earliest first."""
        return [self.first + timedelta(days=number) for number in range(self.days)]


def ending(last: date, days: int) -> Period:
    """Return the period of so many days that ends on a day."""
    return Period(last - timedelta(days=days - 1), last)


def read(first: str, last: str, *, today: date) -> Period:
    """Return the period that two texts name; without them the four weeks up to today.

    Raises ValidationFailed for `from` or `to`: no date, the wrong way round, longer than 400 days.
    """
    to = _day("to", last) or (today if not first else None)
    from_ = _day("from", first)
    if to is None and from_ is not None:
        to = min(max(today, from_), from_ + timedelta(days=LONGEST - 1))
    to = to or today
    from_ = from_ or to - timedelta(days=USUAL - 1)
    if from_ > to:
        raise ValidationFailed.of("from", "after_to", _("The first day comes after the last one."))
    if (to - from_).days >= LONGEST:
        raise ValidationFailed.of("from", "range_too_long", _("Choose at most 400 days."))
    return Period(from_, to)


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if WRITTEN.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= LATEST:
        raise ValidationFailed.of(name, "invalid", _("Write a date as year-month-day, such as 2026-03-31."))
    return day
