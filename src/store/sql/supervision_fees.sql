-- Fees that stand and were issued from $2 until $3, after a fee ($1), of one application or of all, with the moment at which
-- their case was accepted and whether the application tells of cases, in the order in which they were issued; no row at the
-- end.
SELECT f.fee_id, f.application_id, f.case_no, f.department, f.accepted_on, f.total_fen, f.quote, f.issued_at, b.refunded_fen,
       c.accepted_at, EXISTS (SELECT FROM cases t WHERE t.application_id = f.application_id) AS tells_cases
  FROM fees f JOIN fee_balances b USING (fee_id) LEFT JOIN cases c USING (application_id, case_no)
 WHERE (f.issued_at, f.fee_id) > (COALESCE((SELECT a.issued_at FROM fees a WHERE a.fee_id = $1), '-infinity'), $1)
   AND f.issued_at >= $2 AND f.issued_at < $3 AND b.voided_at IS NULL
   AND ($4::text IS NULL OR f.application_id = $4)
 ORDER BY f.issued_at, f.fee_id LIMIT $5
