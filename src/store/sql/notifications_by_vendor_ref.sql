-- The message that a vendor knows by its number; no row when none does.
SELECT notification_id FROM notifications WHERE channel = $1 AND vendor_ref = $2
