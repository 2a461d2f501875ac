-- Adds a step to a refund through the treasury; always one row.
INSERT INTO treasury_steps (refund_id, position, event, occurred_on, by, requested_by, document_no, red_flush, reason, told_at)
SELECT r.refund_id, (SELECT count(*) + 1 FROM treasury_steps t WHERE t.refund_id = r.refund_id), $2, $3, $4, r.requested_by,
       $5, $6, $7, $8
  FROM refunds r WHERE r.refund_id = $1
RETURNING position
