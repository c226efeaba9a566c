"""Magic links: a token sent to an address proves the address. Kept as a hash, used once, good for a short time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import DomainError
from customers.enums import LinkPurpose
from customers.models import Customer, MagicLink

TOKEN_BYTES = 32
LIFETIME = {LinkPurpose.CONFIRM: timedelta(days=3), LinkPurpose.RECOVER: timedelta(minutes=30)}
# Nobody's mailbox is filled by a stranger who types the address again and again.
MAX_PER_ADDRESS = 10
PER = timedelta(days=1)


class LinkExpired(DomainError):
    """The link was used, is too old or never was one."""

    code, status, keep = "link_expired", 410, False
    message = _("This link has been used or is too old. Ask for a new one.")


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was found to be good: whose it is, which card it names, the address (a key) that it proves."""

    id: UUID
    customer: Customer
    card_id: UUID | None
    purpose: str
    address: str


def issue(
    *, merchant_id: UUID, customer: Customer, card_id: UUID | None, purpose: LinkPurpose, at: datetime,
    lifetime: timedelta | None = None, address: str | None = None,
) -> str | None:  # fmt: skip
    """Make a link and return its token, which is shown this once; None when the address has had enough for a day.

    lifetime: other than the purpose's own (3 days to confirm, 30 minutes to come back). address: where the mail goes,
    as a key; the customer's own when none is given.
    """
    to = customer.email_key if address is None else address
    with tenancy.scope(merchant_id):
        recent = MagicLink.objects.filter(address=to, created_at__gt=at - PER)
        if recent.count() >= MAX_PER_ADDRESS:
            return None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        MagicLink.objects.create(
            customer=customer, card_id=card_id, purpose=purpose, token_hash=hash_of(token), address=to,
            expires_at=at + (lifetime or LIFETIME[purpose]),
        )  # fmt: skip
        return token


def find(token: str) -> tuple[UUID, UUID]:
    """Return (merchant id, link id) of a token; raises LinkExpired for one that never was."""
    rows = tenancy.lookup("magic_link", hash_of(token))
    if not rows:
        raise LinkExpired
    return rows[0]


def read(*, merchant_id: UUID, link_id: UUID, at: datetime) -> Link:
    """Look at a link without using it (mail scanners open every address); raises LinkExpired."""
    with tenancy.scope(merchant_id):
        return _good(MagicLink.objects.select_related("customer").filter(pk=link_id).first(), at)


def use(*, merchant_id: UUID, link_id: UUID, at: datetime) -> Link:
    """Use a link up and return what it names; the row lock lets one of two clicks win. Raises LinkExpired."""
    with tenancy.scope(merchant_id):
        rows = MagicLink.objects.select_for_update(of=("self",)).select_related("customer")
        row = rows.filter(pk=link_id).first()
        link = _good(row, at)
        MagicLink.objects.filter(pk=link_id).update(used_at=at)
        return link


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _good(row: MagicLink | None, at: datetime) -> Link:
    # A link whose person was erased since it was found is not there any more.
    if row is None or row.used_at is not None or row.expires_at <= at or row.customer.erased_at is not None:
        raise LinkExpired
    # Links from before addresses were kept prove what their customer had then, which nobody could change.
    address = row.address or row.customer.email_key
    return Link(id=row.id, customer=row.customer, card_id=row.card_id, purpose=row.purpose, address=address)
