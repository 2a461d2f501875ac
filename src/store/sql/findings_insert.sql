-- Writes the differences and doubts of a run, whose merchant is $5; always one row.
WITH new_differences AS (
    INSERT INTO differences (difference_id, run_id, position, kind, direction, out_trade_no, out_refund_no, provider_trade_no,
                             hub_amount_fen, bill_amount_fen, hub_state, bill_state, detail, cause, proposed_action, status,
                             opened_at, merchant_id, fingerprint, first_day, same_as)
    SELECT id, $1, position, kind, direction, out_trade_no, out_refund_no, provider_trade_no, hub_amount_fen, bill_amount_fen,
           hub_state, bill_state, detail, cause, proposed_action, 'open', $4, $5, fingerprint, first_day, same_as
      FROM jsonb_to_recordset($2::jsonb)
           AS d (id text, position integer, kind text, direction text, out_trade_no text, out_refund_no text,
                 provider_trade_no text, hub_amount_fen bigint, bill_amount_fen bigint, hub_state text, bill_state text,
                 detail text, cause text, proposed_action text, fingerprint text, first_day date, same_as text)
), new_doubts AS (
    INSERT INTO doubts (doubt_id, run_id, position, kind, direction, out_trade_no, out_refund_no, provider_trade_no,
                        hub_amount_fen, bill_amount_fen, hub_state, bill_state, detail, opened_at, merchant_id, fingerprint,
                        finding)
    SELECT id, $1, position, kind, direction, out_trade_no, out_refund_no, provider_trade_no, hub_amount_fen, bill_amount_fen,
           hub_state, bill_state, detail, $4, $5, fingerprint, finding
      FROM jsonb_to_recordset($3::jsonb)
           AS d (id text, position integer, kind text, direction text, out_trade_no text, out_refund_no text,
                 provider_trade_no text, hub_amount_fen bigint, bill_amount_fen bigint, hub_state text, bill_state text,
                 detail text, fingerprint text, finding jsonb)
)
SELECT 1
