//! The books by themselves: design.md's invariants, each asked of the rows, and the journal's proof.

use super::super::live::Run;
use super::super::scene::told;
use super::sentences;

/// Each gives a sentence a row for what may not be.
const RULES: [&str; 10] = [
    "SELECT 'refunds of payment ' || p.payment_id || ' exceed it' FROM payments p JOIN refunds r USING (payment_id)
      WHERE r.state NOT IN ('failed', 'declined') GROUP BY p.payment_id, p.amount_fen HAVING sum(r.amount_fen) > p.amount_fen",
    "SELECT 'order ' || o.order_id || ' is not the sum of its allocations' FROM orders o LEFT JOIN order_allocations a USING (order_id)
      GROUP BY o.order_id, o.amount_fen HAVING o.amount_fen IS DISTINCT FROM sum(a.amount_fen)",
    "SELECT 'fee ' || fee_id || ' has ' || count(*) || ' live orders' FROM orders JOIN order_allocations USING (order_id)
      WHERE state IN ('created', 'pending', 'unknown') GROUP BY fee_id HAVING count(*) > 1",
    "SELECT 'live order ' || order_id || ' of fee ' || fee_id || ' is ' || state FROM live_orders JOIN orders USING (order_id)
      WHERE state NOT IN ('created', 'pending', 'unknown')",
    "SELECT 'provider trade number ' || provider_trade_no || ' is booked ' || count(*) || ' times' FROM payments
      GROUP BY provider, provider_trade_no HAVING count(*) > 1",
    "SELECT 'journal ' || merchant_id || ' is out of balance by ' || sum(fen) FROM (
        SELECT merchant_id, debit AS account, amount_fen AS fen FROM journal_lines UNION ALL
        SELECT merchant_id, credit, -amount_fen FROM journal_lines) AS sides GROUP BY merchant_id HAVING sum(fen) <> 0",
    "SELECT 'payment ' || payment_id || ' has ' || count(e.seq) || ' entries in the journal' FROM payments p
      LEFT JOIN journal_entries e ON e.subject_id = p.payment_id GROUP BY payment_id HAVING count(e.seq) <> 1",
    "SELECT 'fee ' || fee_id || ' was paid ' || sum(amount_fen) || ' of ' || total_fen FROM payment_shares JOIN fees USING (fee_id)
      GROUP BY fee_id, total_fen HAVING sum(amount_fen) > total_fen",
    "SELECT 'refund ' || refund_id || ' was decided by who asked for it' FROM refunds WHERE decided_by = requested_by",
    "SELECT 'table ' || name || ' may be rewritten' FROM unnest(ARRAY['payments', 'payment_shares', 'journal_entries',
        'journal_lines', 'events']) AS facts (name) WHERE NOT EXISTS (SELECT FROM pg_trigger t
        WHERE t.tgname = 'facts_are_never_changed' AND t.tgenabled = 'O' AND t.tgrelid = name::regclass)",
];

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let proof = payhub::ledger::verify(&run.scene.office.hub).await.map_err(told)?;
    let mut breaks = proof.breaks;
    for rule in RULES {
        breaks.extend(sentences(run, rule).await?);
    }
    Ok(breaks)
}
