"""Which card an address leads back to: one statement, the same for the known and the unknown."""

from uuid import UUID

from django.db import connection

from loyalty.models import Program

# A merged record leads to the one that goes on. The condition is one of the two below, so that an index serves it.
CARD_OF = """
    SELECT card.id, card.customer_id
    FROM customers_customer who
    JOIN customers_customer goes_on ON goes_on.id = COALESCE(who.merged_into_id, who.id)
    JOIN loyalty_card card ON card.customer_id = goes_on.id
    WHERE {who} AND who.erased_at IS NULL AND goes_on.erased_at IS NULL AND goes_on.email <> ''
        AND card.program_id = %(program)s AND card.status IN ('active', 'frozen')
    ORDER BY who.confirmed_at DESC NULLS LAST, card.id DESC LIMIT 1
"""
# An address: the proven customer's card, else the latest one that waits for its confirmation.
BY_EMAIL = CARD_OF.format(who="who.email_key = %(value)s")
# A number proves nothing: it counts for customers with a proven address, where the mail goes.
BY_PHONE = CARD_OF.format(who="who.phone_key = %(value)s AND goes_on.confirmed_at IS NOT NULL")


def card_of(email_key: str, phone_key: str, program: Program | None) -> tuple[UUID, UUID] | None:
    """Return (card id, customer id) of an address or a number, None when nobody is known by it; in an open scope."""
    statement, value = (BY_EMAIL, email_key) if email_key else (BY_PHONE, phone_key)
    if not value:
        return None
    with connection.cursor() as cursor:
        cursor.execute(statement, {"value": value, "program": program.pk if program else None})
        found: tuple[UUID, UUID] | None = cursor.fetchone()
        return found
