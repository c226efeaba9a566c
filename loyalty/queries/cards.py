"""Reads of cards for tills and the back office: the list, the search, and the card that a request names."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Q, QuerySet

from core.errors import NotFound
from customers.models import Customer
from customers.queries import keys
from loyalty.enums import CardStatus
from loyalty.models import Card
from loyalty.queries import card_faces
from merchants.models import Merchant
from stores.models import Store

# What `?ordering=` takes, and the columns behind it: those that an index or a small sort serves.
ORDERINGS: dict[str, tuple[str, ...]] = {
    "-last_activity_at": ("-last_activity_on", "-id"),
    "last_activity_at": ("last_activity_on", "id"),
    "-enrolled_at": ("-enrolled_at", "-id"),
    "enrolled_at": ("enrolled_at", "id"),
    "card_number": ("card_number", "id"),
    "-card_number": ("-card_number", "-id"),
}
DEFAULT_ORDERING = "-last_activity_at"
MAX_SEARCH = 254
# Sorts behind every name that begins with the letters before it, by bytes as the "C" collation does.
LAST = "\U0010ffff"
_DIGITS = re.compile(r"\+?[\d\s./()-]+", re.ASCII)


def listed(
    *, search: str = "", status: str | None = None, store_id: UUID | None = None, ready: bool = False
) -> "QuerySet[Card]":  # fmt: skip
    """Return the merchant's cards, unordered; merged ones only when asked for by status.

    search: see `matching`. store_id: cards that were made in this store. ready: a reward waits on it, and the card can
    still be shown.
    """
    # Joins would repeat the tenant's condition on each table: the planner makes an estimate of one row of it and sorts
    # all cards of the merchant, where the index would give it the first page (340 ms against 20 on 50,000 cards).
    found = card_faces.cards().select_related(None).prefetch_related("program", "customer", "enrolled_store")
    found = found.filter(status=status) if status else found.exclude(status=CardStatus.MERGED)
    if store_id is not None:
        found = found.filter(enrolled_store_id=store_id)
    if ready:
        found = found.filter(rewards_ready__gt=0).exclude(status=CardStatus.CLOSED)
    return found.filter(matching(search)) if search.strip() else found


def matching(search: str) -> Q:
    """Return the condition of a search: an address or phone number exactly, a card number or a name by its beginning.

    Ranges and equality only: under row-level security LIKE could use no index.
    """
    text = search.strip()
    if "@" in text:
        return Q(customer__email_key=keys.email_key(text))
    if _DIGITS.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        found = _begins("card_number", digits) | Q(customer_id__in=_with_phone(text))
        # The number of a card that was merged goes on working: it finds the one it leads to.
        led_to = Card.objects.filter(card_number=digits).values_list("merged_into_id", flat=True).first()
        return found | Q(pk=led_to) if led_to else found
    return _begins("customer__name_key", keys.name_key(text))


def by_reference(kind: str, value: str | UUID) -> UUID | None:
    """Return the id of the card that a request names, None when the merchant has no such card.

    kind: qr_code, card_number or card_id. A card that was merged leads to the one it was merged into.
    """
    column = {"qr_code": "qr_code_data", "card_number": "card_number", "card_id": "pk"}[kind]
    row = Card.objects.filter(**{column: value}).values_list("pk", "status", "merged_into_id").first()
    if row is None:
        return None
    card_id, status, merged_into = row
    return merged_into if status == CardStatus.MERGED and merged_into else card_id


def require(card_id: UUID) -> None:
    """Raise NotFound when the merchant has no such card."""
    if not Card.objects.filter(pk=card_id).exists():
        raise NotFound


def store_of(code: str) -> UUID:
    """Return the id of the merchant's store of this code, closed ones too; raises NotFound."""
    found: UUID | None = Store.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound
    return found


def code_of(text: str) -> str:
    """Return the code of a card's QR, which holds the bare code or the address `{SITE_URL}/c/{code}`."""
    text = text.strip()
    if "/" not in text:
        return text
    try:
        path = urlsplit(text).path
    except ValueError:
        return text
    head, _, code = path.rstrip("/").rpartition("/")
    return code if head == "/c" else text


def number_of(text: str) -> str:
    """Return a card number as it is stored; people type it in groups."""
    return re.sub(r"[\s.-]", "", text)


def _begins(column: str, start: str) -> Q:
    return Q(**{f"{column}__gte": start, f"{column}__lt": start + LAST})


def _with_phone(text: str) -> list[UUID]:
    """Return the customers with a phone number, read as it is dialled in the merchant's country."""
    country = Merchant.objects.values_list("country", flat=True).first() or ""
    try:
        number = keys.phone_key(text, country)
    except ValueError:
        return []
    return list(Customer.objects.filter(phone_key=number).values_list("pk", flat=True)[:100])
