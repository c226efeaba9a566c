"""Everything that a merchant holds of a person, for the person (GDPR articles 15 and 20): read in bounded pieces.

Of all records that were merged into one (customers.queries.records), for the data of each are theirs. Left out is what
the team wrote for itself (why a card rests, notes beside corrections): those words are the shop's, and it is asked for
them; and hashes of links and secrets, which open nothing and tell nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import tenancy
from customers.enums import MailKind
from customers.models import Consent, Customer, MagicLink, Mail
from customers.queries import records
from loyalty.enums import Channel
from loyalty.models import Card, IssuedReward, Transaction, TransactionDetail
from loyalty.queries import card_faces, history
from loyalty.queries.card_faces import CardFace
from loyalty.queries.history import Entry
from merchants.models import Merchant

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Whole:
    """What is there but for the long histories: those come by `entries` and `issued`.

    person: the record that goes on; earlier: those that were merged into it. The lists are of all of them. mails,
    links: those to addresses that the person proved, the mails from then on.
    """

    merchant: Merchant
    person: Customer
    earlier: Sequence[Customer]
    consents: Sequence[Consent]
    mails: Sequence[Mail]
    links: Sequence[MagicLink]
    faces: Sequence[CardFace]


@dataclass(frozen=True, slots=True)
class Line:
    """A ledger row, and from which browser it came where that was the customer's own."""

    entry: Entry
    detail: TransactionDetail | None


def whole(card_id: UUID, at: datetime) -> Whole | None:
    """Return what is held of a card's holder, None for a card that is not there or erased; in an open scope."""
    card = Card.objects.select_related("customer").filter(pk=card_id, customer__erased_at__isnull=True).first()
    if card is None:
        return None
    people = list(Customer.objects.filter(pk__in=records.of_person(card.customer_id)).order_by("pk"))
    ids = [row.pk for row in people]
    proven = {row.email_key: row.confirmed_at for row in people if row.email_key and row.confirmed_at is not None}
    return Whole(
        merchant=Merchant.objects.get(pk=card.merchant_id),
        person=card.customer,
        earlier=[row for row in people if row.pk != card.customer_id],
        consents=list(Consent.objects.filter(customer_id__in=ids).order_by("recorded_at", "pk")),
        mails=_mails(people, proven),
        links=list(MagicLink.objects.filter(customer_id__in=ids, address__in=proven).order_by("created_at", "pk")),
        faces=card_faces.faces(card_faces.cards().filter(customer_id__in=ids).order_by("enrolled_at", "pk"), at),
    )  # fmt: skip


def _mails(people: Sequence[Customer], proven: Mapping[str, datetime]) -> list[Mail]:
    """Return the mails that went to proven addresses.

    A mail that asks to confirm goes to an address before it is proven, also to a new one that waits beside the old.
    """
    since = {row.pk: proven[row.email_key] for row in people if row.email_key in proven}
    rows = Mail.objects.filter(customer_id__in=since).exclude(kind=MailKind.CONFIRM).order_by("created_at", "pk")
    return [row for row in rows if row.created_at >= since[row.customer_id]]


def entries(card_id: UUID, merchant_id: UUID) -> Iterator[Line]:
    """Yield a card's ledger rows, the oldest first, in a scope per chunk and with none open between them."""
    seq = 0
    while True:
        with tenancy.scope(merchant_id):
            rows = list(history.of_card(card_id).filter(seq__gt=seq).order_by("seq")[:CHUNK])
            found = _lines(rows)
        yield from found
        if len(rows) < CHUNK:
            return
        seq = rows[-1].seq


def latest(card_ids: Collection[UUID], at_most: int) -> list[Entry]:
    """Return the newest rows of some cards, the newest first; in an open scope."""
    rows = history.rows().filter(card_id__in=card_ids).order_by("-occurred_at", "-seq")
    return history.entries(rows[:at_most])


def issued(card_id: UUID, merchant_id: UUID) -> Iterator[IssuedReward]:
    """Yield the rewards that a card ever got, the oldest first, in a scope per chunk."""
    last: UUID | None = None
    while True:
        with tenancy.scope(merchant_id):
            rows = IssuedReward.objects.filter(card_id=card_id).order_by("pk")
            chunk = list((rows if last is None else rows.filter(pk__gt=last))[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk


def _lines(rows: Sequence[Transaction]) -> list[Line]:
    own = [row.pk for row in rows if row.channel == Channel.STOREFRONT]
    details = {row.transaction_id: row for row in TransactionDetail.objects.filter(transaction_id__in=own)}
    return [Line(entry, details.get(entry.row.pk)) for entry in history.entries(rows)]
