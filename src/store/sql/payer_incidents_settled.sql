-- Closes the incidents about statements ($1) that are paid now, and about the credits ($4) that pay them; no row when there
-- was none.
UPDATE incidents SET closed_at = $2, closed_by = $3, note = 'the money is matched'
 WHERE closed_at IS NULL
   AND (dedupe_key = ANY (SELECT 'payer_statement_overdue:' || s FROM unnest($1::text[]) AS s)
        OR dedupe_key = ANY (SELECT k || ':' || c
                               FROM unnest($4::text[]) AS c,
                                    unnest(ARRAY['transfer_short', 'transfer_over', 'transfer_for_void', 'transfer_twice', 'transfer_of_another']) AS k))
RETURNING incident_id
