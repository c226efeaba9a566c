-- The two statements of load.py, run for some thousand cards of one merchant at a time, in the merchant's scope.

INSERT INTO customers_customer (
    id, merchant_id, name, email, pending_email, phone, name_key, email_key, phone_key, language, confirmed_at,
    created_at)
SELECT p.id, %(merchant)s, 'Customer ' || p.n, 'customer' || p.n || '@load.example', '', '', 'customer ' || p.n,
    'customer' || p.n || '@load.example', '', 'en', %(at)s, %(at)s
FROM (SELECT id, %(start)s + ordinality AS n FROM unnest(%(people)s::uuid[]) WITH ORDINALITY AS u(id, ordinality)) p;

-- pattern: the rows that a card repeats after its first one. card: what was drawn for each card. line: each ledger row
-- with its place in the pattern, its moment and its purchase. ledger: with the sums up to it. Ids are UUIDv7 of the
-- moment: 48 bits of milliseconds, then bits of a hash that card and row determine.
WITH pattern AS (
    SELECT * FROM unnest(%(types)s::text[], %(stamps)s::int[], %(stamps_after)s::int[], %(sales)s::bool[],
        %(points)s::int[], %(backs)s::int[], %(marks)s::text[])
        WITH ORDINALITY AS p(type, stamps, stamps_after, sale, points, back, mark, place)
    UNION ALL SELECT 'card_enrolled', 0, 0, false, 0, 0, '', 0
), card AS (
    SELECT *, (%(stores)s::uuid[])[1 + ordinality %% 2] AS store_id, (%(start)s + ordinality)::int AS n
    FROM unnest(%(cards)s::uuid[], %(people)s::uuid[], %(rows)s::int[], %(hashes)s::text[], %(numbers)s::text[],
        %(codes)s::text[]) WITH ORDINALITY AS c(id, customer_id, rows, access_hash, card_number, code, ordinality)
), line AS (
    SELECT c.id AS card_id, c.n, c.store_id, s AS seq, p.*, (s - 2) / %(period)s AS cycle,
        %(at)s::timestamptz - (c.rows - s + p.back + 1) * %(every)s::interval
            - (hashint4(c.n * 31 + s - p.back) & 65535) * interval '1 second' AS at,
        CASE WHEN p.sale THEN 1500 + (hashint4(c.n + s * 7919) & 4095) END AS cents
    FROM card c CROSS JOIN LATERAL generate_series(1, c.rows) AS s
    JOIN pattern p ON p.place = CASE WHEN s = 1 THEN 0 ELSE 1 + (s - 2) %% %(period)s END
), summed AS (
    SELECT *, COALESCE(sum(cents * 10000) OVER sofar, 0)::bigint AS micro,
        COALESCE(sum(points) OVER sofar, 0)::int AS spent
    FROM line WINDOW sofar AS (PARTITION BY card_id ORDER BY seq)
), ledger AS (
    SELECT *, CASE WHEN sale THEN micro / 1000000 - (micro - cents * 10000) / 1000000 ELSE 0 END AS granted,
        (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(card_id::text || seq), 1, 3) || '8' || substr(md5(card_id::text || seq), 4, 15))::uuid AS id,
        CASE WHEN mark <> '' THEN (lpad(to_hex((extract(epoch FROM %(at)s::timestamptz) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(card_id::text || 'r' || cycle), 1, 3)
            || '8' || substr(md5(card_id::text || 'r' || cycle), 4, 15))::uuid END AS issued_id
    FROM summed
), rewards AS (
    INSERT INTO loyalty_issuedreward (
        id, merchant_id, card_id, program_id, reward_id, source, name, state, stamps_used, stamps_held, points_used,
        issued_at, redeemed_at)
    SELECT i.issued_id, %(merchant)s, i.card_id, %(program)s, CASE i.mark WHEN 'buy' THEN %(reward)s::uuid END,
        CASE i.mark WHEN 'buy' THEN 'points' ELSE 'stamps' END, '1 reward',
        CASE WHEN r.at IS NULL THEN 'issued' ELSE 'redeemed' END, CASE i.mark WHEN 'buy' THEN 0 ELSE %(target)s END, 0,
        -i.points, i.at, r.at
    FROM ledger i LEFT JOIN ledger r ON r.issued_id = i.issued_id AND r.mark IN ('redeem', 'buy')
    WHERE i.mark IN ('issue', 'buy')
), totals AS (
    SELECT card_id, sum(stamps) AS stamp_count, sum(points + granted) AS points, max(micro) AS micro,
        sum((mark = 'issue')::int - (mark = 'redeem')::int) AS ready,
        max(at) FILTER (WHERE type = 'stamp_earned') AS last_stamp_at,
        max(at) FILTER (WHERE sale OR mark = 'buy') AS last_points_at, max(at) AS last_at, min(at) AS first_at
    FROM ledger GROUP BY card_id
), cards AS (
    INSERT INTO loyalty_card (
        id, merchant_id, program_id, customer_id, enrolled_store_id, card_number, qr_code_data, access_hash,
        access_version, status, status_reason, stamp_count, stamps_target, stamps_reward, points_balance, points_debt,
        points_micro, points_granted, rewards_ready, stamps_today, stamps_day, welcome_granted, last_stamp_at,
        last_points_at, last_activity_on, seq, version, enrolled_at)
    SELECT c.id, %(merchant)s, %(program)s, c.customer_id, c.store_id, c.card_number, c.code, c.access_hash,
        1, 'active', '', t.stamp_count, %(target)s, '1 reward', t.points, 0,
        t.micro, t.micro / 1000000, t.ready, (t.last_stamp_at IS NOT NULL)::int,
        (t.last_stamp_at AT TIME ZONE 'Europe/Luxembourg')::date, false, t.last_stamp_at,
        t.last_points_at, (t.last_at AT TIME ZONE 'Europe/Luxembourg')::date, c.rows, c.rows, t.first_at
    FROM card c JOIN totals t ON t.card_id = c.id
)
INSERT INTO loyalty_transaction (
    id, merchant_id, card_id, program_id, program_version, seq, idempotency_key, line, type, stamps_delta, points_delta,
    debt_delta, micro_delta, granted_delta, credit_delta_cents, stamps_after, points_after, points_granted,
    purchase_amount_cents, currency, order_reference, reward_id, issued_reward_id, store_id, api_key_id, channel,
    business_date, occurred_at, recorded_at)
SELECT i.id, %(merchant)s, i.card_id, %(program)s, 1, i.seq, 'load-' || i.n || '-' || (i.seq - i.back), i.back, i.type,
    i.stamps, i.points + i.granted, 0, CASE WHEN i.sale THEN i.cents * 10000 ELSE 0 END, i.granted, 0, i.stamps_after,
    i.micro / 1000000 + i.spent, i.granted, i.cents, 'EUR', '', CASE i.mark WHEN 'buy' THEN %(reward)s::uuid END,
    i.issued_id, i.store_id, %(api_key)s, 'api', (i.at AT TIME ZONE 'Europe/Luxembourg')::date, i.at, i.at
FROM ledger i;
