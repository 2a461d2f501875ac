//! A combined order with its parts.

use domain::time::rfc3339;
use serde_json::{Value, json};

use super::{order, refused};
use crate::store::combined::CombinedRecord;

/// A combined order, with each part as the order that it is.
#[must_use]
pub fn combined(record: &CombinedRecord) -> Value {
    json!({
        "id": record.id,
        "merchant_id": record.merchant_id,
        "product": record.product,
        "out_trade_no": record.out_trade_no,
        "status": record.status(),
        "amount_fen": record.amount_fen,
        "created_at": rfc3339(record.created_at),
        "expires_at": rfc3339(record.expires_at),
        "pay": record.pay,
        "refused": record.parts.first().and_then(refused),
        "orders": record.parts.iter().map(order).collect::<Vec<_>>(),
    })
}
