-- Bank lines as JSON with who stands on the other side, sealed: of a standing ($1: matched, proposed or unmatched), by serial
-- ($2), way ($3), before a serial ($4), newest first; one that nothing explains since the day $5 is unknown. No row when there
-- is none.
SELECT jsonb_build_object(
    'bank_serial', b.bank_serial, 'statement_id', b.statement_id, 'row', b.row, 'value_date', b.value_date,
    'direction', b.direction, 'amount_fen', b.amount_fen, 'reference', b.reference, 'status', b.status,
    'cause', COALESCE(b.cause, CASE WHEN b.status = 'unmatched' AND b.direction = 'in' AND b.value_date <= $5 THEN 'bank_unknown_credit' END),
    'remittance_id', b.remittance_id,
    'payer_match', CASE WHEN b.payer_match_id IS NOT NULL THEN jsonb_build_object(
        'id', b.payer_match_id, 'order_id', b.order_id, 'claimed_by', b.payer_claimed_by, 'reason', b.payer_reason, 'matched_at', b.payer_matched_at,
        'statements', (SELECT jsonb_agg(jsonb_build_object('statement_id', s.statement_id, 'number', s.number, 'account', s.account) ORDER BY s.number)
                         FROM payer_match_statements t JOIN payer_statements s USING (statement_id) WHERE t.match_id = b.payer_match_id)) END,
    'payer_candidates', CASE WHEN b.status <> 'matched' THEN b.payer_candidates END,
    'match', CASE WHEN b.match_id IS NOT NULL THEN jsonb_build_object(
        'id', b.match_id, 'expected_fen', b.expected_fen, 'difference_fen', b.difference_fen, 'cause', b.cause,
        'claimed_by', b.claimed_by, 'confirmed_by', b.confirmed_by, 'reason', b.reason, 'matched_at', b.matched_at,
        'settlements', (SELECT jsonb_agg(jsonb_build_object('settlement_id', s.settlement_id, 'account', s.account, 'bill_date', s.bill_date)
                                         ORDER BY s.bill_date)
                          FROM standing_match_days d JOIN settlements s USING (settlement_id) WHERE d.match_id = b.match_id)) END,
    'candidates', CASE WHEN b.match_id IS NULL AND b.payer_match_id IS NULL THEN b.candidates END,
    'searched_whole', CASE WHEN b.match_id IS NULL AND b.payer_match_id IS NULL THEN b.is_whole END) AS line,
       b.counter
  FROM (SELECT b.*, m.match_id, m.expected_fen, m.difference_fen, m.cause, m.claimed_by, m.confirmed_by, m.reason, m.matched_at,
               p.candidates, p.is_whole, r.remittance_id,
               c.match_id AS payer_match_id, c.order_id, t.claimed_by AS payer_claimed_by, t.reason AS payer_reason,
               t.matched_at AS payer_matched_at, q.candidates AS payer_candidates,
               CASE WHEN num_nonnulls(m.match_id, r.remittance_id, c.match_id) > 0 THEN 'matched'
                    WHEN GREATEST(jsonb_array_length(p.candidates), jsonb_array_length(q.candidates)) > 0 THEN 'proposed'
                    ELSE 'unmatched' END AS status
          FROM bank_lines b
               LEFT JOIN standing_matches m USING (bank_serial)
               LEFT JOIN remittance_debits r USING (bank_serial)
               LEFT JOIN bank_proposals p USING (bank_serial)
               LEFT JOIN payer_match_credits c USING (bank_serial)
               LEFT JOIN payer_matches t ON t.match_id = c.match_id
               LEFT JOIN payer_proposals q USING (bank_serial)) b
 WHERE ($1::text IS NULL OR b.status = $1)
   AND ($2::text IS NULL OR b.bank_serial = $2)
   AND ($3::text IS NULL OR b.direction = $3)
   AND ($4::text IS NULL OR (b.value_date, b.bank_serial) < (SELECT l.value_date, l.bank_serial FROM bank_lines l WHERE l.bank_serial = $4))
 ORDER BY b.value_date DESC, b.bank_serial DESC LIMIT $6
