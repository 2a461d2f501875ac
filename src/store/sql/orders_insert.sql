-- Writes an order down before its provider is asked; always one row.
INSERT INTO orders (order_id, application_id, merchant_id, provider, product, out_trade_no, amount_fen, subject,
                    state, place_call, created_at, expires_at, placing_at, next_query_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'created', $9, $10, $11, $12, $13)
RETURNING order_id
