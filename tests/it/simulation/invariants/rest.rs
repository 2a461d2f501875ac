//! Everybody has come to rest: nothing is unknown, under way or leased, and nobody was called for
//! something that no fault of the plan can cause.

use super::super::live::Run;
use super::super::scene::Scene;
use super::sentences;

/// What still waits for somebody, a sentence a row.
const WAITING: &str = "
    SELECT 'order ' || order_id || ' is ' || state || ', closed ' || COALESCE(closed_at::text, 'never') || ', asked for at ' || COALESCE(next_query_at::text, 'never') FROM orders
     WHERE state IN ('created', 'pending', 'unknown') OR next_query_at IS NOT NULL UNION ALL
    SELECT 'refund ' || refund_id || ' is ' || state || ', asked for at ' || COALESCE(next_query_at::text, 'never') FROM refunds
     WHERE state IN ('submitted', 'unknown', 'processing') OR next_query_at IS NOT NULL UNION ALL
    SELECT 'delivery ' || delivery_id || ' of ' || ordering_key || ' is ' || state || ' until ' || next_at FROM deliveries
     WHERE state IN ('due', 'sending', 'querying') UNION ALL
    SELECT 'run ' || run_id || ' of ' || merchant_id || ' for ' || bill_date || ' is ' || status || ': ' || COALESCE(failure, '') FROM runs
     WHERE status IN ('waiting_for_bill', 'running')";

/// Each gives a sentence a row for what may not be.
const RULES: [&str; 4] = [
    "SELECT 'delivery ' || delivery_id || ' of ' || ordering_key || ' is a dead letter: ' || COALESCE(last_outcome, '') FROM deliveries
      WHERE state = 'dead' AND kind = 'webhook'",
    "SELECT name || ' hold ' || held || ' leases' FROM (
        SELECT 'orders' AS name, count(*) AS held FROM orders WHERE leased_until IS NOT NULL UNION ALL
        SELECT 'refunds', count(*) FROM refunds WHERE leased_until IS NOT NULL UNION ALL
        SELECT 'deliveries', count(*) FROM deliveries WHERE leased_until IS NOT NULL UNION ALL
        SELECT 'runs', count(*) FROM runs WHERE leased_until IS NOT NULL UNION ALL
        SELECT 'requests', count(*) FROM idempotency_keys WHERE leased_until > clock_timestamp()) AS leases WHERE held > 0",
    "SELECT 'incident ' || kind || ': ' || detail FROM incidents
      WHERE kind NOT IN ('surplus_payment', 'late_payment', 'refund_abnormal', 'refund_waits_for_funds', 'refund_unknown', 'portal_refund', 'portal_refund_exceeds',
                         'bill_late', 'bill_damaged', 'fund_bill_late', 'settlement_changed', 'channel_fault', 'notice_unreadable', 'provider_refuses_the_hub')",
    "SELECT 'incident ' || kind || ' is open though the money went: ' || detail FROM incidents
      WHERE kind = 'refund_waits_for_funds' AND closed_at IS NULL",
];

impl Scene {
    /// Whether nothing waits any more, here or at the providers.
    pub(in super::super) async fn is_quiet(&self) -> Result<bool, String> {
        let callbacks = self.office.sandbox.engine().next_due().is_some();
        Ok(!callbacks && self.rows(WAITING).await?.is_empty())
    }

    /// What still waits, in words.
    pub(in super::super) async fn waiting(&self) -> Result<String, String> {
        let rows = self.rows(WAITING).await?;
        let mut waiting: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let next = self.office.sandbox.engine().next_due();
        waiting.extend(next.map(|due| format!("a callback is due at {due}")));
        Ok(waiting.join("; "))
    }
}

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut breaks = sentences(run, WAITING).await?;
    for rule in RULES {
        breaks.extend(sentences(run, rule).await?);
    }
    Ok(breaks)
}
