-- The message with which an application told a thing; no row when it has not told it.
SELECT notification_id FROM notifications WHERE application_id = $1 AND dedupe_key = $2
