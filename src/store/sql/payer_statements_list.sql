-- Statements of payers as JSON, newest month first: of an application ($1), an account ($2), a month ($3), an id ($4), behind a
-- number ($5); what is owed and was due before the day $6 is overdue. No row when there is none.
SELECT jsonb_build_object(
    'id', s.statement_id, 'number', s.number, 'account', s.account, 'account_name', s.account_name,
    'application_id', s.application_id, 'month', to_char(s.period, 'YYYY-MM'), 'total_fen', s.total_fen,
    'voided_fen', o.voided_fen, 'open_fen', o.open_fen, 'due_on', s.due_on, 'made_at', s.made_at,
    'status', CASE WHEN m.match_id IS NOT NULL THEN 'paid' WHEN o.open_fen = 0 THEN 'nothing_owed' ELSE 'open' END,
    'is_overdue', m.match_id IS NULL AND o.open_fen > 0 AND s.due_on < $6,
    'payment', CASE WHEN m.match_id IS NOT NULL THEN jsonb_build_object(
        'match_id', m.match_id, 'claimed_by', t.claimed_by, 'reason', t.reason, 'matched_at', t.matched_at,
        'transfers', (SELECT jsonb_agg(jsonb_build_object('bank_serial', b.bank_serial, 'value_date', b.value_date,
                                                          'amount_fen', b.amount_fen, 'order_id', c.order_id) ORDER BY b.value_date, b.bank_serial)
                        FROM payer_match_credits c JOIN bank_lines b USING (bank_serial) WHERE c.match_id = m.match_id)) END,
    'lines', CASE WHEN $4::text IS NOT NULL THEN (
        SELECT jsonb_agg(jsonb_build_object('position', l.position, 'fee_id', l.fee_id, 'kind', l.kind, 'amount_fen', l.amount_fen,
                   'case_no', f.case_no, 'issued_at', f.issued_at, 'items', f.quote -> 'lines',
                   'is_void', b.voided_at IS NOT NULL,
                   'charged_on', CASE WHEN l.kind <> 'charge' THEN (
                       SELECT h.number FROM payer_statement_lines e JOIN payer_statements h USING (statement_id)
                        WHERE e.fee_id = l.fee_id AND e.kind = 'charge') END) ORDER BY l.position)
          FROM payer_statement_lines l JOIN fees f USING (fee_id) JOIN fee_balances b USING (fee_id)
         WHERE l.statement_id = s.statement_id) END)
  FROM payer_statements s
       LEFT JOIN payer_match_statements m USING (statement_id)
       LEFT JOIN payer_matches t USING (match_id)
 CROSS JOIN LATERAL (
       SELECT COALESCE(sum(b.total_fen) FILTER (WHERE b.voided_at IS NOT NULL), 0)::bigint AS voided_fen,
              COALESCE(sum(b.total_fen - b.paid_fen) FILTER (WHERE b.voided_at IS NULL), 0)::bigint AS open_fen
         FROM payer_statement_lines l JOIN fee_balances b USING (fee_id)
        WHERE l.statement_id = s.statement_id AND l.kind = 'charge') o
 WHERE ($1::text IS NULL OR s.application_id = $1) AND ($2::text IS NULL OR s.account = $2)
   AND ($3::date IS NULL OR s.period = $3) AND ($4::text IS NULL OR s.statement_id = $4)
   AND ($5::text IS NULL OR s.number < $5)
 ORDER BY s.number DESC LIMIT $7
