-- Remittances since a day ($1) that stand and of which no debit at the bank is known; no row when there is none.
SELECT m.remittance_id, m.reference, m.remitted_on, m.amount_fen
  FROM remittances m
 WHERE m.remitted_on >= $1
   AND NOT EXISTS (SELECT FROM remittance_debits d WHERE d.remittance_id = m.remittance_id)
   AND NOT EXISTS (SELECT FROM remittance_reversals v WHERE v.remittance_id = m.remittance_id)
 ORDER BY m.remittance_id
