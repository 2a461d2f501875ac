-- Where payments disagree with their orders, shares, refunds and entries, a sentence a row; no row when they agree.
SELECT format('payment %s is %s fen through %s (%s), its order %s is %s through %s (%s)', p.payment_id, p.amount_fen, p.merchant_id,
              p.provider, p.order_id, o.amount_fen, o.merchant_id, o.provider) AS break
  FROM payments p LEFT JOIN orders o USING (order_id)
 WHERE (p.amount_fen, p.merchant_id, p.provider) IS DISTINCT FROM (o.amount_fen, o.merchant_id, o.provider)
UNION ALL
SELECT format('payment %s is %s fen, its shares and surplus are %s', p.payment_id, p.amount_fen, p.surplus_fen + COALESCE(sum(s.amount_fen), 0))
  FROM payments p LEFT JOIN payment_shares s USING (payment_id)
 GROUP BY p.payment_id HAVING p.amount_fen <> p.surplus_fen + COALESCE(sum(s.amount_fen), 0)
UNION ALL
SELECT format('payment %s takes %s fen for fee %s, its order pays %s for it', p.payment_id, s.amount_fen, s.fee_id, COALESCE(a.amount_fen, 0))
  FROM payments p JOIN payment_shares s USING (payment_id)
  LEFT JOIN order_allocations a ON a.order_id = p.order_id AND a.fee_id = s.fee_id
 WHERE s.amount_fen > COALESCE(a.amount_fen, 0)
UNION ALL
SELECT format('payment %s is %s fen, %s of it surplus, its balance shows %s', p.payment_id, p.amount_fen, p.surplus_fen,
              COALESCE(b.paid_fen || ' and ' || b.surplus_fen, 'nothing'))
  FROM payments p LEFT JOIN payment_balances b USING (payment_id)
 WHERE (p.amount_fen, p.surplus_fen) IS DISTINCT FROM (b.paid_fen, b.surplus_fen)
UNION ALL
SELECT format('payment %s shows %s and %s fen of refunds, %s of it surplus, they are %s and %s, %s of it surplus', b.payment_id,
              b.refunding_fen, b.refunded_fen, b.surplus_refunding_fen, r.held_fen, r.succeeded_fen, r.surplus_fen)
  FROM payment_balances b
 CROSS JOIN LATERAL (
       SELECT COALESCE(sum(r.amount_fen), 0) AS held_fen,
              COALESCE(sum(r.amount_fen) FILTER (WHERE r.state = 'succeeded'), 0) AS succeeded_fen,
              COALESCE(sum(r.surplus_fen), 0) AS surplus_fen
         FROM refunds r JOIN payments p USING (order_id)
        WHERE p.payment_id = b.payment_id AND r.payment_id = b.payment_id AND r.state NOT IN ('failed', 'declined')) r
 WHERE (b.refunding_fen, b.refunded_fen, b.surplus_refunding_fen) IS DISTINCT FROM (r.held_fen, r.succeeded_fen, r.surplus_fen)
UNION ALL
-- The journal keeps microseconds and drops what is finer; the row may have been rounded up.
SELECT format('payment %s was paid at %s and recorded at %s, its journal has %s entries of it%s', p.payment_id, p.paid_at, p.recorded_at,
              count(e.seq), string_agg(format(', of %s recorded at %s', e.occurred_at, e.recorded_at), '') FILTER (WHERE e.seq IS NOT NULL))
  FROM payments p
  LEFT JOIN journal_entries e ON e.subject_id = p.payment_id AND e.merchant_id = p.merchant_id AND e.kind = CASE p.provider WHEN 'bank' THEN 'transfer_received' ELSE 'payment_received' END
 GROUP BY p.payment_id
HAVING count(e.seq) <> 1
    OR NOT bool_and(p.recorded_at = e.recorded_at AND p.paid_at BETWEEN e.occurred_at AND e.occurred_at + interval '1 microsecond')
