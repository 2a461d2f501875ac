-- How the days of an account from $2 until $3 came out, as the newest run of each says, as JSON in their order; no row when
-- none has ended.
SELECT jsonb_build_object('day', bill_date, 'matched', COALESCE((summary #>> '{matched,count}')::bigint, 0),
           'unmatched', COALESCE((summary #>> '{differences,count}')::bigint, 0) + COALESCE((summary #>> '{doubts,count}')::bigint, 0))
  FROM (SELECT DISTINCT ON (bill_date) bill_date, summary FROM runs
         WHERE merchant_id = ANY ($1) AND bill_date >= $2 AND bill_date < $3 AND finished_at IS NOT NULL AND summary IS NOT NULL
         ORDER BY bill_date, version DESC) newest
 ORDER BY bill_date
