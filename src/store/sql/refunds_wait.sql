-- A refund is looked at again at its turn, and keeps the place that it has; no row when there is no such refund.
UPDATE refunds SET send_after = COALESCE(send_after, $2), next_query_at = $2, leased_until = NULL
 WHERE refund_id = $1
RETURNING refund_id
