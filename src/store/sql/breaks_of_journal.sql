-- Where journals disagree with what they tell of and with what signed runs saw of them, a sentence a row; no row when they
-- agree.
WITH shares (subject_id, merchant_id, fee_id, amount_fen) AS (
    SELECT p.payment_id, p.merchant_id, s.fee_id, s.amount_fen FROM payments p JOIN payment_shares s USING (payment_id)
    UNION ALL
    SELECT payment_id, merchant_id, NULL, surplus_fen FROM payments WHERE surplus_fen > 0
    UNION ALL
    SELECT r.refund_id, r.merchant_id, s.fee_id, s.amount_fen FROM refunds r JOIN refund_shares s USING (refund_id)
    UNION ALL
    SELECT refund_id, merchant_id, NULL, surplus_fen FROM refunds WHERE surplus_fen > 0
    UNION ALL
    SELECT s.remittance_id, p.merchant_id, s.fee_id, sum(s.amount_fen)
      FROM remittance_shares s JOIN payments p USING (payment_id) GROUP BY s.remittance_id, p.merchant_id, s.fee_id
    UNION ALL
    SELECT difference_id || '/' || position, journal, NULL, amount_fen FROM difference_steps WHERE event = 'written_off'
    UNION ALL
    SELECT match_id, merchant_id, NULL, abs(amount_fen) FROM settlement_match_shares
), sides AS (
    SELECT e.merchant_id, e.seq, s.fee_id, s.amount_fen AS in_books, 0 AS posted FROM journal_entries e JOIN shares s USING (subject_id, merchant_id)
    UNION ALL
    SELECT merchant_id, seq, fee_id, 0, amount_fen FROM journal_lines
)
-- Each entry moves, fee by fee, what its payment, refund, remittance or arrival is divided into.
SELECT format('journal %s: entry %s moves %s fen of %s, the books say %s', merchant_id, seq, sum(posted), COALESCE('fee ' || fee_id, 'surplus'),
              sum(in_books)) AS break
  FROM sides GROUP BY merchant_id, seq, fee_id HAVING sum(posted) <> sum(in_books)
UNION ALL
SELECT format('journal %s: entry %s (%s %s) is about nothing in the books', e.merchant_id, e.seq, e.kind, e.subject_id)
  FROM journal_entries e
 WHERE NOT CASE e.kind
           WHEN 'payment_received' THEN EXISTS (SELECT FROM payments p WHERE p.payment_id = e.subject_id AND p.merchant_id = e.merchant_id)
           WHEN 'transfer_received' THEN EXISTS (SELECT FROM payments p WHERE p.payment_id = e.subject_id AND p.merchant_id = e.merchant_id AND p.provider = 'bank')
           WHEN 'fees_remitted' THEN EXISTS (SELECT FROM remittance_shares s JOIN payments p USING (payment_id)
                                              WHERE s.remittance_id = e.subject_id AND p.merchant_id = e.merchant_id)
           WHEN 'short_written_off' THEN EXISTS (SELECT FROM difference_steps s WHERE s.difference_id || '/' || s.position = e.subject_id
                                                    AND s.journal = e.merchant_id AND s.side = 'short')
           WHEN 'short_taken_back' THEN EXISTS (SELECT FROM difference_steps s WHERE s.difference_id || '/' || s.position = e.subject_id
                                                   AND s.journal = e.merchant_id AND s.side = 'short')
           WHEN 'long_written_off' THEN EXISTS (SELECT FROM difference_steps s WHERE s.difference_id || '/' || s.position = e.subject_id
                                                   AND s.journal = e.merchant_id AND s.side = 'long')
           WHEN 'long_taken_back' THEN EXISTS (SELECT FROM difference_steps s WHERE s.difference_id || '/' || s.position = e.subject_id
                                                  AND s.journal = e.merchant_id AND s.side = 'long')
           WHEN 'remittance_reversed' THEN EXISTS (SELECT FROM remittance_reversals v WHERE v.remittance_id = e.subject_id)
           WHEN 'provider_settled' THEN EXISTS (SELECT FROM settlement_match_shares s WHERE s.match_id = e.subject_id AND s.merchant_id = e.merchant_id)
           WHEN 'arrival_taken_back' THEN EXISTS (SELECT FROM settlement_match_shares s JOIN settlement_unmatches USING (match_id)
                                                   WHERE s.match_id = e.subject_id AND s.merchant_id = e.merchant_id AND s.amount_fen > 0)
           WHEN 'netting_taken_back' THEN EXISTS (SELECT FROM settlement_match_shares s JOIN settlement_unmatches USING (match_id)
                                                   WHERE s.match_id = e.subject_id AND s.merchant_id = e.merchant_id AND s.amount_fen < 0)
           WHEN 'settlement_netted' THEN EXISTS (SELECT FROM settlement_match_shares s WHERE s.match_id = e.subject_id AND s.merchant_id = e.merchant_id)
           ELSE EXISTS (SELECT FROM refunds r WHERE r.refund_id = e.subject_id AND r.merchant_id = e.merchant_id) END
UNION ALL
-- A tail that was cut off together with its head: the run still knows where the journal was.
SELECT format('journal %s: run %s of %s saw entry %s, which is %s now', r.merchant_id, r.run_id, r.bill_date, r.journal_seq,
              CASE WHEN e.seq IS NULL THEN 'missing' ELSE 'another one' END)
  FROM runs r LEFT JOIN journal_entries e ON e.merchant_id = r.merchant_id AND e.seq = r.journal_seq
 WHERE r.journal_seq > 0 AND e.mac IS DISTINCT FROM r.journal_mac
