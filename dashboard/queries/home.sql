-- What the home page asks about a store beside its day. {sums}, {hours}: see lately.py. %(merchant)s is named beside
-- row-level security for the planner's sake.

-- name: lately
SELECT d.day, {sums}, ARRAY[{hours}]::bigint[] AS hours FROM dashboard_dayfigures d
WHERE d.merchant_id = %(merchant)s AND d.store_id = %(store)s AND d.day >= %(since)s AND d.day < %(today)s
GROUP BY d.day

-- name: locked
SELECT p.id, p.name, p.locked_until FROM stores_staffpin p
WHERE p.merchant_id = %(merchant)s AND p.is_active AND p.locked_until > %(at)s
ORDER BY p.locked_until LIMIT %(most)s

-- name: undone
-- By what was undone: only what is a day old at most can be, so the few voids of the time are found by the ids, which
-- rise with it, and not by walking through all that was recorded.
SELECT t.staff_pin_id AS id, p.name, count(*) AS count FROM loyalty_transaction t
JOIN stores_staffpin p ON p.merchant_id = %(merchant)s AND p.id = t.staff_pin_id
WHERE t.merchant_id = %(merchant)s AND t.type = 'void' AND t.reverses_id >= %(first)s AND t.line = 0
    AND t.recorded_at >= %(week)s
GROUP BY t.staff_pin_id, p.name
ORDER BY count DESC, t.staff_pin_id

-- name: silent
SELECT s.* FROM (
    SELECT m.id, m.name, COALESCE(m.last_seen_at, m.paired_at) AS seen FROM stores_terminal m
    WHERE m.merchant_id = %(merchant)s AND m.store_id = %(store)s AND m.revoked_at IS NULL
) s
WHERE s.seen < %(week)s ORDER BY s.seen LIMIT 1

-- name: joined
SELECT d.store_id, sum(d.new_cards) AS joined, sum(d.visits) AS visits FROM dashboard_dayfigures d
WHERE d.merchant_id = %(merchant)s AND d.day >= %(since)s
GROUP BY d.store_id

-- name: ready
-- lapsed: on cards that nobody has any more; they are few, and have an index of their own.
SELECT COALESCE(sum(d.rewards_issued - d.stamp_rewards_redeemed - d.rewards_expired), 0)::bigint AS ready, (
    SELECT COALESCE(sum(k.rewards_ready), 0)::bigint FROM loyalty_card k
    WHERE k.merchant_id = %(merchant)s AND k.status <> 'active' AND k.status IN ('closed', 'merged')
) AS lapsed
FROM dashboard_dayfigures d WHERE d.merchant_id = %(merchant)s

-- name: setup
SELECT
    EXISTS (SELECT FROM stores_staffpin p WHERE p.merchant_id = %(merchant)s AND p.is_active) AS has_staff,
    EXISTS (SELECT FROM stores_terminal m
        WHERE m.merchant_id = %(merchant)s AND m.store_id = %(store)s AND m.revoked_at IS NULL) AS has_terminal,
    EXISTS (SELECT FROM loyalty_card k WHERE k.merchant_id = %(merchant)s) AS has_cards
