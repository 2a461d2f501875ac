-- Opens an incident, once a cause; no row when it is open already, or was closed and nothing new happened. What follows
-- from a step that happened again, or from a try after somebody said that it was mended, is open again, and remembers how
-- it had been closed.
INSERT INTO incidents AS known
       (incident_id, merchant_id, kind, detail, dedupe_key, order_id, refund_id, opened_at, application_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (dedupe_key) DO UPDATE
   SET detail = excluded.detail, opened_at = excluded.opened_at, closed_at = NULL, closed_by = NULL, note = NULL,
       earlier = known.earlier || jsonb_build_object('opened_at', known.opened_at, 'closed_at', known.closed_at,
                                                     'closed_by', known.closed_by, 'note', known.note)
 WHERE known.closed_at IS NOT NULL
   AND (known.kind IN ('refund_abnormal', 'refund_waits_for_funds')
        -- Said by every query: only when it had been found meanwhile is it news.
        OR known.kind = 'refund_not_at_provider' AND known.closed_by = 'payhub'
        -- Closed because the money was matched, and that match was taken back.
        OR known.kind IN ('settlement_late', 'settlement_short', 'settlement_over', 'fee_taken_from_principal')
           AND known.closed_by = 'payhub')
RETURNING incident_id
