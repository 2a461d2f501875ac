-- What is owed of each statement of some accounts ($1), paid or not; no row when there is none. Of one whose match is written
-- nothing is, also before its payments are.
SELECT s.statement_id, s.number, s.account, s.due_on, s.total_fen, m.match_id IS NOT NULL AS is_paid,
       CASE WHEN m.match_id IS NULL THEN
           COALESCE((SELECT sum(b.total_fen - b.paid_fen) FILTER (WHERE b.voided_at IS NULL)
                       FROM payer_statement_lines l JOIN fee_balances b USING (fee_id)
                      WHERE l.statement_id = s.statement_id AND l.kind = 'charge'), 0)::bigint ELSE 0 END AS open_fen
  FROM payer_statements s LEFT JOIN payer_match_statements m USING (statement_id)
 WHERE s.account = ANY ($1)
 ORDER BY s.due_on, s.number
