-- Closes a merchant's open incidents that the facts have resolved: refunds that went through or ended, steps of the
-- treasury that were taken after all, surplus and late payments that were given back. One row an incident; no row when nothing has resolved any.
UPDATE incidents i SET closed_at = $2, closed_by = $3, note = done.note
  FROM (
    SELECT i.incident_id, 'the refund is ' || r.state AS note
      FROM incidents i JOIN refunds r ON r.order_id = i.order_id JOIN orders o ON o.order_id = r.order_id
       AND (r.refund_id = i.refund_id
            OR i.dedupe_key = concat_ws(':', i.kind, i.merchant_id, o.out_trade_no, r.out_refund_no))
     WHERE i.merchant_id = $1 AND i.closed_at IS NULL
       AND (i.kind = 'refund_abnormal' AND r.state = 'succeeded'
            OR i.kind IN ('refund_unknown', 'portal_refund_exceeds') AND r.origin = 'portal'
            OR i.kind = 'refund_not_at_provider' AND r.state IN ('succeeded', 'failed', 'abnormal')
            OR i.kind = 'refund_waits_for_funds' AND r.state IN ('processing', 'succeeded', 'failed', 'abnormal')
            OR i.kind = 'treasury_refund_overdue' AND EXISTS (SELECT FROM treasury_steps t
                                                               WHERE t.refund_id = r.refund_id AND t.told_at > i.opened_at))
     UNION ALL
    SELECT i.incident_id, 'the payment was given back' AS note
      FROM incidents i JOIN payments p ON p.order_id = i.order_id JOIN orders o ON o.order_id = p.order_id
       AND starts_with(i.dedupe_key, concat_ws(':', i.kind, i.merchant_id, o.out_trade_no, p.provider_trade_no, ''))
     WHERE i.merchant_id = $1 AND i.closed_at IS NULL AND i.kind IN ('surplus_payment', 'late_payment')
       AND (SELECT COALESCE(sum(CASE i.kind WHEN 'late_payment' THEN r.amount_fen ELSE r.surplus_fen END), 0)
              FROM refunds r WHERE r.order_id = p.order_id AND r.payment_id = p.payment_id AND r.state = 'succeeded')
           >= CASE i.kind WHEN 'late_payment' THEN p.amount_fen ELSE p.surplus_fen END
  ) AS done
 WHERE i.incident_id = done.incident_id AND i.closed_at IS NULL
RETURNING i.incident_id
