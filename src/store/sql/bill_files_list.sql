-- The files that providers gave as bills of an account's day, those that were refused and fund flow bills too, as JSON, oldest first; no row when
-- there is none.
SELECT jsonb_build_object('damaged', f.why IS NOT NULL, 'fund_flow', f.fund_flow, 'number', f.number, 'fetched_at', f.fetched_at,
                          'sha256', encode(f.sha256, 'hex'), 'why', f.why,
                          'runs', (SELECT COALESCE(jsonb_agg(r.run_id ORDER BY r.version), '[]') FROM runs r
                                    WHERE f.why IS NULL AND CASE WHEN f.fund_flow
                                          THEN r.merchant_id = ANY ($1) AND r.bill_date = $2
                                               AND r.report #>> '{fund_flow,file,sha256}' = encode(f.sha256, 'hex')
                                          ELSE r.bill_file_id = f.number END))
  FROM (SELECT bill_file_id AS number, fetched_at, sha256, NULL AS why, false AS fund_flow FROM bill_files
         WHERE merchant_id = ANY ($1) AND bill_date = $2
        UNION ALL
        SELECT damaged_bill_id, fetched_at, sha256, why, false FROM damaged_bills
         WHERE merchant_id = ANY ($1) AND bill_date = $2
        UNION ALL
        SELECT fund_bill_file_id, fetched_at, sha256, NULL, true FROM fund_bill_files
         WHERE merchant_id = ANY ($1) AND bill_date = $2) f
 ORDER BY f.fetched_at, f.number
