-- A message with its attempts, as JSON; no row for an id that is not there.
SELECT jsonb_build_object(
    'id', n.notification_id, 'application_id', n.application_id, 'template', n.template, 'channel', n.channel,
    'status', n.state, 'to', n.to_masked, 'locale', n.locale, 'dedupe_key', n.dedupe_key, 'subject_id', n.subject_id,
    'not_before', n.not_before, 'expires_at', n.expires_at, 'failure', n.failure, 'created_at', n.created_at,
    'sent_at', n.sent_at, 'delivered_at', n.delivered_at,
    'next_at', (SELECT d.next_at FROM deliveries d
                 WHERE d.notification_id = n.notification_id AND d.state IN ('due', 'sending', 'querying')),
    'attempts', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
                   'attempt', a.attempt, 'begun_at', a.begun_at, 'outcome', a.outcome, 'detail', a.detail)
               ORDER BY a.attempt, a.begun_at)
          FROM deliveries d JOIN delivery_attempts a USING (delivery_id)
         WHERE d.notification_id = n.notification_id), '[]'))
  FROM notifications n
 WHERE n.notification_id = $1
