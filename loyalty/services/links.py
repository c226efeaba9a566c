"""What a link in a mail opens: it proves an address, confirms what was waiting for that, and leads to the card."""

from datetime import datetime
from uuid import UUID

from core import outbox, tenancy
from customers.enums import LinkPurpose
from customers.models import Customer
from customers.queries import people
from customers.services import consents, customers
from customers.services import links as magic_links
from customers.services.links import Link, LinkExpired
from loyalty.enums import CardStatus
from loyalty.models import Card, Program
from loyalty.queries import storefronts


def use(*, merchant_id: UUID, link_id: UUID, at: datetime) -> Card:
    """Use a link up and return the card it opens (rules 1 and 3). Raises LinkExpired.

    An address proven for the first time confirms its customer and the consents given with it. One that another
    customer proved before leads to that customer's card; the new, empty card stays apart until the two are merged.
    """
    with tenancy.scope(merchant_id):
        link = magic_links.use(merchant_id=merchant_id, link_id=link_id, at=at)
        person = _proven(link, at)
        named = Card.objects.select_related("program", "customer").filter(pk=link.card_id).first()
        if named is None:
            raise LinkExpired
        card = _card_of(person, named.program) or _handed_over(named, link, person)
        if card is None:
            raise LinkExpired
        return card


def recover(*, merchant_id: UUID, store_id: UUID, email: str) -> None:
    """Ask for the way back to a card; whether the address is known shows neither in the answer nor in the work done."""
    with tenancy.scope(merchant_id):
        place = storefronts.load(store_id)
        contact = customers.read_contact(email=email, country=place.merchant.country)
        card = _card_by_email(contact.email_key, place.program)
        outbox.publish(
            "customers.recover_requested", merchant_id=merchant_id, pages=f"/loyalty/{place.store.code}",
            card_id=str(card.pk) if card else None, customer_id=str(card.customer_id) if card else None,
        )  # fmt: skip


def _proven(link: Link, at: datetime) -> Customer:
    """Return the customer whose address the link proves."""
    who = link.customer
    proven = who
    if who.confirmed_at is None and not customers.confirm(merchant_id=who.merchant_id, customer_id=who.pk, at=at):
        known = people.confirmed_by_email(who.email_key)
        if known is None:
            raise LinkExpired
        proven = known
    # Only the page of a confirmation names what was ticked; who just opens a card agrees to nothing.
    if link.purpose == LinkPurpose.CONFIRM:
        consents.confirm(merchant_id=who.merchant_id, customer=proven, of=who.pk, at=at)
    return proven


def _card_of(person: Customer, program: Program) -> Card | None:
    """Return the person's card in a program: there is one at most."""
    alive = Card.objects.filter(customer=person, program=program, status__in=(CardStatus.ACTIVE, CardStatus.FROZEN))
    return alive.select_related("program", "customer").first()


def _handed_over(named: Card, link: Link, person: Customer) -> Card | None:
    """Give the new card to the customer who proved the address before and had none in this program."""
    alive = named.status in (CardStatus.ACTIVE, CardStatus.FROZEN)
    if not alive or named.customer_id != link.customer.pk:
        return None
    if named.customer_id != person.pk:
        named.customer = person
        named.save(update_fields=["customer"])
        outbox.publish("card.changed", merchant_id=named.merchant_id, card_id=str(named.pk))
    return named


def _card_by_email(email_key: str, program: Program | None) -> Card | None:
    """Return the card of an address: the proven customer's, else the latest one that waits for its confirmation."""
    if not email_key or program is None:
        return None
    found = Card.objects.filter(
        program=program, status__in=(CardStatus.ACTIVE, CardStatus.FROZEN), customer__email_key=email_key,
        customer__erased_at__isnull=True,
    )  # fmt: skip
    return found.order_by("customer__confirmed_at", "-id").first()
