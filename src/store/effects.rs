//! Writes what facts change, many at once, in one statement. The rows are built by
//! [`crate::record`]; here nothing is decided.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::Json;

use super::fees::FeeRecord;
use super::{Sent, StoreError, change, documents, in_turn, sql};

/// The rows of many effects. Each list is one table; evidence and links lie beside the document,
/// by index from 1, because JSON holds no bytes.
#[derive(Debug, Default, Serialize)]
pub struct EffectRows {
    /// Stored callbacks.
    pub callbacks: Vec<Value>,
    /// Payments.
    pub payments: Vec<Value>,
    /// How payments divide over fees.
    pub payment_shares: Vec<Value>,
    /// Orders that are paid now.
    pub paid_orders: Vec<Value>,
    /// What changes in fees' balances, one row a fee.
    pub fees: Vec<Value>,
    /// What changes in payments' balances, one row a payment.
    pub payment_balances: Vec<Value>,
    /// Refunds that moved.
    pub refunds: Vec<Value>,
    /// Incidents.
    pub incidents: Vec<Value>,
    /// Journal entries.
    pub entries: Vec<Value>,
    /// Their lines.
    pub lines: Vec<Value>,
    /// The journals' new heads.
    pub heads: Vec<Value>,
    /// Sealed evidence, by index.
    #[serde(skip)]
    pub evidence: Vec<Vec<u8>>,
    /// Links of the journals' chains, by index.
    #[serde(skip)]
    pub links: Vec<Vec<u8>>,
}

/// Writes them, and reads `fees` as they stand then.
///
/// # Errors
/// The named constraint that one of them breaks; nothing is written then.
pub async fn write(
    client: &impl GenericClient,
    rows: &EffectRows,
    now: Timestamp,
    fees: &[&str],
) -> Result<Vec<FeeRecord>, StoreError> {
    let document = Json(rows);
    let write: Sent<'_> = (sql::EFFECTS_RECORD, &[&document, &rows.evidence, &rows.links, &now]);
    let read: Sent<'_> = (sql::FEES_LOAD, &[&fees]);
    let (_written, fees) = in_turn(client, write, read).await?;
    documents(&fees)
}

/// Queues a message to the payer of each fee that was paid off. `notices`: `notification_id`,
/// `fee_id` and the index of its sealed parameters.
///
/// # Errors
/// When the database refuses.
pub async fn queue_paid_notices(
    client: &impl GenericClient,
    notices: &[Value],
    params_sealed: &[Vec<u8>],
    template: &str,
    channel: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !notices.is_empty() {
        change(
            client,
            sql::PAID_NOTICES_INSERT,
            &[&Json(notices), &params_sealed, &template, &channel, &now],
        )
        .await?;
    }
    Ok(())
}
