-- Takes away what of a settlement was which merchant's, before it is said anew; no row when nothing was.
DELETE FROM settlement_shares WHERE settlement_id = $1 RETURNING position
