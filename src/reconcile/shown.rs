//! Runs, differences and reports as the API shows them.

use domain::bill::BillTotals;
use domain::time::rfc3339;
use reconciliation::Reconciliation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::report::{FileStamp, FundCheck, MerchantDay, Papers, Report};
use crate::store::findings::DifferenceRecord;
use crate::store::runs::{self, RunRecord};
use crate::store::sign_offs;

/// A run as its GET answers it.
#[must_use]
pub fn run(record: &RunRecord) -> Value {
    json!({
        "id": record.id,
        "merchant_id": record.merchant_id,
        "date": record.date,
        "version": record.version,
        "status": record.status,
        "sign_off": record.sign_off,
        "balanced": is_ended(record).then_some(record.is_balanced()),
        "summary": record.summary,
        "bill_sha256": record.bill_sha256,
        "bill_fetched_at": record.fetched_at.map(rfc3339),
        "failure": record.failure,
        "next_try_at": record.next_at.map(rfc3339),
        "started_at": rfc3339(record.started_at),
        "finished_at": record.finished_at.map(rfc3339),
    })
}

fn is_ended(record: &RunRecord) -> bool {
    matches!(record.status.as_str(), "balanced" | "unbalanced")
}

/// A difference as its list answers it.
#[must_use]
pub fn difference(record: &DifferenceRecord) -> Value {
    Value::Object(record.shown.clone())
}

impl RunRecord {
    /// Whether both sides agree.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.status == "balanced"
    }

    /// The run in a line, for a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        let count = |side: &str, what: &str| {
            self.summary
                .as_ref()
                .and_then(|summary| summary.pointer(&format!("/{side}/{what}/count")))
                .and_then(Value::as_u64)
                .unwrap_or_default()
        };
        let differences = self
            .summary
            .as_ref()
            .and_then(|summary| summary.pointer("/differences/count"))
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let head = format!("{} {} v{}: {}", self.merchant_id, self.date, self.version, self.status);
        match &self.failure {
            Some(failure) => format!("{head}: {failure}"),
            None => format!(
                "{head}: hub {} payments and {} refunds, bill {} and {}, {differences} differences ({})",
                count("hub", "payments"),
                count("hub", "refunds"),
                count("bill", "payments"),
                count("bill", "refunds"),
                self.id
            ),
        }
    }
}

/// What a report is made of, as stored with its run.
#[derive(Deserialize, Serialize)]
struct Stored {
    merchant: String,
    totals: BillTotals,
    bill: Option<(String, String)>,
    result: Reconciliation,
    journal_head: Option<String>,
    /// The fund flow bill beside the trade bill, where it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fund_flow: Option<FundCheck>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fund_note: Option<String>,
    /// Runs of older programs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    papers: Option<Papers>,
}

/// A merchant's day on its way into the database.
pub(super) fn stored(day: &MerchantDay) -> Result<Value, Fault> {
    let stored = Stored {
        merchant: day.merchant.clone(),
        totals: day.totals.clone(),
        bill: day.bill.as_ref().map(|stamp| (stamp.name.clone(), stamp.sha256.clone())),
        result: day.result.clone(),
        journal_head: day.journal_head.clone(),
        fund_flow: day.fund_flow.clone(),
        fund_note: day.fund_note.clone(),
        papers: day.papers.clone(),
    };
    serde_json::to_value(stored).map_err(|error| Fault::internal(&error))
}

/// The report of runs, in the order given.
///
/// # Errors
/// 404 no such run, 409 a run that has not ended.
pub async fn report(hub: &Hub, run_ids: &[&str]) -> Result<Report, Fault> {
    let mut report = Report { office: Some(hub.office.clone()), ..Report::default() };
    for run_id in run_ids {
        let run = load(hub, run_id).await?;
        let client = hub.store.client().await?;
        let (value, digest) = runs::report(&client, run_id).await?.ok_or_else(|| {
            Fault::conflict("run_not_ended", format!("run {run_id} is {}", run.status))
        })?;
        let stored: Stored =
            serde_json::from_value(value).map_err(|error| Fault::internal(&error))?;
        let signatures = sign_offs::list(&client, run_id).await?;
        report.signatures.extend(signatures.into_iter().map(|it| it.paper(run_id)));
        report.made_at = report.made_at.max(run.finished_at);
        report.merchants.push(MerchantDay {
            merchant: stored.merchant,
            totals: stored.totals,
            bill: stored.bill.map(|(name, sha256)| FileStamp { name, sha256 }),
            ledger: None,
            result: stored.result,
            fund_flow: stored.fund_flow,
            fund_note: stored.fund_note,
            journal_head: stored.journal_head,
            version: Some(run.version),
            digest: Some(digest),
            papers: stored.papers,
        });
    }
    Ok(report)
}
