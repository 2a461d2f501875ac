//! Writes what a run found, with the events that tell of it, in one transaction.

use domain::event::EventType;
use domain::ids::{DifferenceId, DoubtId};
use reconciliation::Finding;
use serde_json::{Value, json};
use uuid::Uuid;

use super::day::{Bill, Matched, sha256};
use super::shown;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::record::event;
use crate::report::{FileStamp, MerchantDay, Summary};
use crate::store::StoreError;
use crate::store::events;
use crate::store::journal::{self, Head};
use crate::store::runs::{self, Finished, RunRecord};

pub(super) async fn keep(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    bill: &Bill,
    matched: &Matched,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let bill_file_id = match &bill.file {
        Some(file) => {
            Some(runs::keep_bill(&tx, &merchant.id, run.date, &sha256(file), file, now).await?)
        }
        None => None,
    };
    let heads = journal::heads(&tx).await?;
    let day = merchant_day(merchant, run, bill, matched, heads_shown(hub, merchant, &heads));
    let head = heads
        .into_iter()
        .find(|head| head.merchant_id == merchant.id)
        .map(|head| (head.seq, head.mac));
    let summary =
        serde_json::to_value(Summary::of(&day)).map_err(|error| Fault::internal(&error))?;
    let report = shown::stored(&day)?;
    let differences = rows(&matched.result.differences, |uuid| DifferenceId::new(uuid).into());
    let doubts = rows(&matched.result.doubts, |uuid| DoubtId::new(uuid).into());
    let status = if day.is_balanced() { "balanced" } else { "unbalanced" };
    let done = Finished {
        run_id: &run.id,
        lease: run.lease,
        status,
        bill_file_id,
        summary: &summary,
        ledger: &matched.ledger,
        report: &report,
        journal: head,
        differences: &differences,
        doubts: &doubts,
        now,
    };
    if runs::finish(&tx, &done).await? {
        let stored = runs::by_ids(&tx, &[run.id.as_str()]).await?;
        let opened = runs::differences(&tx, run.id.as_str(), 0, i64::MAX).await?;
        let run_id = run.id.as_str();
        let tell =
            |kind, subject: &str, data: &Value| event(kind, None, subject, run_id, data, now);
        let told: Vec<events::NewEvent> = stored
            .iter()
            .map(|run| tell(EventType::ReconciliationCompleted, run_id, &shown::run(run)))
            .chain(opened.iter().map(|found| {
                let data = shown::difference(found);
                let id = data.get("id").and_then(Value::as_str).unwrap_or(run_id).to_owned();
                tell(EventType::DifferenceOpened, &id, &data)
            }))
            .collect();
        events::insert(&tx, &told, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        hub.signals.wake_dispatch();
    }
    Ok(())
}

fn merchant_day(
    merchant: &Merchant,
    run: &RunRecord,
    bill: &Bill,
    matched: &Matched,
    journal_head: Option<String>,
) -> MerchantDay {
    let provider = merchant.provider.provider();
    let name = format!("{provider}-{}-{}", merchant.id, run.date);
    MerchantDay {
        merchant: merchant.id.to_string(),
        totals: bill.totals.clone(),
        bill: bill.file.as_ref().map(|file| FileStamp::of(name, file)),
        ledger: None,
        result: matched.result.clone(),
        fund_flow: None,
        journal_head,
    }
}

/// The heads of the journals that a report stands for, so that a cut tail shows: the head of the
/// one merchant, or of each merchant of the account with its id and number.
fn heads_shown(hub: &Hub, merchant: &Merchant, heads: &[Head]) -> Option<String> {
    let hex = |mac: &[u8]| mac.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let all = hub.of_one_account(merchant);
    let known = |merchant: &Merchant| heads.iter().find(|head| head.merchant_id == merchant.id);
    if all.len() == 1 {
        return known(merchant).map(|head| hex(&head.mac));
    }
    let shown: Vec<String> = all
        .into_iter()
        .filter_map(known)
        .map(|head| format!("{}:{}:{}", head.merchant_id, head.seq, hex(&head.mac)))
        .collect();
    (!shown.is_empty()).then(|| shown.join(" "))
}

/// Findings as rows, in their order.
fn rows(findings: &[Finding], id: impl Fn(Uuid) -> String) -> Vec<Value> {
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    findings
        .iter()
        .enumerate()
        .map(|(index, found)| {
            json!({
                "id": id(Uuid::now_v7()),
                "position": index.saturating_add(1),
                "kind": found.kind.as_str(),
                "direction": found.direction.as_str(),
                "out_trade_no": found.out_trade_no,
                "out_refund_no": text(&found.out_refund_no),
                "provider_trade_no": text(&found.provider_trade_no),
                "hub_amount_fen": found.hub_amount,
                "bill_amount_fen": found.bill_amount,
                "hub_state": text(found.hub_word()),
                "bill_state": text(found.bill_word()),
                "detail": found.detail,
                "cause": found.cause,
                "proposed_action": found.proposed_action,
            })
        })
        .collect()
}
