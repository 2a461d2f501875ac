//! Delivery receipts as Aliyun posts them (SmsReport): a JSON array of texts, with Beijing times
//! and no signature.

use domain::delivery::Arrival;
use domain::personal::Personal;
use domain::time::from_beijing;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::Value;

use super::super::{Receipt, ReceiptBatch, ReceiptError, for_record};
use super::codes::undelivered;
use crate::provider::Reply;

/// The answer on which Aliyun stops posting: only a numeric `code` of 0 is looked at.
pub(super) const TAKEN: Reply = Reply {
    status: 200,
    content_type: Some("application/json"),
    body: r#"{"code":0,"msg":"接收成功"}"#.as_bytes(),
};

/// The answer after which Aliyun posts again, in 1, 5 and 10 minutes.
pub(super) const NOT_TAKEN: Reply = Reply {
    status: 503,
    content_type: Some("application/json"),
    body: r#"{"code":1,"msg":"请稍后重试"}"#.as_bytes(),
};

#[derive(Deserialize)]
struct Report {
    phone_number: String,
    success: bool,
    #[serde(default)]
    report_time: Option<String>,
    #[serde(default)]
    err_code: Option<String>,
    #[serde(default)]
    sms_size: Option<String>,
    #[serde(default)]
    biz_id: Option<String>,
    #[serde(default)]
    out_id: Option<String>,
}

/// Reads a post; an entry that cannot be read does not spoil the others.
pub(super) fn read(body: &[u8]) -> Result<ReceiptBatch, ReceiptError> {
    let entries: Vec<Value> =
        serde_json::from_slice(body).map_err(|source| ReceiptError(position(&source)))?;
    let mut batch = ReceiptBatch::default();
    for entry in entries {
        match serde_json::from_value::<Report>(entry) {
            Ok(report) => batch.receipts.push(receipt(report)),
            Err(_may_repeat_the_number) => {
                batch.unreadable = batch.unreadable.saturating_add(1);
            }
        }
    }
    Ok(batch)
}

fn receipt(report: Report) -> Receipt {
    let code = report.err_code.unwrap_or_default();
    let arrival = if report.success {
        Arrival::Delivered
    } else {
        Arrival::Undelivered { reason: undelivered(&code), code: for_record(&code) }
    };
    // A number of ours or of theirs holds no control character: such a text names nothing.
    let filled = |text: Option<String>| {
        text.filter(|text| !text.is_empty() && !text.contains(char::is_control))
    };
    Receipt {
        phone: Personal::new(report.phone_number),
        out_id: filled(report.out_id),
        vendor_ref: filled(report.biz_id),
        arrival,
        reported_at: report.report_time.as_deref().and_then(beijing_time),
        segments: report.sms_size.and_then(|size| size.parse().ok()),
    }
}

/// `2017-01-01 00:00:00`, a wall clock in Beijing.
pub(super) fn beijing_time(text: &str) -> Option<Timestamp> {
    text.parse::<DateTime>().ok().map(from_beijing)
}

/// Where a text stops being JSON, without repeating any of it.
fn position(error: &serde_json::Error) -> String {
    format!("line {} column {}", error.line(), error.column())
}
