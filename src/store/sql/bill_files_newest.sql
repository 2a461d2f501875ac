-- The file that the newest ended run of an account's day has read; no row when none has ended, or the day was empty.
SELECT b.merchant_id, b.bill_date, b.sha256, b.content, b.is_sealed
  FROM (SELECT bill_file_id FROM runs
         WHERE merchant_id = ANY ($1) AND bill_date = $2 AND finished_at IS NOT NULL
         ORDER BY version DESC LIMIT 1) AS newest
       JOIN bill_files b USING (bill_file_id)
