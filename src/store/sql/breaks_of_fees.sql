-- Where fees disagree with what was paid, given back and remitted, a sentence a row; no row when they agree.
SELECT format('fee %s is %s fen, its quote says %s and its balance %s', f.fee_id, f.total_fen, f.quote ->> 'total_fen', b.total_fen) AS break
  FROM fees f LEFT JOIN fee_balances b USING (fee_id)
 WHERE (f.total_fen, f.total_fen) IS DISTINCT FROM ((f.quote ->> 'total_fen')::bigint, b.total_fen)
UNION ALL
SELECT format('fee %s shows %s fen paid, its payments are %s', b.fee_id, b.paid_fen, COALESCE(sum(s.amount_fen), 0))
  FROM fee_balances b LEFT JOIN payment_shares s USING (fee_id)
 GROUP BY b.fee_id HAVING b.paid_fen <> COALESCE(sum(s.amount_fen), 0)
UNION ALL
SELECT format('fee %s shows %s and %s fen of refunds, %s of it by the treasury, they are %s and %s, %s of it by the treasury', b.fee_id,
              b.refunding_fen, b.refunded_fen, b.treasury_refunding_fen, COALESCE(r.held_fen, 0), COALESCE(r.succeeded_fen, 0),
              COALESCE(r.treasury_fen, 0))
  FROM fee_balances b
  LEFT JOIN (SELECT s.fee_id, sum(s.amount_fen) AS held_fen,
                    sum(s.amount_fen) FILTER (WHERE r.state = 'succeeded') AS succeeded_fen,
                    sum(s.amount_fen) FILTER (WHERE r.route = 'treasury') AS treasury_fen
               FROM refund_shares s JOIN refunds r USING (refund_id)
              WHERE r.state NOT IN ('failed', 'declined')
              GROUP BY s.fee_id) r USING (fee_id)
 WHERE (b.refunding_fen, b.refunded_fen, b.treasury_refunding_fen)
       IS DISTINCT FROM (COALESCE(r.held_fen, 0), COALESCE(r.succeeded_fen, 0), COALESCE(r.treasury_fen, 0))
UNION ALL
SELECT format('fee %s shows %s fen remitted, its remittances are %s', b.fee_id, b.remitted_fen, COALESCE(sum(s.amount_fen), 0))
  FROM fee_balances b LEFT JOIN standing_remittance_shares s USING (fee_id)
 GROUP BY b.fee_id HAVING b.remitted_fen <> COALESCE(sum(s.amount_fen), 0)
