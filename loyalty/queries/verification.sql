-- What verify_ledger asks. Each statement answers (merchant_id, card_id, about, kind, says): one row per difference.
-- `%(merchant)s` is one merchant or NULL for all; everything runs in one snapshot and in the platform's scope.

-- name: cards
-- Each card against the sums of its ledger, in one pass over the ledger without sorting it. A running balance is right
-- when what each row starts from is what the row before it ended with: the pairs (seq, balance before) of the rows 1..n
-- are then the pairs (seq + 1, balance after) of the rows 0..n-1, row 0 being nothing and row n the card itself. Whether
-- two heaps of pairs are the same is seen from the sums of their hashes; `rows` below names the row for whoever differs.
WITH summed AS (
    SELECT t.card_id, t.merchant_id, t.program_id, count(*) AS rows, min(t.seq) AS first, max(t.seq) AS last,
        sum(t.stamps_delta) AS stamps, sum(t.points_delta) AS points, sum(t.debt_delta) AS debt,
        sum(t.micro_delta) AS micro, sum(t.granted_delta) AS granted, min(LEAST(t.stamps_after, t.points_after)) AS least,
        sum((hashint8extended((t.seq::bigint << 32) + t.stamps_after - t.stamps_delta, 0) >> 16)
            - (hashint8extended((t.seq::bigint + 1 << 32) + t.stamps_after, 0) >> 16)) AS stamp_steps,
        sum((hashint8extended((t.seq::bigint << 32) + t.points_after - t.points_delta, 0) >> 16)
            - (hashint8extended((t.seq::bigint + 1 << 32) + t.points_after, 0) >> 16)) AS point_steps
    FROM loyalty_transaction t WHERE %(merchant)s::uuid IS NULL OR t.merchant_id = %(merchant)s
    GROUP BY t.card_id, t.merchant_id, t.program_id
), compared AS (
    SELECT COALESCE(c.merchant_id, s.merchant_id) AS merchant_id, COALESCE(c.id, s.card_id) AS card_id, s.rows, s.first,
        s.last, s.stamps, s.points, s.debt, s.micro, s.granted, s.least, c.seq, c.stamp_count, c.points_balance,
        c.points_debt, c.points_micro, c.points_granted,
        (c.program_id = s.program_id AND c.merchant_id = s.merchant_id) AS of_its_program,
        s.stamp_steps + (hashint8extended((c.seq::bigint + 1 << 32) + c.stamp_count, 0) >> 16)
            = hashint8extended(1::bigint << 32, 0) >> 16 AS stamps_run,
        s.point_steps + (hashint8extended((c.seq::bigint + 1 << 32) + c.points_balance, 0) >> 16)
            = hashint8extended(1::bigint << 32, 0) >> 16 AS points_run,
        LEAST(c.stamp_count, c.points_balance, c.points_debt, c.points_micro, c.points_granted, c.rewards_ready,
            c.stamps_today) AS least_counter
    FROM (SELECT * FROM loyalty_card c WHERE %(merchant)s::uuid IS NULL OR c.merchant_id = %(merchant)s) c
    FULL JOIN summed s ON s.card_id = c.id
), wrong AS (
    SELECT * FROM compared
    WHERE (rows, first, last, stamps, points, debt, micro, granted) IS DISTINCT FROM
            (seq::bigint, 1, seq, stamp_count::bigint, points_balance::bigint, points_debt::bigint, points_micro::numeric,
             points_granted::numeric)
        OR of_its_program IS NOT true OR stamps_run IS NOT true OR points_run IS NOT true
        OR points_granted <> points_micro / 1000000 OR least_counter < 0 OR least < 0
)
SELECT w.merchant_id, w.card_id, NULL::uuid AS about, d.kind, d.says
FROM wrong w CROSS JOIN LATERAL (VALUES
    ('stamp_count', w.stamp_count IS DISTINCT FROM w.stamps,
        format('the card says %%s stamps, its ledger %%s', w.stamp_count, w.stamps)),
    ('points_balance', w.points_balance IS DISTINCT FROM w.points,
        format('the card says %%s points, its ledger %%s', w.points_balance, w.points)),
    ('points_debt', w.points_debt IS DISTINCT FROM w.debt,
        format('the card says %%s points owed, its ledger %%s', w.points_debt, w.debt)),
    ('points_micro', w.points_micro IS DISTINCT FROM w.micro,
        format('the card says %%s millionths carried, its ledger %%s', w.points_micro, w.micro)),
    ('points_granted', w.points_granted IS DISTINCT FROM w.granted,
        format('the card says %%s points granted, its ledger %%s', w.points_granted, w.granted)),
    ('seq', (w.rows, w.first, w.last) IS DISTINCT FROM (w.seq::bigint, 1, w.seq),
        format('the card says %%s rows, its ledger has %%s, from %%s to %%s', w.seq, w.rows, w.first, w.last)),
    ('program', w.of_its_program IS NOT true, 'the ledger has rows of another program or merchant than the card'),
    ('carry', w.points_granted <> w.points_micro / 1000000,
        format('%%s points are granted on %%s millionths', w.points_granted, w.points_micro)),
    ('negative', COALESCE(LEAST(w.least_counter, w.least), 0) < 0,
        format('a counter is negative: %%s', LEAST(w.least_counter, w.least))),
    ('running', w.stamps_run IS NOT true OR w.points_run IS NOT true, '')
) AS d(kind, differs, says)
WHERE d.differs
ORDER BY w.merchant_id, w.card_id;

-- name: running
-- Of the cards that `cards` suspects: the rows whose balance does not follow from the row before, and the last one
-- where the card says something else.
WITH run AS (
    SELECT t.*, lag(t.stamps_after, 1, 0) OVER w AS stamps_before, lag(t.points_after, 1, 0) OVER w AS points_before,
        row_number() OVER (PARTITION BY t.card_id ORDER BY t.seq DESC) AS from_end
    FROM loyalty_transaction t WHERE t.card_id = ANY (%(cards)s) WINDOW w AS (PARTITION BY t.card_id ORDER BY t.seq)
)
SELECT r.merchant_id, r.card_id, r.id AS about, d.kind, d.says
FROM run r JOIN loyalty_card c ON c.id = r.card_id CROSS JOIN LATERAL (VALUES
    ('stamps_after', r.stamps_after <> r.stamps_before + r.stamps_delta,
        format('row %%s: %%s stamps and %%s make %%s, not %%s', r.seq, r.stamps_before, r.stamps_delta,
            r.stamps_before + r.stamps_delta, r.stamps_after)),
    ('points_after', r.points_after <> r.points_before + r.points_delta,
        format('row %%s: %%s points and %%s make %%s, not %%s', r.seq, r.points_before, r.points_delta,
            r.points_before + r.points_delta, r.points_after)),
    ('stamps_after', r.from_end = 1 AND r.stamps_after <> c.stamp_count,
        format('row %%s, the last, ends with %%s stamps, the card says %%s', r.seq, r.stamps_after, c.stamp_count)),
    ('points_after', r.from_end = 1 AND r.points_after <> c.points_balance,
        format('row %%s, the last, ends with %%s points, the card says %%s', r.seq, r.points_after, c.points_balance))
) AS d(kind, differs, says)
WHERE d.differs
ORDER BY r.merchant_id, r.card_id, r.seq;

-- name: rewards_ready
-- The card's counter against its issued rewards of full cards.
WITH ready AS (
    SELECT i.card_id, count(*) AS ready FROM loyalty_issuedreward i
    WHERE i.source = 'stamps' AND i.state = 'issued' AND (%(merchant)s::uuid IS NULL OR i.merchant_id = %(merchant)s)
    GROUP BY i.card_id
)
SELECT c.merchant_id, c.id AS card_id, NULL::uuid AS about, 'rewards_ready' AS kind,
    format('the card says %%s rewards ready, %%s are issued', c.rewards_ready, COALESCE(r.ready, 0)) AS says
FROM loyalty_card c LEFT JOIN ready r ON r.card_id = c.id
WHERE c.rewards_ready <> COALESCE(r.ready, 0) AND (%(merchant)s::uuid IS NULL OR c.merchant_id = %(merchant)s);

-- name: reward_states
-- Each issued reward against the rows that name it: redeemed at most once, and in the state that they tell. Rows of
-- another card may name it where a merge took it from one to the other, undone since or not.
WITH RECURSIVE leads (card_id, to_id) AS (
    SELECT m.source_id, m.target_id FROM loyalty_cardmerge m
    UNION
    SELECT l.card_id, m.target_id FROM leads l JOIN loyalty_cardmerge m ON m.source_id = l.to_id
), named AS (
    SELECT t.issued_reward_id, t.type, t.card_id, v.id IS NOT NULL AS undone
    FROM loyalty_transaction t
    LEFT JOIN loyalty_transaction v ON v.reverses_id = t.id AND v.type = 'void'
    WHERE t.issued_reward_id IS NOT NULL AND t.type <> 'void'
        AND (%(merchant)s::uuid IS NULL OR t.merchant_id = %(merchant)s)
), counted AS (
    SELECT n.issued_reward_id, count(*) FILTER (WHERE n.type LIKE '%%_redeemed') AS redemptions,
        count(*) FILTER (WHERE n.type LIKE '%%_redeemed' AND NOT undone) AS standing,
        count(*) FILTER (WHERE n.type = 'reward_issued' AND NOT undone) AS issued,
        bool_or(n.card_id <> i.card_id AND NOT EXISTS (SELECT FROM leads l WHERE
            (l.card_id, l.to_id) IN ((n.card_id, i.card_id), (i.card_id, n.card_id)))) AS elsewhere
    FROM named n JOIN loyalty_issuedreward i ON i.id = n.issued_reward_id GROUP BY n.issued_reward_id
)
SELECT i.merchant_id, i.card_id, i.id AS about, d.kind, d.says
FROM loyalty_issuedreward i LEFT JOIN counted c ON c.issued_reward_id = i.id CROSS JOIN LATERAL (VALUES
    ('redeemed_twice', c.redemptions > 1, format('reward %%s was redeemed %%s times', i.name, c.redemptions)),
    ('reward_state', (i.state = 'redeemed') <> (COALESCE(c.standing, 0) > 0),
        format('reward %%s is %%s, its ledger has %%s redemptions', i.name, i.state, COALESCE(c.standing, 0))),
    ('reward_state', i.state = 'redeemed' AND i.redeemed_at IS NULL, format('reward %%s does not say when', i.name)),
    ('reward_state', i.source = 'stamps' AND i.reinstates_id IS NULL AND i.state <> 'cancelled'
            AND COALESCE(c.issued, 0) <> 1,
        format('reward %%s is %%s, its ledger issued it %%s times', i.name, i.state, COALESCE(c.issued, 0))),
    ('reward_state', c.elsewhere, format('reward %%s is named by rows of another card', i.name))
) AS d(kind, differs, says)
WHERE d.differs AND (%(merchant)s::uuid IS NULL OR i.merchant_id = %(merchant)s);

-- name: reversals
-- What undoes or refunds a row is of the same card, or of one that it was merged into, and takes back no more than there
-- was.
WITH RECURSIVE leads (card_id, to_id) AS (
    SELECT m.source_id, m.target_id FROM loyalty_cardmerge m
    UNION
    SELECT l.card_id, m.target_id FROM leads l JOIN loyalty_cardmerge m ON m.source_id = l.to_id
), reversed AS (
    SELECT t.merchant_id, t.card_id, t.id, t.seq, t.type, t.purchase_amount_cents AS cents, r.type AS kind,
        r.purchase_amount_cents AS back,
        r.card_id <> t.card_id AND NOT EXISTS (
            SELECT FROM leads l WHERE (l.card_id, l.to_id) = (t.card_id, r.card_id)
        ) AS elsewhere
    FROM loyalty_transaction r JOIN loyalty_transaction t ON t.id = r.reverses_id
    WHERE r.reverses_id IS NOT NULL AND (%(merchant)s::uuid IS NULL OR r.merchant_id = %(merchant)s)
)
SELECT merchant_id, card_id, id AS about, 'reversal' AS kind,
    CASE WHEN bool_or(elsewhere) THEN format('row %%s is reversed by a row of another card', seq)
    ELSE format('row %%s: %%s of %%s are refunded', seq, -sum(back), cents) END AS says
FROM reversed
GROUP BY merchant_id, card_id, id, seq, cents
HAVING bool_or(elsewhere) OR sum(back) FILTER (WHERE kind = 'refund') + cents < 0;

-- name: merges
-- A merged card is empty and leads, in one step, to a card that goes on, by a merge that stands; a merge brings as much
-- as it takes, but for the points that two fractions make together.
WITH moved AS (
    SELECT t.merchant_id, t.idempotency_key, sum(t.points_delta - t.debt_delta) AS points, sum(t.granted_delta) AS granted,
        sum(t.micro_delta) AS micro
    FROM loyalty_transaction t
    WHERE t.type IN ('merge_in', 'merge_out') AND (%(merchant)s::uuid IS NULL OR t.merchant_id = %(merchant)s)
    GROUP BY t.merchant_id, t.idempotency_key
), standing AS (
    SELECT c.merchant_id, c.id AS card_id, c.id AS about, d.says
    FROM loyalty_card c
    LEFT JOIN loyalty_cardmerge m ON m.source_id = c.id AND m.undone_at IS NULL
    LEFT JOIN loyalty_card t ON t.id = c.merged_into_id
    CROSS JOIN LATERAL (VALUES
        ((c.status = 'merged') <> (m.id IS NOT NULL) OR (c.status = 'merged') <> (c.merged_into_id IS NOT NULL),
            format('the card is %%s, and its merges say something else', c.status)),
        (c.status = 'merged' AND (c.stamp_count, c.points_balance, c.points_debt, c.points_micro, c.rewards_ready)
            IS DISTINCT FROM (0, 0, 0, 0::bigint, 0), 'the card is merged and not empty'),
        (t.status = 'merged', 'the card leads to one that was merged itself')
    ) AS d(differs, says)
    WHERE d.differs AND (c.status = 'merged' OR m.id IS NOT NULL OR c.merged_into_id IS NOT NULL)
        AND (%(merchant)s::uuid IS NULL OR c.merchant_id = %(merchant)s)
), uneven AS (
    SELECT m.merchant_id, m.target_id AS card_id, m.id AS about,
        format('the merge moves %%s points where fractions make %%s, and %%s millionths', v.points, v.granted, v.micro)
    FROM loyalty_cardmerge m
    LEFT JOIN moved v ON v.merchant_id = m.merchant_id AND v.idempotency_key = m.idempotency_key
    WHERE (v.micro, v.points) IS DISTINCT FROM (0::numeric, v.granted)
        AND (%(merchant)s::uuid IS NULL OR m.merchant_id = %(merchant)s)
)
SELECT merchant_id, card_id, about, 'merge' AS kind, says FROM standing
UNION ALL SELECT merchant_id, card_id, about, 'merge', format FROM uneven;
