-- Which fees stand behind rows of an account's ledger and bill, and with how much of each: $2 are the order numbers of the
-- rows, $3 their refund numbers (empty on payments), $4 the provider's numbers; n counts them from 1. A refund that is not
-- known and an order that is not paid have what the order was to pay. No row for what the hub knows nothing of; fee_id is
-- null where all of it is surplus.
WITH asked AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS a (out_trade_no, out_refund_no, provider_trade_no, n)
), ordered AS (
    SELECT a.n, a.out_refund_no, a.provider_trade_no, o.order_id, o.merchant_id
      FROM asked a JOIN orders o ON o.merchant_id = ANY ($1) AND o.out_trade_no = a.out_trade_no
), behind AS (
    SELECT d.n, d.order_id, r.refund_id, p.payment_id, COALESCE(r.surplus_fen, p.surplus_fen, 0) AS surplus_fen
      FROM ordered d
           LEFT JOIN refunds r ON d.out_refund_no <> '' AND r.merchant_id = d.merchant_id AND r.out_refund_no = d.out_refund_no
           LEFT JOIN LATERAL (SELECT q.payment_id, q.surplus_fen FROM payments q
                               WHERE q.order_id = d.order_id AND d.out_refund_no = ''
                               ORDER BY q.provider_trade_no = d.provider_trade_no DESC, q.payment_id LIMIT 1) p ON true
)
SELECT b.n, s.fee_id, COALESCE(s.amount_fen, 0) AS amount_fen, b.surplus_fen
  FROM behind b
       LEFT JOIN LATERAL (
           SELECT fee_id, amount_fen FROM refund_shares WHERE refund_id = b.refund_id
           UNION ALL
           SELECT fee_id, amount_fen FROM payment_shares WHERE payment_id = b.payment_id
           UNION ALL
           SELECT fee_id, amount_fen FROM order_allocations
            WHERE order_id = b.order_id AND b.refund_id IS NULL AND b.payment_id IS NULL) s ON true
 ORDER BY b.n, s.fee_id
