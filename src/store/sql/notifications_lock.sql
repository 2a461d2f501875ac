-- Locks a message with all that sending it needs, before its delivery is locked; no row for an id that is not there.
SELECT notification_id, application_id, template, channel, channels, state, to_sealed, params_sealed, locale, dedupe_key,
       subject_id, not_before, expires_at, vendor_ref, created_at
  FROM notifications WHERE notification_id = $1
   FOR UPDATE
