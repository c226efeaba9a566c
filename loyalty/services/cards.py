"""Enrolment: a customer, a card and the first row of its ledger, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import outbox, tenancy
from core.errors import DomainError
from core.idempotency import IdempotencyKeyReused
from core.ids import uuid7
from core.web import stored_address
from customers.models import Customer
from customers.services import consents as consent_services
from customers.services import customers
from loyalty.enums import Channel, TransactionType
from loyalty.models import Card, Program, Transaction, TransactionDetail
from loyalty.queries import access, storefronts
from loyalty.queries.storefronts import Storefront
from loyalty.rules import timing
from stores.queries.access import Credential

ATTEMPTS = 5
CHANNELS: Mapping[str, str] = {"api_key": Channel.API, "terminal": Channel.TERMINAL, "user": Channel.DASHBOARD}
CLOSED: Mapping[str, str | Promise] = {
    storefronts.MERCHANT_SUSPENDED: _("No new cards can be made here at the moment."),
    storefronts.PROGRAM_NOT_ACTIVE: _("This programme takes no new cards at the moment."),
    storefronts.SELF_ENROLLMENT_OFF: _("Ask at the till: the team makes your card."),
}


class EnrollmentClosed(DomainError):
    """No new cards here: the merchant, the program or the setting says so; `reason` tells which."""

    code = "enrollment_closed"
    keep = False
    message = CLOSED[storefronts.PROGRAM_NOT_ACTIVE]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes the card, as the ledger names it; by default the customer on an own phone."""

    channel: str = Channel.STOREFRONT
    api_key_id: UUID | None = None
    terminal_id: UUID | None = None
    user_id: UUID | None = None
    staff_pin_id: UUID | None = None

    @classmethod
    def of(cls, credential: Credential, staff_pin_id: UUID | None = None) -> "Actor":
        """Return the actor behind a till's, a script's or a person's credential."""
        kind = credential.kind
        return cls(
            channel=CHANNELS[kind],
            api_key_id=credential.id if kind == "api_key" else None,
            terminal_id=credential.id if kind == "terminal" else None,
            user_id=credential.id if kind == "user" else None,
            staff_pin_id=staff_pin_id,
        )


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new card, and the secret that opens it for its customer."""

    card: Card
    access_secret: str


def enroll(  # noqa: PLR0913 - one argument per field of the form, all by name
    *,
    merchant_id: UUID,
    store_id: UUID,
    at: datetime,
    name: str = "",
    email: str = "",
    phone: str = "",
    birthday: str = "",
    language: str = "",
    consents: Mapping[consent_services.Kind, bool] | None = None,
    source: Literal["storefront", "staff"] = "storefront",
    actor: Actor | None = None,
    idempotency_key: str | None = None,
    ip: str = "",
    user_agent: str = "",
) -> Enrolled:
    """Make a customer and a card in the program that the store runs (rules 1, 2, 3, 5 and 23).

    Nobody is looked up by address: a known one makes the same rows as an unknown one, and what the mail says is decided
    later by the task behind `customers.enrolled`. `consents` holds the boxes ticked by the customer's own hand; what
    staff type carries none. birthday is `MM-DD` or `YYYY-MM-DD`. Raises NotFound (a closed store), ValidationFailed
    (by field), EnrollmentClosed and IdempotencyKeyReused (the ledger has the key already).
    """
    decisions = {kind: True for kind, ticked in (consents or {}).items() if ticked and source == "storefront"}
    with tenancy.scope(merchant_id):
        place = storefronts.load(store_id)
        contact = customers.read_contact(
            name=name, email=email, phone=phone, birthday=birthday, language=language,
            country=place.merchant.country, today=at.astimezone(timing.zone(place.store.time_zone)).date(),
        )  # fmt: skip
        consent_services.require_addresses(decisions, email=contact.email, phone=contact.phone)
        program = _open_program(place, by_staff=source == "staff")
        customer = customers.create(
            merchant_id=merchant_id, contact=contact, default_language=place.merchant.default_language
        )  # fmt: skip
        consent_services.record(
            merchant_id=merchant_id, customer=customer, decisions=decisions, source=source,
            language=customer.language, at=at,
        )  # fmt: skip
        card, secret = _make_card(place, program, customer, at)
        row = _first_row(place, card, actor or Actor(), idempotency_key or f"auto-{uuid7()}", at)
        TransactionDetail.objects.create(transaction=row, ip=stored_address(ip), user_agent=user_agent[:200])
        _announce(place, card, customer)
        return Enrolled(card=card, access_secret=secret)


def _open_program(place: Storefront, *, by_staff: bool) -> Program:
    reason = place.closed_reason(by_staff=by_staff)
    if reason is not None or place.program is None:
        reason = reason or storefronts.PROGRAM_NOT_ACTIVE
        raise EnrollmentClosed(message=CLOSED[reason], reason=reason)
    return place.program


def _make_card(place: Storefront, program: Program, customer: Customer, at: datetime) -> tuple[Card, str]:
    """Insert the card; a number that another card of the merchant has by chance is drawn again."""
    card_id = uuid7()
    secret = access.new_secret(card_id, 1)
    card = Card(
        id=card_id, merchant_id=customer.merchant_id, program=program, customer=customer, enrolled_store=place.store,
        qr_code_data=access.new_code(), access_hash=access.hash_of(secret), stamps_target=program.stamps_target,
        stamps_reward=program.stamps_reward_description, seq=1, enrolled_at=at,
        last_activity_on=timing.business_date(at, place.store.time_zone, place.store.day_start),
    )  # fmt: skip
    for attempt in range(1, ATTEMPTS + 1):
        card.card_number = access.new_number()
        try:
            with transaction.atomic():
                card.save(force_insert=True)
            break
        except IntegrityError as error:
            if attempt == ATTEMPTS or "loyalty_card_number" not in str(error):
                raise
    return card, secret


def _first_row(place: Storefront, card: Card, actor: Actor, key: str, at: datetime) -> Transaction:
    row = Transaction(
        card=card, program=card.program, program_version=card.program.version, seq=1, idempotency_key=key,
        type=TransactionType.CARD_ENROLLED, stamps_after=0, points_after=0, currency=card.program.currency,
        store=place.store, staff_pin_id=actor.staff_pin_id, terminal_id=actor.terminal_id,
        api_key_id=actor.api_key_id, user_id=actor.user_id, channel=actor.channel,
        business_date=card.last_activity_on, occurred_at=at, recorded_at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "loyalty_ledger_key" in str(error):
            raise IdempotencyKeyReused from None
        raise
    return row


def _announce(place: Storefront, card: Card, customer: Customer) -> None:
    outbox.publish(
        "customers.enrolled", merchant_id=card.merchant_id, card_id=str(card.id), customer_id=str(customer.id),
        pages=f"/loyalty/{place.store.code}",
    )  # fmt: skip
    outbox.publish("card.changed", merchant_id=card.merchant_id, card_id=str(card.id), why="card_enrolled")
