-- Opens incidents ($1), each cause once, and opens those again that happened again. Always one row.
WITH reopened_incidents AS (
    -- Such an incident is said by a step and never by a repeat: it happened again. A conflict could not say so, since
    -- one cause may stand twice among facts of one transaction.
    UPDATE incidents k
       SET detail = i.detail, callback_id = i.callback_id, opened_at = $2, closed_at = NULL, closed_by = NULL, note = NULL,
           earlier = k.earlier || jsonb_build_object('opened_at', k.opened_at, 'closed_at', k.closed_at,
                                                     'closed_by', k.closed_by, 'note', k.note)
      FROM jsonb_to_recordset($1::jsonb) AS i (dedupe_key text, detail text, callback_id text)
     WHERE k.dedupe_key = i.dedupe_key AND k.closed_at IS NOT NULL AND k.kind = 'refund_abnormal'
), new_incidents AS (
    INSERT INTO incidents (incident_id, merchant_id, kind, detail, dedupe_key, order_id, refund_id, callback_id, opened_at)
    SELECT i.incident_id, i.merchant_id, i.kind, i.detail, i.dedupe_key, i.order_id, i.refund_id, i.callback_id, $2
      FROM jsonb_to_recordset($1::jsonb)
           AS i (incident_id text, merchant_id text, kind text, detail text, dedupe_key text, order_id text,
                 refund_id text, callback_id text)
    ON CONFLICT (dedupe_key) DO NOTHING
)
SELECT 1
