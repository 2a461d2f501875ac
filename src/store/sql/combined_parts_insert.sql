-- Writes which orders are the parts of a combined order, in their order, and who is paid by each; one row a part.
INSERT INTO combined_parts (order_id, combined_id, position, payee, asked_by, out_trade_no)
SELECT o.order_id, c.combined_id, s.position, s.payee, c.merchant_id, o.out_trade_no
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS s (order_id, payee, position)
  JOIN orders o USING (order_id) JOIN combined_orders c ON c.combined_id = $1
RETURNING order_id
