-- Writes which debit a remittance is; always one row.
INSERT INTO remittance_debits (remittance_id, bank_serial, matched_at) VALUES ($1, $2, $3) RETURNING remittance_id
