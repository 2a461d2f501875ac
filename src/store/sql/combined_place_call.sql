-- The stored call that places a combined order; no row when there is no such order.
SELECT place_call FROM combined_orders WHERE combined_id = $1
