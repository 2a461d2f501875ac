-- Writes what of a settlement is which merchant's; no row when there is no merchant.
INSERT INTO settlement_shares (settlement_id, position, merchant_id, net_fen)
SELECT $1, position, merchant_id, net_fen
  FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS s (merchant_id, net_fen, position)
RETURNING position
