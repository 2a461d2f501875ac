-- How many deliveries are due and not finished, without those for a disabled endpoint; always one row.
SELECT count(*) FROM deliveries d
 WHERE d.state IN ('due', 'sending', 'querying') AND d.next_at <= $1
   AND NOT (d.kind = 'webhook' AND EXISTS (
       SELECT FROM applications a WHERE a.application_id = d.receiver AND a.webhook_disabled_at IS NOT NULL))
