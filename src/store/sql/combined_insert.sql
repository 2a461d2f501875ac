-- Writes a combined order down before its provider is asked; always one row.
INSERT INTO combined_orders (combined_id, application_id, merchant_id, product, out_trade_no, amount_fen, place_call,
                             created_at, expires_at, next_query_at, payer_index)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING combined_id
