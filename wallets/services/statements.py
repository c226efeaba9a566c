"""The SQL of the queue. Each statement decides on columns of the rows it writes, read under their lock.

Locks are always taken in this order, several rows of a kind in the order of their keys: a pass's row, which stands for
everything about it; devices and their registrations; rows of the queue; the counter of numbers.
"""

RAISE = """
    UPDATE wallets_{provider}pass SET requested_version = requested_version + 1,
        behind_since = COALESCE(behind_since, %(at)s)
    WHERE id = %(pass)s RETURNING requested_version
"""
# What is asked for while the row is with a worker is not covered by what that worker does, whatever its number: so
# claimed_version falls below wanted_version, and the settlement queues the row again. A row that is queued keeps its
# time: it waits for a device's two seconds, or after a fault, unless something more urgent comes along.
ON_CONFLICT = """
        wanted_version = GREATEST(u.wanted_version, EXCLUDED.wanted_version),
        claimed_version = CASE u.state WHEN 'inflight' THEN LEAST(u.claimed_version, EXCLUDED.wanted_version - 1)
            ELSE u.claimed_version END,
        state = CASE u.state WHEN 'inflight' THEN 'inflight' ELSE 'queued' END,
        priority = CASE WHEN u.state IN ('queued', 'inflight') THEN LEAST(u.priority, EXCLUDED.priority)
            ELSE EXCLUDED.priority END,
        due_at = CASE WHEN u.state IN ('sent', 'failed') THEN EXCLUDED.due_at
            WHEN u.state = 'queued' AND u.attempts = 0 AND EXCLUDED.priority < u.priority
                THEN LEAST(u.due_at, EXCLUDED.due_at)
            ELSE u.due_at END,
        queued_at = CASE WHEN u.state IN ('sent', 'failed') THEN EXCLUDED.queued_at ELSE u.queued_at END,
        attempts = CASE WHEN u.state IN ('sent', 'failed') THEN 0 ELSE u.attempts END
"""
ENQUEUE = f"""
    INSERT INTO wallets_passupdate AS u (id, merchant_id, card_id, provider, state, priority, wanted_version,
        claimed_version, attempts, due_at, queued_at, last_error)
    VALUES (%(id)s, %(merchant)s, %(card)s, %(provider)s, 'queued', %(priority)s, %(version)s, 0, 0, %(at)s, %(at)s, '')
    ON CONFLICT (merchant_id, card_id, provider) DO UPDATE SET {ON_CONFLICT}
"""  # noqa: S608 - put together from our own constants
# The same for a card whose pass is there, without asking for the pass first.
RAISE_OF_CARD = """
    UPDATE wallets_{provider}pass SET requested_version = requested_version + 1,
        behind_since = COALESCE(behind_since, %(at)s)
    WHERE merchant_id = %(merchant)s AND card_id = %(card)s RETURNING id
"""
ENQUEUE_CLASS = """
    UPDATE wallets_googleclass u SET wanted_version = u.wanted_version + 1,
        state = CASE u.state WHEN 'inflight' THEN 'inflight' ELSE 'queued' END,
        priority = CASE WHEN u.state IN ('queued', 'inflight') THEN LEAST(u.priority, %(priority)s)
            ELSE %(priority)s END,
        due_at = CASE WHEN u.state IN ('sent', 'failed') THEN %(at)s ELSE u.due_at END,
        queued_at = CASE WHEN u.state IN ('sent', 'failed') THEN %(at)s ELSE u.queued_at END,
        attempts = CASE WHEN u.state IN ('sent', 'failed') THEN 0 ELSE u.attempts END
    WHERE u.id = %(id)s
"""
# Which cards of a program are in a wallet: a device listens; Google has the object, or is about to.
IN_A_WALLET = {
    "apple": "EXISTS (SELECT FROM wallets_appledeviceregistration r WHERE r.merchant_id = p.merchant_id "
    "AND r.apple_pass_id = p.id)",
    "google": "true",
}
# A statement of its own, behind the one that locked the pass: it sees who registered before.
ENQUEUE_OF_CARD = (
    """
    INSERT INTO wallets_passupdate AS u (id, merchant_id, card_id, provider, state, priority, wanted_version,
        claimed_version, attempts, due_at, queued_at, last_error)
    SELECT gen_random_uuid(), p.merchant_id, p.card_id, '{provider}', 'queued', %(priority)s, p.requested_version, 0, 0,
        %(at)s, %(at)s, ''
    FROM wallets_{provider}pass p
    WHERE p.merchant_id = %(merchant)s AND p.card_id = %(card)s AND {in_a_wallet}
    ON CONFLICT (merchant_id, card_id, provider) DO UPDATE SET
    """  # noqa: S608 - put together from our own constants
    + ON_CONFLICT
    + "    RETURNING u.id"
)
LOCK_MANY = """
    SELECT p.id, p.card_id FROM loyalty_card c
    JOIN wallets_{provider}pass p ON p.merchant_id = c.merchant_id AND p.card_id = c.id
    WHERE c.merchant_id = %(merchant)s AND c.program_id = %(program)s AND c.id > %(after)s AND {in_a_wallet}
    ORDER BY c.id LIMIT %(size)s FOR NO KEY UPDATE OF p
"""
LOCK_QUEUED = """
    SELECT u.id FROM wallets_passupdate u
    WHERE u.merchant_id = %(merchant)s AND u.provider = %(provider)s AND u.card_id = ANY (%(cards)s)
    ORDER BY u.id FOR NO KEY UPDATE
"""
ENQUEUE_MANY = f"""
    WITH raised AS (
        UPDATE wallets_{{provider}}pass SET requested_version = requested_version + 1,
            behind_since = COALESCE(behind_since, %(at)s)
        WHERE id = ANY (%(passes)s) RETURNING merchant_id, card_id, requested_version
    )
    INSERT INTO wallets_passupdate AS u (id, merchant_id, card_id, provider, state, priority, wanted_version,
        claimed_version, attempts, due_at, queued_at, last_error)
    SELECT gen_random_uuid(), r.merchant_id, r.card_id, %(provider)s, 'queued', %(priority)s, r.requested_version, 0, 0,
        %(at)s, %(at)s, ''
    FROM raised r
    ON CONFLICT (merchant_id, card_id, provider) DO UPDATE SET {ON_CONFLICT}
"""  # noqa: S608 - as above
# The most urgent of each merchant, then the second of each, and so on: a flood of one merchant makes nobody else wait.
CLAIM = """
    WITH RECURSIVE waiting AS (
        (SELECT merchant_id FROM wallets_passupdate
         WHERE provider = %(provider)s AND state = 'queued' ORDER BY merchant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT u.merchant_id FROM wallets_passupdate u
                WHERE u.provider = %(provider)s AND u.state = 'queued' AND u.merchant_id > w.merchant_id
                ORDER BY u.merchant_id LIMIT 1)
        FROM waiting w WHERE w.merchant_id IS NOT NULL
    ), turns AS (
        SELECT q.id, q.priority, q.due_at, row_number() OVER (
            PARTITION BY w.merchant_id ORDER BY q.priority, q.due_at, q.id) AS turn
        FROM waiting w CROSS JOIN LATERAL (
            SELECT u.id, u.priority, u.due_at FROM wallets_passupdate u
            WHERE u.provider = %(provider)s AND u.merchant_id = w.merchant_id AND u.state = 'queued'
                AND u.due_at <= %(at)s
            ORDER BY u.priority, u.due_at, u.id LIMIT %(share)s
        ) q
    ), chosen AS (
        SELECT u.id FROM wallets_passupdate u
        WHERE u.id = ANY (ARRAY(SELECT t.id FROM turns t ORDER BY t.priority, t.turn, t.due_at, t.id LIMIT %(size)s))
            AND u.state = 'queued' AND u.due_at <= %(at)s
        FOR UPDATE SKIP LOCKED
    )
    UPDATE wallets_passupdate u SET state = 'inflight', claimed_at = %(at)s, claimed_version = u.wanted_version,
        attempts = LEAST(u.attempts + 1, 1000)
    FROM chosen WHERE u.id = chosen.id
    RETURNING u.id, u.merchant_id, u.card_id, u.claimed_version AS version, u.attempts, u.priority, u.queued_at,
        u.claimed_at
"""
# Two statements: the second one sees the rows as they are once the first one holds them.
LOCK_CLAIMED = "SELECT id FROM {table} WHERE id = ANY (%(ids)s) AND state = 'inflight' ORDER BY id FOR NO KEY UPDATE"
SETTLE = """
    UPDATE {table} u SET
        state = CASE WHEN u.wanted_version > u.claimed_version OR r.outcome IN ('retry', 'later') THEN 'queued'
            ELSE r.outcome END,
        attempts = CASE WHEN r.outcome = 'later' THEN GREATEST(u.attempts - 1, 0)
            WHEN r.outcome = 'retry' OR (r.outcome = 'failed' AND u.wanted_version <= u.claimed_version) THEN u.attempts
            ELSE 0 END,
        due_at = CASE WHEN r.outcome IN ('retry', 'later') THEN r.due_at ELSE %(at)s + {pause} END,
        queued_at = CASE WHEN r.outcome IN ('retry', 'later') THEN u.queued_at ELSE u.claimed_at END,
        settled_at = CASE WHEN r.outcome IN ('retry', 'later') THEN u.settled_at ELSE %(at)s END,
        last_error = CASE r.outcome WHEN 'sent' THEN '' WHEN 'later' THEN u.last_error ELSE r.error END,
        claimed_at = NULL
    FROM unnest(%(ids)s::uuid[], %(claims)s::timestamptz[], %(outcomes)s::text[], %(dues)s::timestamptz[],
        %(errors)s::text[]) AS r(id, claimed_at, outcome, due_at, error)
    WHERE u.id = r.id AND u.state = 'inflight' AND u.claimed_at = r.claimed_at
"""
RESCUE = """
    UPDATE {table} SET state = 'queued', claimed_at = NULL, due_at = %(at)s
    WHERE id IN (SELECT id FROM {table} WHERE state = 'inflight' AND claimed_at < %(before)s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
# How long an update that was wanted anew meanwhile waits, by the table. Quick stamps in a row are few of the requests
# that Google allows; for Apple it is the device that waits (see apple_push).
PAUSES = {
    "wallets_passupdate": "CASE u.provider WHEN 'google' THEN interval '1500 milliseconds' ELSE interval '0' END",
    "wallets_googleclass": "interval '0'",
}
NEXT_DUE = "SELECT min(due_at) FROM wallets_passupdate WHERE provider = %(provider)s AND state = 'queued'"
