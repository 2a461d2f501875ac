-- Where an event of an application stands in the feed; no row when it is unknown to that application.
SELECT epoch, transaction_id::text, position FROM events
 WHERE event_id = $2 AND (application_id = $1 OR application_id IS NULL)
