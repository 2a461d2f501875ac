-- What payments brought for fees and neither refunds of their providers hold nor was remitted; no row for a fee that
-- nobody has paid.
SELECT s.payment_id, s.fee_id, p.merchant_id, p.paid_at,
       (s.amount_fen
        - COALESCE((SELECT sum(h.amount_fen) FROM refunds r JOIN refund_shares h USING (refund_id)
                     WHERE r.order_id = p.order_id AND r.payment_id = s.payment_id AND h.fee_id = s.fee_id
                       AND r.route = 'provider' AND r.state NOT IN ('failed', 'declined')), 0)
        - COALESCE((SELECT sum(m.amount_fen) FROM standing_remittance_shares m
                     WHERE m.payment_id = s.payment_id AND m.fee_id = s.fee_id), 0))::bigint AS open_fen
  FROM payments p JOIN payment_shares s USING (payment_id)
 WHERE p.order_id IN (SELECT order_id FROM order_allocations WHERE fee_id = ANY ($1))
   AND s.fee_id = ANY ($1)
 ORDER BY p.merchant_id, s.fee_id, s.payment_id
