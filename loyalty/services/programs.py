"""Programs: made for a store, changed field by field; every change is a new rule version.

The life of a program (rule 4): draft → active ⇄ paused → ended. A pause stops earning and joining; the end does so for
good and has a last day, until which rewards are handed out. While a program does not run no points expire, and what is
left after the last day stays in the ledger as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import outbox, tenancy
from core.errors import DomainError, NotFound, ValidationFailed
from loyalty.enums import ProgramStatus
from loyalty.models import Card, Program, ProgramVersion, StoreProgram
from loyalty.rules import expiry
from loyalty.rules import programs as rules
from loyalty.services import program_fields
from merchants.models import Merchant
from stores.models import Store

# How long rewards are handed out after the end when nobody names a day.
RUN_OFF = timedelta(days=30)


class ProgramExists(DomainError):
    """The store already runs a program of its own."""

    code = "program_exists"
    keep = False
    message = _("This store has a program already. Change that one.")


class StatusChangeRefused(DomainError):
    """The step is not one of draft → active ⇄ paused → ended; facts: from_status, to_status."""

    code = "status_change_refused"
    keep = False
    message = _("A program goes from draft to active; it may pause and go on, and it ends from a pause.")


@dataclass(frozen=True, slots=True)
class Effect:
    """One changed field: its old and new value as the API shows them, and from when on the new one counts."""

    field: str
    old: Any
    new: Any
    applies_to: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A program after a change, and what the change means; no effect means nothing was different."""

    program: Program
    effects: tuple[Effect, ...]


def create(
    *, merchant_id: UUID, store_id: UUID, data: Any, user_id: UUID | None, at: datetime
) -> Program:  # fmt: skip
    """Make a program that the store runs from now on; the merchant's first one is the default for all its stores.

    data: values by the names of program_fields.FIELDS, at least name and loyalty_type; status may be draft (default)
    or active. Raises NotFound (no such open store), ProgramExists, StatusChangeRefused and ValidationFailed.
    """
    with tenancy.scope(merchant_id):
        # The lock keeps two requests from making a program for the same store, or two default programs, at once.
        merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
        if not Store.objects.filter(pk=store_id, closed_at__isnull=True).exists():
            raise NotFound
        sent = program_fields.checked(
            data, language=merchant.default_language, required=("name", "loyalty_type")
        )  # fmt: skip
        values = {**_defaults(merchant), **sent}
        if StoreProgram.objects.filter(store_id=store_id).exists():
            raise ProgramExists
        if values["status"] not in rules.BEGINNINGS:
            raise StatusChangeRefused(from_status=ProgramStatus.DRAFT.value, to_status=values["status"])
        _check_last_day(values.get("ends_on"), expiry.local_date(at, merchant.time_zone))
        program = Program(merchant=merchant, currency=merchant.currency, created_at=at, **values)
        program.is_default = not Program.objects.filter(is_default=True).exists()
        program.save(force_insert=True)
        StoreProgram.objects.create(store_id=store_id, program=program)
        _write_version(program, user_id)
        return program


def update(
    *, merchant_id: UUID, program_id: UUID, data: Any, user_id: UUID | None, at: datetime
) -> Changed:  # fmt: skip
    """Change some fields of a program and write its next rule version; equal values change nothing (rule 4).

    A program that ends has a last day: the one given with `ends_on`, else 30 days from now. Points that would expire
    sooner than before do so after 30 days at the earliest, so that everybody is warned. Raises NotFound,
    StatusChangeRefused and ValidationFailed (also when the kind is to change while cards exist: they would hold stamps
    or points that nothing counts any more). From when on a change counts: rules.programs.APPLIES_TO.
    """
    with tenancy.scope(merchant_id):
        program = _locked(program_id, fully=isinstance(data, Mapping) and "loyalty_type" in data)
        values = program_fields.checked(data, language=program.merchant.default_language)
        _check_changes(program, values)
        today = expiry.local_date(at, program.merchant.time_zone)
        values |= _last_day(program, values, today)
        before = program_fields.shown(program)
        program.expiry_not_before = _expiry_not_before(program, values, today)
        for name, value in values.items():
            setattr(program, name, value)
        after = program_fields.shown(program)
        effects = tuple(
            Effect(name, before[name], after[name], rules.applies_to(name))
            for name in program_fields.FIELDS
            if before[name] != after[name]
        )
        if effects:
            program.version += 1
            program.save()
            _write_version(program, user_id)
        return Changed(program, effects)


def _defaults(merchant: Merchant) -> dict[str, Any]:
    rate = settings.LOYALTY_DEFAULT_POINTS_PER_EURO
    with translation.override(merchant.default_language):
        reward = gettext("1 reward")
    return {
        "status": ProgramStatus.DRAFT.value,
        "stamps_reward_description": reward,
        "points_per_euro_num": rate.numerator,
        "points_per_euro_den": rate.denominator,
        "cooldown_minutes": settings.LOYALTY_DEFAULT_COOLDOWN_MINUTES,
        "max_daily_stamps": settings.LOYALTY_MAX_DAILY_STAMPS,
    }


def _locked(program_id: UUID, *, fully: bool) -> Program:
    """Lock a program; fully: also against new cards of it, whose foreign key shares the row's key."""
    rows = Program.objects.select_related("merchant").select_for_update(of=("self",), no_key=not fully)
    program: Program | None = rows.filter(pk=program_id).first()
    if program is None:
        raise NotFound
    return program


def _check_changes(program: Program, values: Mapping[str, Any]) -> None:
    status = values.get("status", program.status)
    if status != program.status and not rules.may_become(program.status, status):
        raise StatusChangeRefused(from_status=program.status, to_status=status)
    kind = values.get("loyalty_type", program.loyalty_type)
    if kind != program.loyalty_type and Card.objects.filter(program_id=program.pk).exists():
        raise ValidationFailed.of(
            "loyalty_type", "in_use", _("Customers hold cards of this kind. Start a new program for another kind.")
        )


def _last_day(program: Program, values: Mapping[str, Any], today: date) -> dict[str, date]:
    """Return the last day that a program gets which ends now and was given none; raises for a day that cannot be."""
    status, sent = values.get("status", program.status), values.get("ends_on")
    if "ends_on" in values and sent != program.ends_on:
        _check_last_day(sent, today)
    if status != ProgramStatus.ENDED:
        return {}
    if program.status == ProgramStatus.ENDED:
        if "ends_on" in values and sent is None:
            raise ValidationFailed.of("ends_on", "required", _("Customers need to know the last day."))
        return {}
    last = sent or program.ends_on
    return {"ends_on": last if last is not None and last >= today else today + RUN_OFF}


def _check_last_day(day: date | None, today: date) -> None:
    if day is not None and day < today:
        raise ValidationFailed.of("ends_on", "in_the_past", _("Choose today or a later day."))
    if day is not None and day > today + rules.LONGEST_RUN_OFF:
        raise ValidationFailed.of("ends_on", "max_value", _("Choose a day within the next ten years."))


def _expiry_not_before(program: Program, values: Mapping[str, Any], today: date) -> date | None:
    """Return before which day no points may expire: set where a running program lets them expire sooner, or goes on."""
    if program.status == ProgramStatus.DRAFT:
        return program.expiry_not_before
    days = values.get("points_expiration_days", program.points_expiration_days)
    goes_on = program.status == ProgramStatus.PAUSED and values.get("status") == ProgramStatus.ACTIVE
    sooner = expiry.comes_sooner(program.points_expiration_days, days)
    if not sooner and not (goes_on and days):
        return program.expiry_not_before
    return max(filter(None, (program.expiry_not_before, expiry.not_before(today))))


def _write_version(program: Program, user_id: UUID | None) -> None:
    ProgramVersion.objects.create(
        program=program, number=program.version, rules=program_fields.snapshot(program), created_by_id=user_id
    )  # fmt: skip
    outbox.publish("program.changed", merchant_id=program.merchant_id, program_id=str(program.pk))
