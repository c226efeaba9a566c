"""Numbers by which a device asks what changed: one counter per pass type, so that they are committed in their order."""

from django.db import connection, transaction

TAKE = """
    INSERT INTO wallets_tagcounter AS t (pass_type, value) VALUES (%s, %s)
    ON CONFLICT (pass_type) DO UPDATE SET value = t.value + EXCLUDED.value
    RETURNING value
"""


def take(pass_type: str, count: int) -> int:
    """Take `count` numbers in a row and return the first; the counter is made when it is not there.

    The counter stays locked until the caller's transaction ends: nobody can commit a larger number before a smaller
    one. So it is the last lock that a transaction takes (passes, then devices, then numbers), the transaction is short,
    and it is durable when it ends: a number that a device has seen must never be given out again.
    """
    if count < 1:
        raise ValueError("at least one number is taken")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("numbers are taken in the transaction that uses them")
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [pass_type, count])
        return int(cursor.fetchone()[0]) - count + 1
