-- Says when a refund is asked for next; no row when there is no such refund.
UPDATE refunds SET next_query_at = $2, queries = $3, leased_until = NULL WHERE refund_id = $1 RETURNING refund_id
