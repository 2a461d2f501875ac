-- Closes the incidents about settlements ($1) that had not arrived and now have, and about the difference of the credit ($4)
-- that is decided; no row when there was none.
UPDATE incidents SET closed_at = $2, closed_by = $3, note = 'the money is matched'
 WHERE closed_at IS NULL
   AND (dedupe_key = ANY (SELECT 'settlement_late:' || s FROM unnest($1::text[]) AS s)
        OR dedupe_key = ANY (SELECT k || ':' || $4::text FROM unnest(ARRAY['settlement_short', 'settlement_over', 'fee_taken_from_principal']) AS k))
RETURNING incident_id
