-- Payments of a merchant that paid only for fees for which other payments had brought exactly the same amounts, and
-- of which no refund was ever asked: proved duplicates. No row when there is none.
SELECT p.payment_id, p.order_id, p.amount_fen
  FROM payments p
 WHERE p.merchant_id = $1 AND p.surplus_fen > 0 AND p.surplus_fen = p.amount_fen
   AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = p.order_id AND r.payment_id = p.payment_id)
   AND NOT EXISTS (
       SELECT FROM order_allocations a
        WHERE a.order_id = p.order_id
          AND a.amount_fen IS DISTINCT FROM (
              SELECT sum(s.amount_fen)
                FROM order_allocations other
                JOIN payments q ON q.order_id = other.order_id AND q.payment_id <> p.payment_id
                JOIN payment_shares s ON s.payment_id = q.payment_id AND s.fee_id = other.fee_id
               WHERE other.fee_id = a.fee_id))
 ORDER BY p.payment_id LIMIT $2
