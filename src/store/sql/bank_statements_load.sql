-- A bank statement with how its own lines stand, as JSON; no row when there is none.
SELECT jsonb_build_object(
    'id', s.statement_id, 'sha256', encode(s.sha256, 'hex'), 'imported_at', s.imported_at, 'rows', s.rows,
    'known', s.known, 'booked', s.rows - s.known, 'in_fen', s.in_fen, 'out_fen', s.out_fen,
    'matched', count(COALESCE(m.match_id, c.match_id)),
    'proposed', count(*) FILTER (WHERE COALESCE(m.match_id, c.match_id) IS NULL AND GREATEST(jsonb_array_length(p.candidates), jsonb_array_length(q.candidates)) > 0),
    'unmatched', count(*) FILTER (WHERE b.direction = 'in' AND COALESCE(m.match_id, c.match_id) IS NULL AND COALESCE(GREATEST(jsonb_array_length(p.candidates), jsonb_array_length(q.candidates)), 0) = 0))
  FROM bank_statements s
       LEFT JOIN bank_lines b USING (statement_id)
       LEFT JOIN standing_matches m USING (bank_serial)
       LEFT JOIN bank_proposals p USING (bank_serial)
       LEFT JOIN payer_match_credits c USING (bank_serial)
       LEFT JOIN payer_proposals q USING (bank_serial)
 WHERE s.statement_id = $1
 GROUP BY s.statement_id
