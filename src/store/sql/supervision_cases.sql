-- Cases accepted from $3 until $4, after a case ($1, $2), of one application or of all, with their fees, in the order of their
-- numbers; no row at the end.
SELECT c.application_id, c.case_no, c.business_type, c.department, c.handler, c.accepted_at, c.state, f.*
  FROM (SELECT application_id, case_no, business_type, department, handler, accepted_at, state FROM cases
         WHERE (application_id, case_no) > ($1, $2) AND accepted_at >= $3 AND accepted_at < $4
           AND ($5::text IS NULL OR application_id = $5)
         ORDER BY application_id, case_no LIMIT $6) c
       CROSS JOIN LATERAL (
           SELECT COALESCE(array_agg(b.fee_id ORDER BY b.fee_id), '{}') AS fee_ids,
                  COALESCE(array_agg(b.total_fen ORDER BY b.fee_id), '{}') AS total_fen,
                  COALESCE(array_agg(b.paid_fen ORDER BY b.fee_id), '{}') AS paid_fen,
                  COALESCE(array_agg(b.refunding_fen ORDER BY b.fee_id), '{}') AS refunding_fen,
                  COALESCE(array_agg(b.refunded_fen ORDER BY b.fee_id), '{}') AS refunded_fen,
                  COALESCE(array_agg(b.voided_at IS NOT NULL ORDER BY b.fee_id), '{}') AS void
             FROM fees JOIN fee_balances b USING (fee_id)
            WHERE fees.application_id = c.application_id AND fees.case_no = c.case_no) f
 ORDER BY c.application_id, c.case_no
