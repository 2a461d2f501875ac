-- Writes what the provider said to a refund; no row when its state moved meanwhile.
UPDATE refunds
   SET state = $3, refused_reason = $4, refused_code = $5, refused_message = $6,
       sent_at = COALESCE($7, sent_at), next_query_at = $8, queries = $9, leased_until = NULL
 WHERE refund_id = $1 AND state = $2
RETURNING refund_id
