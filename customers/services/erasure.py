"""Erasure (rule 24): everything personal about a person goes, at once and for good; the ledger stays and names nobody.

Three things that are not the same. *Deactivate*: a card is frozen or closed and its customer stays known.
*Anonymise*, which is what happens here: the rows stay under their random ids, so that sums and statistics go on being
right, and nothing in them leads to a person any more; it cannot be taken back. *Delete*: rows leave the database; here
that is done to what has no use without the person (links, addresses of devices, notes, stored answers), never to the
ledger.

What stays, and why it names nobody: the record with its random id and the day of its erasure; consents without their
address (that there was one, when and to what); mails by kind and time; ledger rows. A till's own order numbers and
idempotency keys stay in the ledger: they are the merchant's books and are not to hold names. Balances stay on a closed
card, as its ledger explains them; statistics leave closed cards out of what is outstanding. Repeating a request under a
key of before is answered as a key that was used (422), since the stored answer is gone.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from psycopg.errors import DeadlockDetected, LockNotAvailable

from core import audit, idempotency, outbox, tenancy
from core.errors import DomainError, NotFound
from customers import extensions
from customers.enums import Channel, MailState
from customers.models import Consent, Customer, MagicLink, Mail
from customers.queries import keys, records
from merchants.models import Merchant

TOPIC = "customers.erased"
LOCK_TIMEOUT = "2s"
WAITING = (MailState.QUEUED, MailState.INFLIGHT)


class PersonBusy(DomainError):
    """Somebody else works on the person's card for longer than we wait."""

    code, keep = "card_busy", False
    message = _("This card is being used at a till. Try again.")


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: the record that was named, when, and how many records of the same person."""

    customer_id: UUID
    erased_at: datetime
    records: int


def erase(
    *, merchant_id: UUID, customer_id: UUID, at: datetime, reason: str = "", user_id: UUID | None = None,
    api_key_id: UUID | None = None,
) -> Erased:  # fmt: skip
    """Anonymise a person with all records that were merged with this one, and close their cards, in one transaction.

    A second time changes nothing and answers the first one's time. reason: of a manager who was asked in writing; it is
    kept for good in the audit. Raises NotFound, PersonBusy (also CardBusy), and ValidationFailed for a reason that is
    too short or names the person.
    """
    with _patient(), tenancy.scope(merchant_id):
        people = _locked(customer_id)
        done = Customer.objects.values_list("erased_at", flat=True).get(pk=customer_id)
        if done is not None:
            return Erased(customer_id, done, len(people))
        rows = list(Customer.objects.filter(pk__in=people).order_by("pk"))
        if user_id is not None or api_key_id is not None:
            reason = audit.clean_reason(reason, without=words(rows))
        ids = [record for eraser in extensions.erasers() for record in eraser.erase(people, at)]
        _scrub(merchant_id, rows, at)
        idempotency.forget([*people, *ids])
        audit.note(
            action="customer_erased", target=f"customer {customer_id}", actor_id=user_id, merchant_id=merchant_id,
            reason=reason, facts=_facts(people, user_id, api_key_id),
        )  # fmt: skip
        outbox.publish(TOPIC, merchant_id=merchant_id, customer_ids=sorted(map(str, people)), at=at.isoformat())
        return Erased(customer_id, at, len(people))


def words(customers: Collection[Customer]) -> list[str]:
    """Return what customers are known by: a note that is kept for good must hold none of it."""
    return [
        text for who in customers for text in (who.name, who.email, who.pending_email, who.phone) if text
    ]  # fmt: skip


def _locked(customer_id: UUID) -> set[UUID]:
    """Find the person's records and lock cards, mails and records, in this order; again if a merge came in between.

    A mail that is being written holds its row and then wants the customer's, hence mails before customers; one that is
    claimed later waits for the customer and finds it erased.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
    people: set[UUID] = set()
    while (found := records.of_person(customer_id)) != people:
        people = found
        for eraser in extensions.erasers():
            eraser.lock(people)
        waiting = Mail.objects.filter(customer_id__in=people, state__in=WAITING)
        list(waiting.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
        rows = Customer.objects.filter(pk__in=people).select_for_update(of=("self",), no_key=True)
        if not list(rows.order_by("pk").values_list("pk")):
            raise NotFound
    return people


def _scrub(merchant_id: UUID, rows: Collection[Customer], at: datetime) -> None:
    people = [row.pk for row in rows]
    proven = _proven(rows)
    links = MagicLink.objects.filter(Q(customer_id__in=people) | Q(address__in=proven))
    links.delete()
    # A mail that somebody is writing at this moment is left to them: it finds the record erased.
    ours = Mail.objects.filter(customer_id__in=people).select_for_update(of=("self",), skip_locked=True)
    mails = Mail.objects.filter(pk__in=list(ours.values_list("pk", flat=True)))
    mails.update(facts={}, last_error="")
    mails.filter(state__in=WAITING).update(state=MailState.DROPPED, claimed_at=None, last_error="erased")
    Consent.objects.filter(customer_id__in=people).exclude(address="").update(address="")
    for key, email in proven.items():
        _forget_address(key, email, people)
    language = Merchant.objects.values_list("default_language", flat=True).get(pk=merchant_id)
    Customer.objects.filter(pk__in=people, erased_at__isnull=True).update(
        name="", name_key="", email="", email_key="", pending_email="", phone="", phone_key="", birth_day=None,
        birth_month=None, birth_year=None, language=language, confirmed_at=None, staff_pin=None, erased_at=at,
    )  # fmt: skip


def _proven(rows: Collection[Customer]) -> dict[str, str]:
    """Return the addresses that the person proved, by key: of today and of before, without those of others now."""
    found = {row.email_key: row.email for row in rows if row.confirmed_at is not None and row.email_key}
    people = [row.pk for row in rows]
    before = Consent.objects.filter(customer_id__in=people, channel=Channel.EMAIL, confirmed_at__isnull=False)
    for address in before.exclude(address="").values_list("address", flat=True):
        found.setdefault(keys.email_key(address), address)
    others = Customer.objects.exclude(pk__in=people).filter(confirmed_at__isnull=False, erased_at__isnull=True)
    taken = set(others.filter(email_key__in=found).values_list("email_key", flat=True))
    return {key: address for key, address in found.items() if key not in taken}


def _forget_address(key: str, email: str, people: Collection[UUID]) -> None:
    """Take a proven address off what others typed: it was the erased person's, and nobody else ever proved it."""
    others = Customer.objects.exclude(pk__in=people).filter(erased_at__isnull=True)
    others.filter(email_key=key, confirmed_at__isnull=True).update(email="", email_key="")
    for row in others.filter(records.others_with_address(email)).exclude(pending_email=""):
        if keys.email_key(row.pending_email) == key:
            others.filter(pk=row.pk).update(pending_email="")
    Consent.objects.filter(address__iexact=email).update(address="")


def _facts(people: Collection[UUID], user_id: UUID | None, api_key_id: UUID | None) -> dict[str, Any]:
    by = "merchant" if user_id is not None or api_key_id is not None else "customer"
    facts: dict[str, Any] = {"by": by, "records": sorted(map(str, people))}
    return {**facts, "api_key": str(api_key_id)} if api_key_id is not None else facts


@contextmanager
def _patient() -> Iterator[None]:
    """Turn a lock that could not be had into PersonBusy."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise PersonBusy(retry_after=1) from error
        raise
