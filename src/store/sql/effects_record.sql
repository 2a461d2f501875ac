-- Writes the effects of judged facts, many at once: $1 is the document of rows, $2 the sealed evidence and $3 the
-- journal's links, both by index. It decides nothing; what may not be, a named constraint refuses. Always one row.
-- The ids stand apart, so that rows are looked up by them however small a table was when this was planned.
WITH ids AS (
    SELECT ARRAY(SELECT c ->> 'order_id' FROM jsonb_array_elements($1::jsonb -> 'paid_orders') AS c) AS paid_orders,
           ARRAY(SELECT c ->> 'fee_id' FROM jsonb_array_elements($1::jsonb -> 'fees') AS c) AS fees
), new_callbacks AS (
    INSERT INTO callbacks (callback_id, received_at, merchant_id, notice_id, kind, verdict, order_id, sealed, replay_of)
    SELECT c.callback_id, c.received_at, c.merchant_id, c.notice_id, c.kind, c.verdict, c.order_id,
           ($2::bytea[])[c.evidence], c.replay_of
      FROM jsonb_to_recordset($1::jsonb -> 'callbacks')
           AS c (callback_id text, received_at timestamptz, merchant_id text, notice_id text, kind text, verdict text,
                 order_id text, evidence integer, replay_of text)
    -- Tried again after a commit of which nobody heard: it stands there as it was found then.
    ON CONFLICT (callback_id, received_at) DO NOTHING
), new_payments AS (
    INSERT INTO payments (payment_id, merchant_id, provider, provider_trade_no, order_id, amount_fen, coupon_fen,
                          surplus_fen, late, paid_at, source, callback_id, recorded_at)
    SELECT p.payment_id, p.merchant_id, p.provider, p.provider_trade_no, p.order_id, p.amount_fen, p.coupon_fen,
           p.surplus_fen, p.late, p.paid_at, p.source, p.callback_id, $4
      FROM jsonb_to_recordset($1::jsonb -> 'payments')
           AS p (payment_id text, merchant_id text, provider text, provider_trade_no text, order_id text,
                 amount_fen bigint, coupon_fen bigint, surplus_fen bigint, late boolean, paid_at timestamptz,
                 source text, callback_id text)
), new_payment_shares AS (
    INSERT INTO payment_shares (payment_id, fee_id, amount_fen)
    SELECT s.payment_id, s.fee_id, s.amount_fen
      FROM jsonb_to_recordset($1::jsonb -> 'payment_shares') AS s (payment_id text, fee_id text, amount_fen bigint)
), new_payment_balances AS (
    INSERT INTO payment_balances (payment_id, paid_fen, surplus_fen)
    SELECT p.payment_id, p.amount_fen, p.surplus_fen
      FROM jsonb_to_recordset($1::jsonb -> 'payments') AS p (payment_id text, amount_fen bigint, surplus_fen bigint)
), paid_orders AS (
    UPDATE orders o
       SET state = 'paid', paid_at = c.paid_at, paid_late = c.late, provider_trade_no = c.provider_trade_no,
           next_query_at = NULL, closing_at = NULL, leased_until = NULL
      FROM jsonb_to_recordset($1::jsonb -> 'paid_orders')
           AS c (order_id text, paid_at timestamptz, late boolean, provider_trade_no text)
     WHERE o.order_id = c.order_id AND o.order_id = ANY ((SELECT paid_orders FROM ids)::text[])
), freed_fees AS (
    DELETE FROM live_orders WHERE order_id = ANY ((SELECT paid_orders FROM ids)::text[])
), overtaken_orders AS (
    -- Whoever works on such an order holds its row, and sees by himself that its fee is settled.
    UPDATE orders SET next_query_at = $4
     WHERE order_id IN (
           SELECT o.order_id
             FROM jsonb_to_recordset($1::jsonb -> 'fees') AS c (fee_id text, paid_fen bigint)
             JOIN live_orders l USING (fee_id) JOIN orders o USING (order_id)
            WHERE c.paid_fen > 0 AND o.state = 'pending' AND o.next_query_at > $4
              AND o.order_id <> ALL ((SELECT paid_orders FROM ids)::text[])
              FOR UPDATE OF o SKIP LOCKED)
), overtaken_combined_orders AS (
    -- The same for a whole of which a part is overtaken: it is asked for as one.
    UPDATE combined_orders SET next_query_at = $4
     WHERE combined_id IN (
           SELECT w.combined_id
             FROM jsonb_to_recordset($1::jsonb -> 'fees') AS c (fee_id text, paid_fen bigint)
             JOIN live_orders l USING (fee_id) JOIN combined_parts p USING (order_id) JOIN combined_orders w USING (combined_id)
            WHERE c.paid_fen > 0 AND w.next_query_at > $4
              AND p.order_id <> ALL ((SELECT paid_orders FROM ids)::text[])
              FOR UPDATE OF w SKIP LOCKED)
), moved_fees AS (
    UPDATE fee_balances b
       SET paid_fen = b.paid_fen + c.paid_fen, refunding_fen = b.refunding_fen + c.refunding_fen,
           refunded_fen = b.refunded_fen + c.refunded_fen, remitted_fen = b.remitted_fen + c.remitted_fen,
           treasury_refunding_fen = b.treasury_refunding_fen + c.treasury_refunding_fen
      FROM jsonb_to_recordset($1::jsonb -> 'fees')
           AS c (fee_id text, paid_fen bigint, refunding_fen bigint, refunded_fen bigint, remitted_fen bigint,
                 treasury_refunding_fen bigint)
     WHERE b.fee_id = c.fee_id AND b.fee_id = ANY ((SELECT fees FROM ids)::text[])
), new_entries AS (
    INSERT INTO journal_entries (merchant_id, seq, kind, subject_id, occurred_at, recorded_at, mac)
    SELECT e.merchant_id, e.seq, e.kind, e.subject_id, e.occurred_at, $4, ($3::bytea[])[e.link]
      FROM jsonb_to_recordset($1::jsonb -> 'entries')
           AS e (merchant_id text, seq bigint, kind text, subject_id text, occurred_at timestamptz, link integer)
), new_lines AS (
    INSERT INTO journal_lines (merchant_id, seq, line, debit, credit, amount_fen, fee_id)
    SELECT l.merchant_id, l.seq, l.line, l.debit, l.credit, l.amount_fen, l.fee_id
      FROM jsonb_to_recordset($1::jsonb -> 'lines')
           AS l (merchant_id text, seq bigint, line integer, debit text, credit text, amount_fen bigint, fee_id text)
), moved_heads AS (
    UPDATE journal_heads h SET seq = c.seq, mac = ($3::bytea[])[c.link]
      FROM jsonb_to_recordset($1::jsonb -> 'heads') AS c (merchant_id text, seq bigint, link integer)
     WHERE h.merchant_id = c.merchant_id
)
SELECT 1
