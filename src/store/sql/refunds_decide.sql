-- Writes a second person's decision; no row when the refund does not wait for one.
UPDATE refunds SET state = $2, decided_by = $3, next_query_at = $4
 WHERE refund_id = $1 AND state = 'pending_approval'
RETURNING refund_id
