//! `summary.json`: the run in numbers, in the shape that the contract pins.

use std::collections::BTreeMap;

use domain::bill::Total;
use domain::fund::FundKind;
use domain::money::Fen;
use domain::provider::Provider;
use jiff::civil::Date;
use reconciliation::fund::Changes;
use reconciliation::{Finding, FundFinding, Outside, Sides};
use serde::Serialize;
use serde_json::{Map, Value};

use super::fund::FundCheck;
use super::model::{MerchantDay, Report};

/// One merchant's day in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Whose bill.
    pub provider: Provider,
    /// The merchant's id; absent offline.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub merchant_id: String,
    /// The business day.
    pub date: Option<Date>,
    /// No difference, and a bill that agrees with itself.
    pub balanced: bool,
    /// The ledger's side.
    pub hub: Sides,
    /// The bill's side.
    pub bill: Side,
    /// What both agree on, payments and refunds, each positive.
    pub matched: Matched,
    /// What the next file may clear.
    pub doubts: Findings,
    /// What somebody must look into.
    pub differences: Findings,
    /// The bill's own totals as parsed, amounts in fen.
    pub footer: Map<String, Value>,
    /// Whether the bill's own totals are those of its rows.
    pub footer_ok: bool,
    /// The first that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer_fault: Option<String>,
    /// Ledger rows that are no matter of this day.
    pub outside: Outside,
    /// Columns of the bill that nobody knows yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_columns: Vec<String>,
    /// The bill's file name and SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill_file: Option<Value>,
    /// The fund flow bill beside the trade bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fund_flow: Option<Flow>,
    /// Why there is none, where it was to be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fund_flow_note: Option<String>,
}

/// The bill's side.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Side {
    /// Payments.
    pub payments: Total,
    /// Refunds.
    pub refunds: Total,
    /// Charges, net of those given back.
    pub fee_fen: Fen,
}

/// What both sides agree on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Matched {
    /// Payments and refunds.
    pub count: u64,
    /// Their gross sum.
    pub amount_fen: Fen,
    /// Payments.
    pub payments: Total,
    /// Refunds.
    pub refunds: Total,
}

/// How many findings there are, and of which kinds.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// All of them.
    pub count: usize,
    /// By kind; a kind that did not occur is not listed.
    pub by_kind: BTreeMap<&'static str, u64>,
}

/// The fund flow bill in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    /// What came in.
    pub income: Total,
    /// What went out.
    pub expense: Total,
    /// What payments, refunds and charges changed the balance by.
    pub from_trade_fen: Fen,
    /// What the trade bill lets expect of it.
    pub expected_fen: Fen,
    /// Whether the two are equal.
    pub agrees: bool,
    /// The file's own totals as parsed; a file whose totals do not hold is refused.
    pub footer: Map<String, Value>,
    /// Whether they are those of its rows.
    pub footer_ok: bool,
    /// No difference between the rows of the two bills, and balances that go on.
    pub balanced: bool,
    /// The balance before the first change.
    pub opening_fen: Option<Fen>,
    /// The balance after the last.
    pub closing_fen: Option<Fen>,
    /// The changes by kind.
    pub changes: BTreeMap<FundKind, Changes>,
    /// Rows whose money moved as the trade bill has them.
    pub matched: Matched,
    /// What a later bill may clear.
    pub doubts: Vec<FundFinding>,
    /// What somebody must look into.
    pub differences: Vec<FundFinding>,
}

impl Flow {
    fn of(check: &FundCheck) -> Self {
        let result = &check.result;
        Self {
            income: check.income,
            expense: check.expense,
            from_trade_fen: check.from_trade,
            expected_fen: check.expected,
            agrees: check.agrees(),
            footer: object(&check.footer),
            footer_ok: true,
            balanced: result.is_balanced(),
            opening_fen: result.opening_fen,
            closing_fen: result.closing_fen,
            changes: result.changes.clone(),
            matched: Matched::of(result.matched),
            doubts: result.doubts.clone(),
            differences: result.differences.clone(),
        }
    }
}

impl Findings {
    /// Counts these.
    pub fn count<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut by_kind = BTreeMap::<&'static str, u64>::new();
        let mut count = 0_usize;
        for finding in findings {
            count = count.saturating_add(1);
            let kind = by_kind.entry(finding.kind.as_str()).or_default();
            *kind = kind.saturating_add(1);
        }
        Self { count, by_kind }
    }
}

impl Matched {
    fn of(sides: Sides) -> Self {
        let Total { count, amount_fen } = sides.together();
        Self { count, amount_fen, payments: sides.payments, refunds: sides.refunds }
    }
}

impl Side {
    fn of(sides: Sides, fee_fen: Fen) -> Self {
        Self { payments: sides.payments, refunds: sides.refunds, fee_fen }
    }
}

impl Summary {
    /// The day in numbers.
    #[must_use]
    pub fn of(day: &MerchantDay) -> Self {
        let (sums, totals) = (&day.result.sums, &day.totals);
        Self {
            provider: totals.provider,
            merchant_id: day.merchant.clone(),
            date: day.result.day,
            balanced: day.is_balanced(),
            hub: sums.hub,
            bill: Side::of(sums.bill, sums.fee),
            matched: Matched::of(sums.matched),
            doubts: Findings::count(&day.result.doubts),
            differences: Findings::count(&day.result.differences),
            footer: object(&totals.footer),
            footer_ok: totals.footer_ok,
            footer_fault: totals.footer_fault.clone(),
            outside: day.result.outside,
            unknown_columns: totals.unknown_columns.clone(),
            bill_file: day
                .bill
                .as_ref()
                .map(|file| serde_json::json!({ "name": file.name, "sha256": file.sha256 })),
            fund_flow: day.fund_flow.as_ref().map(Flow::of),
            fund_flow_note: day.fund_note.clone(),
        }
    }
}

/// The text of `summary.json`: one merchant's [`Summary`], or the sums of several with each
/// one's under `merchants`.
///
/// # Errors
/// Never in practice: nothing in it can fail to become JSON.
pub fn summary_json(report: &Report) -> Result<String, serde_json::Error> {
    let value = if let [only] = report.merchants.as_slice() {
        serde_json::to_value(Summary::of(only))?
    } else {
        serde_json::json!({
            "date": report.day(),
            "balanced": report.is_balanced(),
            "hub": report.sum(|day| day.result.sums.hub),
            "bill": Side::of(report.sum(|day| day.result.sums.bill), report.fee()),
            "matched": Matched::of(report.sum(|day| day.result.sums.matched)),
            "doubts": Findings::count(report.doubts().map(|(_, finding)| finding)),
            "differences": Findings::count(report.differences().map(|(_, finding)| finding)),
            "footer_ok": report.merchants.iter().all(|day| day.totals.footer_ok),
            "merchants": report.merchants.iter().map(Summary::of).collect::<Vec<_>>(),
        })
    };
    Ok(format!("{:#}\n", value))
}

fn object(pairs: &[(String, i64)]) -> Map<String, Value> {
    pairs.iter().map(|(name, number)| (name.clone(), Value::from(*number))).collect()
}
