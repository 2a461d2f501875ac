-- What was remitted on the days from $1 to $2 and stands, a fee of a remittance a row, with the lines that the fee is made of
-- and the debit at the bank; no row when nothing was.
SELECT m.remittance_id, m.reference, m.remitted_on, m.amount_fen AS whole_fen, d.bank_serial, s.fee_id, s.amount_fen,
       f.quote -> 'lines' AS lines
  FROM remittances m
       JOIN (SELECT remittance_id, fee_id, sum(amount_fen)::bigint AS amount_fen
               FROM standing_remittance_shares GROUP BY remittance_id, fee_id) s USING (remittance_id)
       JOIN fees f USING (fee_id)
       LEFT JOIN remittance_debits d USING (remittance_id)
 WHERE m.remitted_on BETWEEN $1 AND $2
 ORDER BY m.remitted_on, m.remittance_id, s.fee_id
