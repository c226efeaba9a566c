-- The ledger counted, as SELECTs of the columns of each rollup; used to fill them, to check them, and for the tail that
-- they do not hold yet. {days}: which business days; {f_cards} and its like: the cards that have rows on them; {touched}:
-- of these the ones to count, where a rollup is by card and only some of them have something new. Each scan
-- is bounded by itself and not by a join alone: see planned_for_all in recount.py. %(merchant)s is named beside
-- row-level security for the planner's sake.

-- name: counted
WITH base AS MATERIALIZED (
    SELECT t.id, t.card_id, t.program_id, t.store_id, t.staff_pin_id AS staff_id, t.business_date AS day, t.seq, t.line,
        t.type, t.stamps_delta, t.points_delta, t.purchase_amount_cents AS cents, t.occurred_at
    FROM loyalty_transaction t
    WHERE t.merchant_id = %(merchant)s AND {days} AND {touched}
        AND (t.reverses_id IS NULL OR t.type NOT IN ('void', 'refund'))
), reversed AS (
    SELECT r.reverses_id AS id, bool_or(r.type = 'void') AS voided,
        COALESCE(sum(r.points_delta) FILTER (WHERE r.type = 'void'), 0) AS voided_points,
        COALESCE(-sum(r.points_delta) FILTER (WHERE r.type = 'refund'), 0) AS refunded_points,
        COALESCE(-sum(r.purchase_amount_cents) FILTER (WHERE r.type = 'refund'), 0) AS refunded_cents
    FROM loyalty_transaction r
    WHERE r.merchant_id = %(merchant)s AND r.type IN ('void', 'refund') AND {reverses}
    GROUP BY r.reverses_id
), standing AS (
    SELECT b.*, NOT COALESCE(r.voided, false) AS stands, b.points_delta + COALESCE(r.voided_points, 0) AS points,
        COALESCE(r.refunded_points, 0) AS refunded_points,
        COALESCE(b.cents, 0) - COALESCE(r.refunded_cents, 0) AS net_cents,
        b.type IN ('stamp_earned', 'points_earned') AS earns,
        b.line = 0 AND b.store_id IS NOT NULL AND NOT COALESCE(r.voided, false)
            AND b.type IN ('stamp_earned', 'points_earned', 'stamp_redeemed', 'points_redeemed') AS present
    FROM base b LEFT JOIN reversed r ON r.id = b.id
), counted AS (
    SELECT *, present AND (earns OR 1 = row_number() OVER (
        PARTITION BY present, card_id, store_id, day ORDER BY earns DESC, seq)) AS visit
    FROM standing
)

-- name: figures
-- First by hour, which leaves few rows, then by day: to look at every row 24 times would take most of the time.
SELECT h.program_id, h.store_id, h.staff_id, h.day, sum(h.new_cards) AS new_cards, sum(h.visits) AS visits,
    {by_hour} AS visits_by_hour, sum(h.stamps_given) AS stamps_given, sum(h.rewards_issued) AS rewards_issued,
    sum(h.rewards_expired) AS rewards_expired, sum(h.stamp_rewards_redeemed) AS stamp_rewards_redeemed,
    sum(h.points_rewards_redeemed) AS points_rewards_redeemed, sum(h.points_earned) AS points_earned,
    sum(h.points_refunded) AS points_refunded, sum(h.points_adjusted) AS points_adjusted,
    sum(h.points_moved) AS points_moved, sum(h.points_redeemed) AS points_redeemed,
    sum(h.points_expired) AS points_expired, sum(h.sales) AS sales, sum(h.sales_cents) AS sales_cents
FROM (
    SELECT c.program_id, c.store_id, c.staff_id, c.day, c.hour,
        count(*) FILTER (WHERE c.seq = 1) AS new_cards,
        count(*) FILTER (WHERE c.visit) AS visits,
        COALESCE(sum(c.stamps_delta) FILTER (WHERE c.type = 'stamp_earned' AND c.stands), 0) AS stamps_given,
        count(*) FILTER (WHERE c.type = 'reward_issued' AND c.stands) AS rewards_issued,
        count(*) FILTER (WHERE c.type = 'reward_expired' AND c.stands) AS rewards_expired,
        count(*) FILTER (WHERE c.type = 'stamp_redeemed' AND c.stands) AS stamp_rewards_redeemed,
        count(*) FILTER (WHERE c.type = 'points_redeemed' AND c.stands) AS points_rewards_redeemed,
        COALESCE(sum(c.points) FILTER (WHERE c.type IN ('points_earned', 'welcome_bonus')), 0) AS points_earned,
        sum(c.refunded_points) AS points_refunded,
        COALESCE(sum(c.points) FILTER (WHERE c.type NOT IN (
            'points_earned', 'welcome_bonus', 'merge_in', 'merge_out', 'points_redeemed', 'points_expired')), 0)
            AS points_adjusted,
        COALESCE(sum(c.points) FILTER (WHERE c.type IN ('merge_in', 'merge_out')), 0) AS points_moved,
        COALESCE(-sum(c.points) FILTER (WHERE c.type = 'points_redeemed'), 0) AS points_redeemed,
        COALESCE(-sum(c.points) FILTER (WHERE c.type = 'points_expired'), 0) AS points_expired,
        count(*) FILTER (WHERE c.type = 'points_earned' AND c.stands AND c.net_cents > 0) AS sales,
        COALESCE(sum(c.net_cents) FILTER (WHERE c.type = 'points_earned' AND c.stands), 0) AS sales_cents
    FROM (
        SELECT k.*, CASE WHEN k.visit THEN extract(hour FROM k.occurred_at AT TIME ZONE s.time_zone)::int END AS hour
        FROM counted k LEFT JOIN stores_store s ON s.merchant_id = %(merchant)s AND s.id = k.store_id
    ) c
    GROUP BY c.program_id, c.store_id, c.staff_id, c.day, c.hour
) h
GROUP BY h.program_id, h.store_id, h.staff_id, h.day

-- name: presence
SELECT c.card_id, c.store_id, c.day, f.business_date AS since, count(*) AS visits
FROM counted c
JOIN loyalty_transaction f ON f.merchant_id = %(merchant)s AND f.card_id = c.card_id AND f.seq = 1 AND {f_cards}
WHERE c.visit
GROUP BY c.card_id, c.store_id, c.day, f.business_date

-- name: balance
SELECT k.program_id, k.enrolled_store_id AS store_id, t.business_date AS day,
    count(*) FILTER (WHERE t.seq = 1) AS cards, sum(t.stamps_delta) AS stamps, sum(t.points_delta) AS points,
    sum(t.debt_delta) AS debt
FROM loyalty_transaction t JOIN loyalty_card k ON k.merchant_id = %(merchant)s AND k.id = t.card_id AND {k_cards}
WHERE t.merchant_id = %(merchant)s AND {days}
GROUP BY k.program_id, k.enrolled_store_id, t.business_date

-- name: first_reward
SELECT DISTINCT ON (t.card_id) t.card_id, t.store_id, t.business_date AS day,
    GREATEST(t.business_date - f.business_date, 0) AS days
FROM loyalty_transaction t
JOIN loyalty_transaction f ON f.merchant_id = %(merchant)s AND f.card_id = t.card_id AND f.seq = 1 AND {f_cards}
WHERE t.merchant_id = %(merchant)s AND t.type IN ('reward_issued', 'points_redeemed') AND {t_cards}
    AND NOT EXISTS (SELECT FROM loyalty_transaction r
        WHERE r.merchant_id = %(merchant)s AND r.reverses_id = t.id AND r.type = 'void' AND {voids})
ORDER BY t.card_id, t.seq

-- name: voids
-- Of a card that was merged since the void stands on the other one.
r.reverses_id = ANY(ARRAY(SELECT x.id FROM loyalty_transaction x WHERE x.merchant_id = %(merchant)s
    AND x.type IN ('reward_issued', 'points_redeemed') AND x.card_id = ANY(%(touched)s::uuid[])))

-- name: cards
SELECT COALESCE(array_agg(DISTINCT t.card_id)::text, '{}') AS cards FROM loyalty_transaction t
WHERE t.merchant_id = %(merchant)s AND t.business_date = ANY(%(days)s)

-- name: touched
SELECT COALESCE(array_agg(DISTINCT c.card_id)::text, '{}') AS touched FROM loyalty_transaction t
LEFT JOIN loyalty_transaction o ON o.merchant_id = %(merchant)s AND o.id = t.reverses_id
CROSS JOIN LATERAL (VALUES (t.card_id), (o.card_id)) AS c(card_id)
WHERE t.merchant_id = %(merchant)s AND t.recorded_at >= %(since)s AND c.card_id IS NOT NULL

-- name: dirty
SELECT DISTINCT d.day FROM loyalty_transaction t
LEFT JOIN loyalty_transaction o ON o.merchant_id = %(merchant)s AND o.id = t.reverses_id
CROSS JOIN LATERAL (VALUES (t.business_date), (o.business_date)) AS d(day)
WHERE t.merchant_id = %(merchant)s AND t.recorded_at >= %(since)s AND d.day IS NOT NULL
ORDER BY d.day

-- name: current
-- Whether the ledger has as many rows since the watermark as when the rollups were refreshed, and the stores the same
-- clocks; no row without rollups. The ledger is append-only, so this holds whatever the clocks of the hosts say.
SELECT s.covered_until, s.zones = {zones} AND s.recent = (SELECT count(*) FROM (SELECT FROM loyalty_transaction t
    WHERE t.merchant_id = %(merchant)s AND t.recorded_at >= s.covered_until LIMIT s.recent + 1) r) AS current
FROM dashboard_rollupstate s WHERE s.merchant_id = %(merchant)s

-- name: state
-- How far the rollups are (null: they were never counted) and will be once what can be seen now is counted.
SELECT s.covered_until, s.version, s.changes::text, z.zones::text, COALESCE(s.zones = z.zones, false) AS same_zones,
    h.horizon, (SELECT count(*) FROM loyalty_transaction t
        WHERE t.merchant_id = %(merchant)s AND t.recorded_at >= h.horizon) AS recent
FROM (SELECT {zones} AS zones) z
LEFT JOIN dashboard_rollupstate s ON s.merchant_id = %(merchant)s
CROSS JOIN LATERAL (SELECT GREATEST(s.covered_until, LEAST(%(at)s, ({oldest_write})) - %(margin)s) AS horizon) h

-- name: zones
-- The clock of each store, closed ones too.
(SELECT COALESCE(jsonb_object_agg(z.id, z.time_zone), '{}') FROM stores_store z WHERE z.merchant_id = %(merchant)s)

-- name: cover
INSERT INTO dashboard_rollupstate AS s (merchant_id, covered_until, refreshed_at, zones, version, changes, recent)
VALUES (%(merchant)s, %(until)s, %(at)s, %(zones)s::jsonb, %(version)s, %(changes)s::jsonb, %(recent)s)
ON CONFLICT (merchant_id) DO UPDATE SET covered_until = excluded.covered_until, refreshed_at = excluded.refreshed_at,
    zones = excluded.zones, version = excluded.version, changes = excluded.changes, recent = excluded.recent

-- name: waiting
SELECT m.id FROM merchants_merchant m LEFT JOIN dashboard_rollupstate s ON s.merchant_id = m.id
WHERE EXISTS (SELECT FROM loyalty_transaction t
    WHERE t.merchant_id = m.id AND t.recorded_at >= COALESCE(s.covered_until, '-infinity'))
ORDER BY s.covered_until NULLS FIRST, m.id

-- name: oldest_write
SELECT min(xact_start) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
