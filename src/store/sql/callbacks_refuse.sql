-- Keeps a refused callback and lets the oldest go beyond 10 000 rows or 7 days a merchant; always one row.
WITH gone AS (
    DELETE FROM refused_callbacks
     WHERE merchant_id = $2
       AND (received_at < $1::timestamptz - interval '7 days'
            OR refused_id <= (SELECT refused_id FROM refused_callbacks WHERE merchant_id = $2
                               ORDER BY refused_id DESC OFFSET 9999 LIMIT 1))
)
INSERT INTO refused_callbacks (received_at, merchant_id, fault, detail, sealed) VALUES ($1, $2, $3, $4, $5)
RETURNING refused_id
