-- Where refunds disagree with their payments, shares and entries, a sentence a row; no row when they agree.
SELECT format('refund %s is of order %s through %s, its payment %s is of %s through %s', r.refund_id, r.order_id, r.merchant_id,
              r.payment_id, p.order_id, p.merchant_id) AS break
  FROM refunds r LEFT JOIN payments p USING (payment_id)
 WHERE (r.order_id, r.merchant_id) IS DISTINCT FROM (p.order_id, p.merchant_id)
UNION ALL
SELECT format('refund %s is %s fen, its shares and surplus are %s', r.refund_id, r.amount_fen, r.surplus_fen + COALESCE(sum(s.amount_fen), 0))
  FROM refunds r LEFT JOIN refund_shares s USING (refund_id)
 GROUP BY r.refund_id HAVING r.amount_fen <> r.surplus_fen + COALESCE(sum(s.amount_fen), 0)
UNION ALL
-- What is posted for a refund follows from its state, in the words of its route and in no others.
SELECT format('refund %s by the %s is %s, the journal has of it:%s', r.refund_id, r.route, r.state, COALESCE(string_agg(' ' || e.kind, ',' ORDER BY e.seq), ' nothing'))
  FROM refunds r
 CROSS JOIN LATERAL (SELECT CASE r.route WHEN 'treasury' THEN 'treasury_refund_' ELSE 'refund_' END) AS w (words)
  LEFT JOIN journal_entries e ON e.subject_id = r.refund_id AND e.merchant_id = r.merchant_id
 GROUP BY r.refund_id, w.words
HAVING COALESCE(sum(CASE e.kind WHEN w.words || 'requested' THEN 1 WHEN w.words || 'released' THEN -1 ELSE 0 END), 0)
       <> CASE WHEN r.state IN ('failed', 'declined') THEN 0 ELSE 1 END
    OR COALESCE(sum(CASE e.kind WHEN w.words || 'succeeded' THEN 1 WHEN w.words || 'returned' THEN -1 ELSE 0 END), 0)
       <> CASE WHEN r.state = 'succeeded' THEN 1 ELSE 0 END
    OR bool_or(e.kind NOT IN (w.words || 'requested', w.words || 'succeeded', w.words || 'returned', w.words || 'released'))
