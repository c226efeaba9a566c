"""Two records of one person: what the one that goes on lacks, the other one gives, and takes back when they part."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from core import tenancy
from customers.models import Customer

# What a person told, by the field that says whether they did, with the columns that belong to it.
PARTS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "name_key"),
    "email": ("email", "email_key"),
    "phone": ("phone", "phone_key"),
    "birth_month": ("birth_day", "birth_month", "birth_year"),
}
PROVEN = "confirmed_at"


def take_over(*, merchant_id: UUID, into: UUID, other: UUID) -> list[str]:
    """Fill what `into` never told with what `other` did; returns the fields, never their values.

    An address is proven on one record at a time, so its proof goes along. Nothing that `into` told is replaced.
    """
    with tenancy.scope(merchant_id):
        one, two = _both(into, other)
        took = [part for part in PARTS if not getattr(one, part) and getattr(two, part)]
        for part in took:
            for column in PARTS[part]:
                setattr(one, column, getattr(two, column))
        if "email" in took and two.confirmed_at is not None:
            proven, two.confirmed_at = two.confirmed_at, None
            two.save(update_fields=[PROVEN])
            one.confirmed_at = proven
            took.append(PROVEN)
        one.save(update_fields=[*(column for part in took for column in PARTS.get(part, ())), PROVEN])
        return took


def give_back(*, merchant_id: UUID, into: UUID, other: UUID, took: Sequence[str]) -> None:
    """Take from `into` what `take_over` gave it, as far as the person has not changed it since."""
    with tenancy.scope(merchant_id):
        one, two = _both(into, other)
        back = [part for part in took if part in PARTS and getattr(one, part) == getattr(two, part)]
        proven = one.confirmed_at if PROVEN in took and "email" in back else None
        for part in back:
            for column in PARTS[part]:
                setattr(one, column, None if column.startswith("birth") else "")
        if proven is not None:
            one.confirmed_at = None
        one.save(update_fields=[*(column for part in back for column in PARTS[part]), PROVEN])
        if proven is not None:
            two.confirmed_at = proven
            two.save(update_fields=[PROVEN])


def _both(into: UUID, other: UUID) -> tuple[Customer, Customer]:
    rows = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=[into, other]).order_by("pk")
    found = {row.pk: row for row in rows}
    return found[into], found[other]
