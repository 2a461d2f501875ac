-- Writes a message to a person and, where it may go out, its delivery; no row when the application has told that
-- thing already.
WITH written AS (
    INSERT INTO notifications (notification_id, application_id, template, channel, channels, state, to_sealed, to_masked,
                               params_sealed, locale, dedupe_key, subject_id, not_before, expires_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $16)
    ON CONFLICT (application_id, dedupe_key) DO NOTHING
    RETURNING notification_id, channel, dedupe_key, state
), queued AS (
    INSERT INTO deliveries (kind, notification_id, receiver, ordering_key, next_at, created_at)
    SELECT 'sms', notification_id, channel, dedupe_key, $15, $16 FROM written WHERE state IN ('queued', 'held')
)
SELECT notification_id FROM written
