-- What people did to an account's runs of a day ($1, $2), to the differences and bank lines $3 and to the refunds with the
-- numbers $4, as JSON in order; no row when nobody did anything.
SELECT jsonb_build_object('at', a.at, 'by', a."by", 'action', a.action, 'subject', a.subject,
           'number', COALESCE(r.out_refund_no, d.out_refund_no, d.out_trade_no))
  FROM audit_entries a
       LEFT JOIN refunds r ON r.refund_id = a.subject
       LEFT JOIN differences d ON d.difference_id = a.subject
 WHERE a.subject = ANY ($3
           || ARRAY(SELECT run_id FROM runs WHERE merchant_id = ANY ($1) AND bill_date = $2)
           || ARRAY(SELECT refund_id FROM refunds WHERE merchant_id = ANY ($1) AND out_refund_no = ANY ($4)))
 ORDER BY a.seq
