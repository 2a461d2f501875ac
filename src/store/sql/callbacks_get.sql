-- A stored callback; no row when there is none with that id.
SELECT merchant_id, sealed FROM callbacks WHERE callback_id = $1
