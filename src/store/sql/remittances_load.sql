-- Remittances as JSON, in the order of their ids; no row for an id that is not there.
SELECT jsonb_build_object(
    'id', m.remittance_id, 'application_id', m.application_id, 'reference', m.reference, 'remitted_on', m.remitted_on,
    'amount_fen', m.amount_fen, 'created_at', m.created_at,
    'reversal', (SELECT jsonb_build_object('reason', v.reason, 'reversed_at', v.reversed_at)
                   FROM remittance_reversals v WHERE v.remittance_id = m.remittance_id),
    'fees', (SELECT jsonb_agg(jsonb_build_object('fee_id', f.fee_id, 'amount_fen', f.amount_fen) ORDER BY f.fee_id)
               FROM (SELECT fee_id, sum(amount_fen) AS amount_fen FROM remittance_shares
                      WHERE remittance_id = m.remittance_id GROUP BY fee_id) f),
    'merchants', (SELECT jsonb_agg(jsonb_build_object('merchant_id', f.merchant_id, 'amount_fen', f.amount_fen) ORDER BY f.merchant_id)
                    FROM (SELECT p.merchant_id, sum(s.amount_fen) AS amount_fen
                            FROM remittance_shares s JOIN payments p USING (payment_id)
                           WHERE s.remittance_id = m.remittance_id GROUP BY p.merchant_id) f))
  FROM remittances m
 WHERE m.remittance_id = ANY ($1)
 ORDER BY m.remittance_id
