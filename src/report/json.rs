//! `report.json`: everything that the papers of a day are made of, for machines.

use domain::money::Fen;
use domain::time::rfc3339;
use serde_json::{Value, json};

use super::foot::{Foot, Ways};
use super::model::{MerchantDay, Report};
use super::sorted::{self, For};
use super::summary::Summary;

/// The text of `report.json`.
///
/// # Errors
/// Never in practice: nothing in it can fail to become JSON.
pub fn report_json(report: &Report) -> Result<Vec<u8>, serde_json::Error> {
    let merchants: Result<Vec<Value>, _> = report.merchants.iter().map(merchant).collect();
    let value = json!({
        "office": report.office,
        "date": report.day(),
        "made_at": report.made_at.map(rfc3339),
        "balanced": report.is_balanced(),
        "signatures": report.signatures,
        "merchants": merchants?,
    });
    Ok(format!("{value:#}\n").into_bytes())
}

fn merchant(day: &MerchantDay) -> Result<Value, serde_json::Error> {
    let foot = Foot::of(day);
    let by_item: Vec<Value> =
        sorted::by_item(day).iter().map(|(what, sums)| named(ways(sums), "code", what)).collect();
    Ok(json!({
        "merchant_id": day.merchant,
        "provider": day.totals.provider,
        "version": day.version,
        "report_sha256": day.digest,
        "bill": day.bill.as_ref().map(|file| json!({"name": file.name, "sha256": file.sha256})),
        "journal_head": day.journal_head,
        "summary": serde_json::to_value(Summary::of(day))?,
        "foots": foot.holds(),
        "hub": ways(&foot.whole.hub),
        "bill_side": ways(&foot.whole.bill),
        "agreed": ways(&foot.agreed),
        "by_item": by_item,
        "matched": day.result.matched,
        "doubts": day.result.doubts,
        "differences": day.result.differences,
        "papers": day.papers,
    }))
}

fn named(mut value: Value, key: &str, what: &For) -> Value {
    if let Value::Object(row) = &mut value {
        row.insert(key.to_owned(), json!(what.code()));
        row.insert("name".to_owned(), json!(what.name()));
    }
    value
}

/// Refunds are negative, as on the papers.
fn ways(ways: &Ways) -> Value {
    let amount = |count: i64, fen: Fen| json!({"count": count, "amount_fen": fen});
    json!({
        "payments": amount(ways.payments.count, ways.payments.fen),
        "refunds": amount(ways.refunds.count, ways.refunds.fen),
        "net_fen": ways.net(),
    })
}
