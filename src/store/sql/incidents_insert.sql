-- Opens an incident, once a cause; no row when it is open already.
INSERT INTO incidents (incident_id, merchant_id, kind, detail, dedupe_key, order_id, refund_id, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (dedupe_key) DO NOTHING
RETURNING incident_id
