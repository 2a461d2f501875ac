-- The hash of a file of an account's day that was stored before this one ($3); no row when it is the first, or the same.
SELECT encode(sha256, 'hex') FROM bill_files
 WHERE merchant_id = ANY ($1) AND bill_date = $2
   AND NOT EXISTS (SELECT FROM bill_files WHERE merchant_id = ANY ($1) AND bill_date = $2 AND sha256 = $3)
 ORDER BY fetched_at DESC LIMIT 1
