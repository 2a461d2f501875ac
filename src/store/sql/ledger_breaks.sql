-- Where the books disagree with themselves, a sentence a row; no row when they agree.
SELECT 'order ' || o.order_id || ' is ' || o.state || ' with ' || count(p.payment_id) || ' payments' AS break
  FROM orders o LEFT JOIN payments p USING (order_id)
 GROUP BY o.order_id HAVING (o.state = 'paid') <> (count(p.payment_id) > 0)
UNION ALL
SELECT 'payment ' || p.payment_id || ' is ' || p.amount_fen || ' fen, its shares and surplus are ' || p.surplus_fen + COALESCE(sum(s.amount_fen), 0)
  FROM payments p LEFT JOIN payment_shares s USING (payment_id)
 GROUP BY p.payment_id HAVING p.amount_fen <> p.surplus_fen + COALESCE(sum(s.amount_fen), 0)
UNION ALL
SELECT 'fee ' || b.fee_id || ' shows ' || b.paid_fen || ' fen paid, its payments are ' || COALESCE(sum(s.amount_fen), 0)
  FROM fee_balances b LEFT JOIN payment_shares s USING (fee_id)
 GROUP BY b.fee_id HAVING b.paid_fen <> COALESCE(sum(s.amount_fen), 0)
UNION ALL
SELECT 'fee ' || b.fee_id || ' shows ' || b.refunding_fen || ' and ' || b.refunded_fen || ' fen of refunds, they are '
       || COALESCE(sum(s.amount_fen) FILTER (WHERE r.state NOT IN ('failed', 'declined')), 0) || ' and '
       || COALESCE(sum(s.amount_fen) FILTER (WHERE r.state = 'succeeded'), 0)
  FROM fee_balances b LEFT JOIN refund_shares s USING (fee_id) LEFT JOIN refunds r USING (refund_id)
 GROUP BY b.fee_id
HAVING b.refunding_fen <> COALESCE(sum(s.amount_fen) FILTER (WHERE r.state NOT IN ('failed', 'declined')), 0)
    OR b.refunded_fen <> COALESCE(sum(s.amount_fen) FILTER (WHERE r.state = 'succeeded'), 0)
UNION ALL
SELECT 'payment ' || b.payment_id || ' shows ' || b.refunding_fen || ' and ' || b.refunded_fen || ' fen of refunds, they are '
       || COALESCE(sum(r.amount_fen) FILTER (WHERE r.state NOT IN ('failed', 'declined')), 0) || ' and '
       || COALESCE(sum(r.amount_fen) FILTER (WHERE r.state = 'succeeded'), 0)
  FROM payment_balances b LEFT JOIN refunds r USING (payment_id)
 GROUP BY b.payment_id
HAVING b.refunding_fen <> COALESCE(sum(r.amount_fen) FILTER (WHERE r.state NOT IN ('failed', 'declined')), 0)
    OR b.refunded_fen <> COALESCE(sum(r.amount_fen) FILTER (WHERE r.state = 'succeeded'), 0)
UNION ALL
SELECT 'payment ' || p.payment_id || ' is ' || p.amount_fen || ' fen, the journal says ' || COALESCE(sum(l.amount_fen), 0)
  FROM payments p
  LEFT JOIN journal_entries e ON e.subject_id = p.payment_id AND e.kind = 'payment_received'
  LEFT JOIN journal_lines l ON l.merchant_id = e.merchant_id AND l.seq = e.seq
 GROUP BY p.payment_id HAVING p.amount_fen <> COALESCE(sum(l.amount_fen), 0)
UNION ALL
SELECT 'refund ' || r.refund_id || ' is ' || r.state || ' over ' || r.amount_fen || ' fen, the journal holds '
       || COALESCE(sum(CASE e.kind WHEN 'refund_requested' THEN l.amount_fen WHEN 'refund_released' THEN -l.amount_fen ELSE 0 END), 0)
       || ' and paid out ' || COALESCE(sum(l.amount_fen) FILTER (WHERE e.kind = 'refund_succeeded'), 0)
  FROM refunds r
  LEFT JOIN journal_entries e ON e.subject_id = r.refund_id
  LEFT JOIN journal_lines l ON l.merchant_id = e.merchant_id AND l.seq = e.seq
 GROUP BY r.refund_id
HAVING COALESCE(sum(CASE e.kind WHEN 'refund_requested' THEN l.amount_fen WHEN 'refund_released' THEN -l.amount_fen ELSE 0 END), 0)
       <> CASE WHEN r.state IN ('failed', 'declined') THEN 0 ELSE r.amount_fen END
    OR COALESCE(sum(l.amount_fen) FILTER (WHERE e.kind = 'refund_succeeded'), 0)
       <> CASE WHEN r.state = 'succeeded' THEN r.amount_fen ELSE 0 END
UNION ALL
SELECT 'payment ' || p.payment_id || ' is ' || p.amount_fen || ' fen, ' || p.surplus_fen || ' of it surplus, its balance shows '
       || COALESCE(b.paid_fen || ' and ' || b.surplus_fen, 'nothing')
  FROM payments p LEFT JOIN payment_balances b USING (payment_id)
 WHERE (p.amount_fen, p.surplus_fen) IS DISTINCT FROM (b.paid_fen, b.surplus_fen)
UNION ALL
SELECT 'payment ' || b.payment_id || ' shows ' || b.surplus_refunding_fen || ' fen of surplus in refunds, they take '
       || COALESCE(sum(r.surplus_fen) FILTER (WHERE r.state NOT IN ('failed', 'declined')), 0)
  FROM payment_balances b LEFT JOIN refunds r USING (payment_id)
 GROUP BY b.payment_id
HAVING b.surplus_refunding_fen <> COALESCE(sum(r.surplus_fen) FILTER (WHERE r.state NOT IN ('failed', 'declined')), 0)
UNION ALL
SELECT 'refund ' || r.refund_id || ' is ' || r.amount_fen || ' fen, its shares and surplus are ' || r.surplus_fen + COALESCE(sum(s.amount_fen), 0)
  FROM refunds r LEFT JOIN refund_shares s USING (refund_id)
 GROUP BY r.refund_id HAVING r.amount_fen <> r.surplus_fen + COALESCE(sum(s.amount_fen), 0)
UNION ALL
SELECT 'combined order ' || w.combined_id || ' is ' || w.amount_fen || ' fen, its parts are ' || COALESCE(sum(o.amount_fen), 0)
  FROM combined_orders w LEFT JOIN combined_parts p USING (combined_id) LEFT JOIN orders o USING (order_id)
 GROUP BY w.combined_id HAVING w.amount_fen <> COALESCE(sum(o.amount_fen), 0)
UNION ALL
SELECT 'journal ' || e.merchant_id || ': entry ' || e.seq || ' (' || e.kind || ' ' || e.subject_id || ') is about nothing in the books'
  FROM journal_entries e
 WHERE NOT CASE e.kind WHEN 'payment_received' THEN EXISTS (SELECT FROM payments p WHERE p.payment_id = e.subject_id AND p.merchant_id = e.merchant_id)
                       ELSE EXISTS (SELECT FROM refunds r WHERE r.refund_id = e.subject_id AND r.merchant_id = e.merchant_id) END
