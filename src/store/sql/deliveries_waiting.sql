-- How many deliveries are due and not finished, without those for an endpoint that is disabled or asked to wait; always
-- one row.
SELECT count(*) FROM deliveries d
 WHERE d.state IN ('due', 'sending', 'querying') AND d.next_at <= $1
   AND NOT (d.kind = 'webhook' AND EXISTS (
       SELECT FROM applications a WHERE a.application_id = d.receiver AND (a.webhook_disabled_at IS NOT NULL OR a.webhook_held_until > $1)))
