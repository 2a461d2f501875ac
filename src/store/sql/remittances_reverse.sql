-- Takes a remittance back; no row when it was taken back before.
INSERT INTO remittance_reversals (remittance_id, reason, reversed_at) VALUES ($1, $2, $3)
    ON CONFLICT (remittance_id) DO NOTHING
RETURNING remittance_id
