-- The sums of a report, asked together in one round trip. Django would put each of them together anew for every page,
-- which takes longer than PostgreSQL needs to answer it. {figures}: the sums of analytics.Figures by name; {hours}: the
-- visits of each hour. %(merchant)s is named beside row-level security for the planner's sake; %(store)s is null for all.

-- name: state
SELECT m.currency, s.covered_until, s.version, s.changes::text
FROM merchants_merchant m LEFT JOIN dashboard_rollupstate s ON s.merchant_id = m.id
WHERE m.id = %(merchant)s

-- name: days
SELECT d.day, {figures} FROM dashboard_dayfigures d
WHERE d.merchant_id = %(merchant)s AND d.day BETWEEN %(first)s AND %(last)s
    AND (%(store)s::uuid IS NULL OR d.store_id = %(store)s)
GROUP BY d.day

-- name: sum
SELECT {figures} FROM dashboard_dayfigures d
WHERE d.merchant_id = %(merchant)s AND d.day BETWEEN %(first)s AND %(last)s
    AND (%(store)s::uuid IS NULL OR d.store_id = %(store)s)

-- name: parts
SELECT p.*, s.code, s.name AS store, n.name AS person
FROM (
    SELECT d.store_id, d.staff_id, {figures} FROM dashboard_dayfigures d
    WHERE d.merchant_id = %(merchant)s AND d.day BETWEEN %(first)s AND %(last)s
        AND (%(store)s::uuid IS NULL OR d.store_id = %(store)s)
    GROUP BY d.store_id, d.staff_id
) p
LEFT JOIN stores_store s ON s.merchant_id = %(merchant)s AND s.id = p.store_id
LEFT JOIN stores_staffpin n ON n.merchant_id = %(merchant)s AND n.id = p.staff_id

-- name: weekdays
SELECT extract(isodow FROM d.day)::int AS weekday, ARRAY[{hours}]::bigint[] AS hours FROM dashboard_dayfigures d
WHERE d.merchant_id = %(merchant)s AND d.day BETWEEN %(first)s AND %(last)s
    AND (%(store)s::uuid IS NULL OR d.store_id = %(store)s)
GROUP BY 1

-- name: gone
SELECT count(*) AS gone FROM loyalty_card k
WHERE k.merchant_id = %(merchant)s AND k.status <> 'active' AND k.status IN ('closed', 'merged')
    AND (%(store)s::uuid IS NULL OR k.enrolled_store_id = %(store)s)

-- name: balances
-- At the end of the last day, beside all cards that were made: members are told as of now.
SELECT b.program_id, COALESCE(sum(b.stamps) FILTER (WHERE b.day <= %(last)s), 0)::bigint AS held_stamps,
    COALESCE(sum(b.points) FILTER (WHERE b.day <= %(last)s), 0)::bigint AS held_points,
    COALESCE(sum(b.debt) FILTER (WHERE b.day <= %(last)s), 0)::bigint AS held_debt,
    COALESCE(sum(b.cards) FILTER (WHERE b.day <= %(last)s), 0)::bigint AS made, sum(b.cards)::bigint AS made_ever
FROM dashboard_daybalance b
WHERE b.merchant_id = %(merchant)s AND (%(store)s::uuid IS NULL OR b.store_id = %(store)s)
GROUP BY b.program_id

-- name: worth
SELECT d.program_id, sum(d.sales)::bigint AS sold, sum(d.sales_cents)::bigint AS sold_cents,
    sum(d.rewards_issued - d.stamp_rewards_redeemed - d.rewards_expired)::bigint AS ready
FROM dashboard_dayfigures d
WHERE d.merchant_id = %(merchant)s AND d.day <= %(last)s AND (%(store)s::uuid IS NULL OR d.store_id = %(store)s)
GROUP BY d.program_id

-- name: lapsed
-- What stands on cards that were closed by the end of the last day: nobody can claim it any more (see closed.py).
SELECT k.program_id, sum(k.stamp_count)::bigint AS stamps, sum(k.points_balance)::bigint AS points,
    sum(k.points_debt)::bigint AS debt, sum(k.rewards_ready)::bigint AS rewards
FROM loyalty_card k
JOIN customers_customer c ON c.merchant_id = %(merchant)s AND c.id = k.customer_id
JOIN merchants_merchant m ON m.id = k.merchant_id
WHERE k.merchant_id = %(merchant)s AND k.status <> 'active' AND k.status = 'closed'
    AND (%(store)s::uuid IS NULL OR k.enrolled_store_id = %(store)s)
    AND (c.erased_at IS NULL OR (c.erased_at AT TIME ZONE m.time_zone)::date <= %(last)s)
GROUP BY k.program_id

-- name: programs
SELECT p.id, p.currency, p.stamps_target, p.points_per_euro_num, p.points_per_euro_den
FROM loyalty_program p WHERE p.merchant_id = %(merchant)s
