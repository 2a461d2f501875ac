-- What of which payment and fee a remittance took, as it was; no row for one that is not there.
SELECT s.payment_id, s.fee_id, p.merchant_id, p.paid_at, s.amount_fen AS open_fen
  FROM remittance_shares s JOIN payments p USING (payment_id)
 WHERE s.remittance_id = $1
 ORDER BY p.merchant_id, s.fee_id, s.payment_id
