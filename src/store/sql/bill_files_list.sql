-- The files that providers gave as bills of an account's day, those that were refused too, as JSON, oldest first; no row when
-- there is none.
SELECT jsonb_build_object('damaged', f.why IS NOT NULL, 'number', f.number, 'fetched_at', f.fetched_at,
                          'sha256', encode(f.sha256, 'hex'), 'why', f.why,
                          'runs', (SELECT COALESCE(jsonb_agg(r.run_id ORDER BY r.version), '[]') FROM runs r
                                    WHERE f.why IS NULL AND r.bill_file_id = f.number))
  FROM (SELECT bill_file_id AS number, fetched_at, sha256, NULL AS why FROM bill_files
         WHERE merchant_id = ANY ($1) AND bill_date = $2
        UNION ALL
        SELECT damaged_bill_id, fetched_at, sha256, why FROM damaged_bills
         WHERE merchant_id = ANY ($1) AND bill_date = $2) f
 ORDER BY f.fetched_at, f.number
