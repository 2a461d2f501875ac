-- Queues a message to the payer of each fee that was paid off, once a fee; no row when nobody left a phone.
WITH queued AS (
    INSERT INTO notifications (notification_id, application_id, template, channel, state, to_sealed, to_masked,
                               params_sealed, locale, dedupe_key, subject_id, created_at)
    SELECT n.notification_id, f.application_id, $3, $4, 'queued', f.phone_sealed, f.payer_masked ->> 'phone',
           ($2::bytea[])[n.params], f.locale, $3 || ':' || f.fee_id, f.fee_id, $5
      FROM jsonb_to_recordset($1::jsonb) AS n (notification_id text, fee_id text, params integer)
      JOIN fees f USING (fee_id)
     WHERE f.phone_sealed IS NOT NULL
    ON CONFLICT (application_id, dedupe_key) DO NOTHING
    RETURNING notification_id, dedupe_key
)
INSERT INTO deliveries (kind, notification_id, receiver, ordering_key, next_at, created_at)
SELECT 'sms', notification_id, $4, dedupe_key, $5, $5 FROM queued
RETURNING notification_id
