-- Fees with their balances, as JSON, in the order of their ids; no row for an id that is not there.
SELECT jsonb_build_object(
           'id', f.fee_id, 'application_id', f.application_id, 'case_no', f.case_no,
           'accepted_on', f.accepted_on, 'total_fen', f.total_fen, 'quote', f.quote,
           'payer', f.payer_masked, 'department', f.department, 'due_on', f.due_on,
           'notice_no', f.notice_no, 'issued_at', f.issued_at, 'locale', f.locale,
           'paid_fen', b.paid_fen, 'refunding_fen', b.refunding_fen, 'refunded_fen', b.refunded_fen,
           'remitted_fen', b.remitted_fen,
           'voided_at', b.voided_at, 'payer_account', f.payer_account,
           'statement_id', CASE WHEN f.payer_account IS NOT NULL THEN
               (SELECT s.statement_id FROM payer_statement_lines s WHERE s.fee_id = f.fee_id AND s.kind = 'charge') END,
           'live_order_id', (SELECT l.order_id FROM live_orders l WHERE l.fee_id = f.fee_id))
  FROM fees f JOIN fee_balances b USING (fee_id)
 WHERE f.fee_id = ANY ($1)
 ORDER BY f.fee_id
