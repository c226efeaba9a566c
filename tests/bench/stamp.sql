-- A stamp as plain SQL, for pgbench. What \gset keeps is put into the later statements as it is, hence quote_literal. The
-- card comes by its number in a helper table, since pgbench draws numbers only.
\set n random(1, {cards})
BEGIN;
SELECT set_config('app.merchant_id', '{merchant}', true);
SELECT k.id, k.scopes, k.revoked_at, p.cooldown_minutes, p.max_daily_stamps
    FROM stores_apikey k, loyalty_program p WHERE k.prefix = '{prefix}' AND p.is_default;
SELECT quote_literal(c.id) AS card, c.seq + 1 AS seq, c.stamp_count + 1 AS stamps
    FROM loyalty_card c WHERE c.id = (SELECT b.id FROM bench_card b WHERE b.n = :n) FOR NO KEY UPDATE \gset
UPDATE loyalty_card SET stamp_count = :stamps, seq = :seq, version = version + 1, stamps_today = 1,
    stamps_day = current_date, last_stamp_at = now(), last_activity_on = current_date WHERE id = :card;
INSERT INTO loyalty_transaction (id, merchant_id, card_id, program_id, program_version, seq, idempotency_key, line, type,
        stamps_delta, points_delta, debt_delta, micro_delta, granted_delta, credit_delta_cents, stamps_after,
        points_after, points_granted, currency, order_reference, store_id, channel, business_date, occurred_at,
        recorded_at)
    VALUES (gen_random_uuid(), '{merchant}', :card, '{program}', 1, :seq, gen_random_uuid()::text, 0, 'stamp_earned',
        1, 0, 0, 0, 0, 0, :stamps, 0, 0, 'EUR', '', '{store}', 'api', current_date, now(), now());
INSERT INTO core_outboxevent (merchant_id, topic, payload, state, attempts, last_error, created_at)
    VALUES ('{merchant}', 'card.changed', '{{}}', 'queued', 0, '', now());
COMMIT;
