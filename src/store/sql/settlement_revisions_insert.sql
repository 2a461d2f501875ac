-- Writes what a later version of a run expects of a bill day for which money has arrived; always one row.
INSERT INTO settlement_revisions (settlement_id, position, run_id, payments_fen, refunds_fen, fee_fen, net_fen, merchants, nets_fen, made_at)
SELECT $1, COALESCE(max(r.position), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 FROM settlement_revisions r WHERE r.settlement_id = $1
RETURNING position
