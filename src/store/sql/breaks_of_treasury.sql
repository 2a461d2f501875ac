-- Where remittances and refunds by the treasury disagree with their shares, steps and entries, a sentence a row; no row when
-- they agree.
SELECT format('remittance %s is %s fen, its shares are %s', m.remittance_id, m.amount_fen, COALESCE(sum(s.amount_fen), 0)) AS break
  FROM remittances m LEFT JOIN remittance_shares s USING (remittance_id)
 GROUP BY m.remittance_id HAVING m.amount_fen <> COALESCE(sum(s.amount_fen), 0)
UNION ALL
SELECT format('payment %s brought %s fen for fee %s, %s of it were remitted', s.payment_id, COALESCE(p.amount_fen, 0), s.fee_id, sum(s.amount_fen))
  FROM standing_remittance_shares s LEFT JOIN payment_shares p USING (payment_id, fee_id)
 GROUP BY s.payment_id, s.fee_id, p.amount_fen HAVING sum(s.amount_fen) > COALESCE(p.amount_fen, 0)
UNION ALL
-- One entry in the journal of each merchant through which its money had come, as of its day in Beijing.
SELECT format('remittance %s of %s has %s entries in the journal of %s that say so', m.remittance_id, m.remitted_on, count(e.seq), m.merchant_id)
  FROM (SELECT DISTINCT m.remittance_id, m.remitted_on, p.merchant_id
          FROM remittances m JOIN remittance_shares s USING (remittance_id) JOIN payments p USING (payment_id)) m
  LEFT JOIN journal_entries e ON e.subject_id = m.remittance_id AND e.merchant_id = m.merchant_id AND e.kind = 'fees_remitted'
        AND e.occurred_at = m.remitted_on::timestamp AT TIME ZONE interval '8 hours'
 GROUP BY m.remittance_id, m.remitted_on, m.merchant_id HAVING count(e.seq) <> 1
UNION ALL
SELECT format('remittance %s was reversed at %s, the journal of %s has %s entries that say so', v.remittance_id, v.reversed_at, v.merchant_id, count(e.seq))
  FROM (SELECT DISTINCT v.remittance_id, v.reversed_at, p.merchant_id
          FROM remittance_reversals v JOIN remittance_shares s USING (remittance_id) JOIN payments p USING (payment_id)) v
  LEFT JOIN journal_entries e ON e.subject_id = v.remittance_id AND e.merchant_id = v.merchant_id AND e.kind = 'remittance_reversed'
        AND v.reversed_at BETWEEN e.recorded_at AND e.recorded_at + interval '1 microsecond'
 GROUP BY v.remittance_id, v.reversed_at, v.merchant_id HAVING count(e.seq) <> 1
UNION ALL
SELECT format('refund %s by the %s is %s, its last step is %s', r.refund_id, r.route, r.state, COALESCE(t.event, 'none'))
  FROM refunds r
  LEFT JOIN (SELECT DISTINCT ON (refund_id) refund_id, event FROM treasury_steps ORDER BY refund_id, position DESC) t USING (refund_id)
 WHERE CASE WHEN r.route = 'provider' OR r.state IN ('pending_approval', 'declined') THEN t.event IS NULL
            WHEN r.state = 'processing' THEN t.event IN ('applied', 'verified', 'approved', 'returned')
            WHEN r.state = 'succeeded' THEN t.event = 'paid'
            WHEN r.state = 'failed' THEN t.event = 'rejected'
       END IS NOT TRUE
UNION ALL
SELECT format('refund %s: step %s (%s) does not follow %s', t.refund_id, t.position, t.event, COALESCE(t.before, 'a beginning'))
  FROM (SELECT refund_id, position, event, lag(event) OVER way AS before, row_number() OVER way AS place
          FROM treasury_steps WINDOW way AS (PARTITION BY refund_id ORDER BY position)) t
 WHERE t.position <> t.place
    OR CASE t.event WHEN 'applied' THEN t.before IS NULL
                    WHEN 'verified' THEN t.before = 'applied'
                    WHEN 'approved' THEN t.before = 'verified'
                    WHEN 'paid' THEN t.before IN ('approved', 'returned')
                    WHEN 'returned' THEN t.before = 'paid'
                    WHEN 'rejected' THEN t.before IN ('applied', 'verified', 'approved', 'returned')
       END IS NOT TRUE
