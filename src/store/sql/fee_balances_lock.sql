-- Locks the balances of the fees of orders, in the order of the fees' ids; at least one row an order.
SELECT fee_id FROM fee_balances
 WHERE fee_id IN (SELECT fee_id FROM order_allocations WHERE order_id = ANY ($1))
 ORDER BY fee_id
   FOR UPDATE
