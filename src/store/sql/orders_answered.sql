-- Writes what the provider said to placing or closing an order, which is asked for next at $11, or at $14 where it is still
-- live and somebody has opened its page meanwhile ($13: now), and frees the fees of one that can no longer be paid ($15).
-- With it what was said is kept as evidence ($18 NULL: nothing), and who asked for the order is answered under his key ($25
-- NULL: nobody) if that is still his; always one row: whether the order's state had not moved, and whether he was answered.
-- Of an order that moved only the evidence is written.
WITH answered AS (
    UPDATE orders
       SET state = $3, pay = COALESCE($4, pay), placed_at = COALESCE($5, placed_at), refused_reason = $6,
           refused_code = $7, refused_message = $8, closed_at = $9, superseded_at = $10, queries = $12, leased_until = NULL,
           next_query_at = CASE WHEN $11::timestamptz IS NOT NULL AND $3 IN ('created', 'pending', 'unknown') AND watched_until > $13
                                THEN LEAST($11, $14) ELSE $11 END,
           closing_at = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN closing_at END,
           close_wanted_at = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN close_wanted_at END,
           closes = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN closes ELSE 0 END
     WHERE order_id = $1 AND state = $2
    RETURNING order_id
), freed AS (
    DELETE FROM live_orders WHERE $15 AND order_id IN (SELECT order_id FROM answered)
), kept AS (
    INSERT INTO provider_calls (begun_at, merchant_id, operation, subject_id, status, outcome, detail, sealed)
    SELECT $16, $17, $18, $19, $20, $21, $22, $23 WHERE $18::text IS NOT NULL
), told AS (
    UPDATE idempotency_keys SET status = $27, answer = $28, leased_until = NULL
     WHERE application_id = $24 AND key = $25 AND lease = $26 AND status IS NULL AND EXISTS (SELECT FROM answered)
    RETURNING key
)
SELECT EXISTS (SELECT FROM answered) AS answered, EXISTS (SELECT FROM told) AS told
