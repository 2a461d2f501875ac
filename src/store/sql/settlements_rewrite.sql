-- Changes what is expected of a bill day to what a later version of its run says; no row when it is not there.
UPDATE settlements SET run_id = $2, payments_fen = $3, refunds_fen = $4, fee_fen = $5, net_fen = $6
 WHERE settlement_id = $1
RETURNING settlement_id
