"""What the holder of a card changes about themselves: name, address, number, birthday, language, consents."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import outbox, tenancy
from core.errors import DomainError, NotFound
from core.ids import uuid7
from customers.enums import Channel, MailKind
from customers.models import Consent, Customer
from customers.queries import keys
from customers.services import addresses, consents, customers
from loyalty.models import Card
from loyalty.queries import storefronts
from loyalty.rules import timing

SOURCE = "profile"


class NoAddress(DomainError):
    """There is no address to which the card could be sent."""

    code, keep = "no_address", False
    message = _("Add your e-mail address first.")


def change(*, merchant_id: UUID, card_id: UUID, changes: Mapping[str, str | None], at: datetime) -> Customer:
    """Change what `changes` names; None or empty text clears a field (the language goes back to the merchant's).

    A new e-mail address counts once it is proven by the link mailed to it; a proven one stays until then. Whether an
    address is known to the merchant shows neither in the answer nor in the work done: that is decided when the mail is
    written. Raises NotFound and ValidationFailed (by field).
    """
    with tenancy.scope(merchant_id):
        card = _card(card_id)
        place = storefronts.of(card.enrolled_store)
        contact = customers.read_contact(
            **{field: value or "" for field, value in changes.items()}, country=place.merchant.country,
            today=at.astimezone(timing.zone(place.store.time_zone)).date(),
        )  # fmt: skip
        customer = _locked(card.customer_id)
        if "name" in changes:
            customer.name, customer.name_key = contact.name, keys.name_key(contact.name)
        if "phone" in changes:
            customer.phone = customer.phone_key = contact.phone
        if "birthday" in changes:
            born = contact.birthday
            customer.birth_day, customer.birth_month = (born.day, born.month) if born else (None, None)
            customer.birth_year = born.year if born else None
        if "language" in changes:
            customer.language = contact.language or place.merchant.default_language
        to_prove = "email" in changes and addresses.note(customer, contact.email)
        customer.save()
        if to_prove:
            _ask_to_confirm(card)
        outbox.publish("card.changed", merchant_id=merchant_id, card_id=str(card.pk), why="profile")
        return customer


def decide(
    *, merchant_id: UUID, card_id: UUID, purpose: str, channel: str, granted: bool, language: str, at: datetime
) -> Consent:  # fmt: skip
    """Write a consent or its withdrawal by the customer's own hand; one by e-mail asks to confirm an unproven address.

    Raises NotFound, and ValidationFailed where there is no address or number that it could be about.
    """
    with tenancy.scope(merchant_id):
        card = _card(card_id)
        row = consents.decide(
            merchant_id=merchant_id, customer_id=card.customer_id, purpose=purpose, channel=channel, granted=granted,
            source=SOURCE, language=language, at=at,
        )  # fmt: skip
        if granted and channel == Channel.EMAIL and card.customer.confirmed_at is None:
            _ask_to_confirm(card)
        return row


def mail_card(*, merchant_id: UUID, card_id: UUID, at: datetime) -> None:
    """Send the card to its customer's address; an address that is not proven yet is asked to confirm once more.

    Raises NotFound and NoAddress.
    """
    with tenancy.scope(merchant_id):
        card = _card(card_id)
        if addresses.waiting(card.customer):
            _ask_to_confirm(card)
            return
        if not card.customer.email:
            raise NoAddress
        outbox.publish(
            "customers.recover_requested", merchant_id=merchant_id, customer_id=str(card.customer_id),
            card_id=str(card.pk), pages=_pages(card), event=f"card/{uuid7()}", kind=MailKind.CARD.value,
        )  # fmt: skip


def _card(card_id: UUID) -> Card:
    found = Card.objects.select_related("customer", "enrolled_store", "program").filter(
        pk=card_id, customer__erased_at__isnull=True
    ).first()  # fmt: skip
    if found is None:
        raise NotFound
    return found


def _locked(customer_id: UUID) -> Customer:
    """Lock the customer; one who was erased while we waited for that is not there any more."""
    rows = Customer.objects.select_for_update(of=("self",), no_key=True)
    found: Customer | None = rows.filter(pk=customer_id, erased_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def _ask_to_confirm(card: Card) -> None:
    outbox.publish(
        "customers.address_typed", merchant_id=card.merchant_id, customer_id=str(card.customer_id),
        card_id=str(card.pk), pages=_pages(card), event=f"address/{uuid7()}",
    )  # fmt: skip


def _pages(card: Card) -> str:
    """Return the path of the customer pages: of the store where the card was made, while it is open."""
    running = storefronts.stores_running(card.program)
    store = running.filter(pk=card.enrolled_store_id).first() or running.first() or card.enrolled_store
    return f"/loyalty/{store.code}"
