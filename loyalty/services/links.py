"""What a link in a mail opens: it proves an address, confirms what was waiting for that, and leads to the card."""

from datetime import datetime
from uuid import UUID

from core import outbox, tenancy
from core.errors import DomainError
from core.ids import uuid7
from customers.enums import LinkPurpose
from customers.models import Customer
from customers.services import addresses, consents, customers
from customers.services import links as magic_links
from customers.services.links import Link, LinkExpired
from loyalty.enums import CardStatus, Channel
from loyalty.models import Card, Program
from loyalty.queries import recoveries, storefronts
from loyalty.services import lockouts, merges

ALIVE = (CardStatus.ACTIVE, CardStatus.FROZEN)
REASON = "address confirmed"


def use(*, merchant_id: UUID, link_id: UUID, at: datetime, join: bool = True, lock_out: bool = False) -> Card:
    """Use a link up and return the card it opens (rules 1 and 3). Raises LinkExpired, or CardBusy (try again).

    An address proven for the first time confirms its customer and the consents given with it. One that another
    customer proved before leads to that customer's card, and the new card is merged into it; `join=False` leaves the
    new card apart, for the owner of an address that somebody else typed. lock_out: the card gets a new secret, so that
    a lost phone opens nothing any more; without it both phones open the card.
    """
    with tenancy.scope(merchant_id):
        link = magic_links.use(merchant_id=merchant_id, link_id=link_id, at=at)
        person = _proven(link, at)
        named = Card.objects.select_related("program", "customer").filter(pk=link.card_id).first()
        if named is None:
            raise LinkExpired
        card = _joined(named, person, at) if join and is_claim(named, link, person) else _card_of(person, named.program)
        if card is None:
            raise LinkExpired
        if lock_out:
            lockouts.lock_out(merchant_id=merchant_id, card_id=card.pk, at=at)
            card.refresh_from_db()
        return card


def claim(link: Link) -> Card | None:
    """Return the new card that this link would merge into the one of the address's owner, None when it would not."""
    owner = addresses.owner(link.address)
    named = Card.objects.select_related("program", "customer").filter(pk=link.card_id).first()
    if owner is None or named is None or not is_claim(named, link, owner):
        return None
    return named if _card_of(owner, named.program) is not None else None


def is_claim(named: Card, link: Link, person: Customer) -> bool:
    """Tell whether the link's card was made by the link's customer, and the address is another customer's."""
    return named.status in ALIVE and named.customer_id == link.customer.pk != person.pk


def recover(*, merchant_id: UUID, store_id: UUID, email: str = "", phone: str = "") -> None:
    """Ask for the way back to a card; whether somebody is known shows neither in the answer nor in the work done.

    The event has the same words for everybody: an unknown address names a customer who does not exist. A number leads
    to the proven address of whoever has it.
    """
    with tenancy.scope(merchant_id):
        place = storefronts.load(store_id)
        contact = customers.read_contact(email=email, phone=phone, country=place.merchant.country)
        card_id, customer_id = recoveries.card_of(contact.email_key, contact.phone, place.program) or (uuid7(), uuid7())
        outbox.publish(
            "customers.recover_requested", merchant_id=merchant_id, pages=f"/loyalty/{place.store.code}",
            card_id=str(card_id), customer_id=str(customer_id), event=f"recover/{uuid7()}",
        )  # fmt: skip


def _proven(link: Link, at: datetime) -> Customer:
    """Return the customer whose address the link proves; raises LinkExpired for an address that is theirs no more."""
    who = link.customer
    proven = addresses.prove(merchant_id=who.merchant_id, customer_id=who.pk, address=link.address, at=at)
    if proven is None:
        raise LinkExpired
    # Only the page of a confirmation names what was ticked; who just opens a card agrees to nothing.
    if link.purpose == LinkPurpose.CONFIRM:
        consents.confirm(merchant_id=who.merchant_id, customer=proven, of=who.pk, at=at)
    return proven


def _joined(named: Card, person: Customer, at: datetime) -> Card | None:
    """Merge the new card into the person's own one, or give it to them where they have none in this program."""
    own = _card_of(person, named.program)
    if own is None:
        return _handed_over(named, person, at)
    try:
        merges.merge(
            merchant_id=named.merchant_id, card_id=named.pk, into_id=own.pk, reason=REASON, at=at,
            channel=Channel.STOREFRONT,
        )  # fmt: skip
    except DomainError as refusal:
        if refusal.retry_after is not None:
            raise
        # One of the two is frozen, say: the person gets in all the same, and the cards stay two.
    return _card_of(person, named.program)


def _card_of(person: Customer, program: Program) -> Card | None:
    """Return the person's card in a program: there is one at most. A record that was merged leads to the other's."""
    people = [person.pk] + ([person.merged_into_id] if person.merged_into_id else [])
    alive = Card.objects.filter(customer_id__in=people, program=program, status__in=ALIVE)
    return alive.select_related("program", "customer").order_by("id").first()


def _handed_over(named: Card, person: Customer, at: datetime) -> Card:
    """Give the new card to the customer who proved the address before and had none in this program."""
    alive = Customer.objects.select_for_update(of=("self",), no_key=True).filter(erased_at__isnull=True)
    if alive.filter(pk=person.pk).first() is None:
        raise LinkExpired
    former = named.customer_id
    named.customer = person
    named.save(update_fields=["customer"])
    consents.most_restrictive(merchant_id=named.merchant_id, into=person.pk, other=former, at=at)
    Customer.objects.filter(pk=former).update(merged_into=person)
    outbox.publish("card.changed", merchant_id=named.merchant_id, card_id=str(named.pk))
    return named
