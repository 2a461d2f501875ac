-- Fees as papers name them, as JSON, the payer masked; no row for an id that is not there.
SELECT jsonb_build_object('id', f.fee_id, 'paper', jsonb_build_object(
           'case_no', f.case_no, 'notice_no', f.notice_no, 'payer', COALESCE(f.payer_masked ->> 'name', ''),
           'department', f.department,
           'items', COALESCE((SELECT jsonb_agg(jsonb_build_object('code', l -> 'code', 'name', l -> 'name', 'amount', l -> 'amount_fen')
                                               ORDER BY n)
                                FROM jsonb_path_query_array(f.quote, '$.lines[*]') AS lines,
                                     jsonb_array_elements(lines) WITH ORDINALITY AS x (l, n)), '[]')))
  FROM fees f WHERE f.fee_id = ANY ($1)
