//! Cases held against their fees: what is past its pay gate unpaid, and what was paid for nothing.

use domain::case::{CaseFinding, PayGate, examine as hold};
use domain::fee::FeeFacts;
use domain::time::rfc3339;
use serde_json::{Value, json};

use super::Days;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::report;
use crate::store::supervision::{self, CaseOfFees, Which};

/// A case that does not agree with its fees.
#[derive(Clone, Debug)]
pub struct Faulty {
    /// The case with its fees.
    pub case: CaseOfFees,
    /// The gate by which it was examined.
    pub gate: PayGate,
    /// What is wrong.
    pub finding: CaseFinding,
}

/// What a look at some cases found.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// How many cases were looked at.
    pub count: usize,
    /// Those with which something is wrong.
    pub faulty: Vec<Faulty>,
    /// The application and number of the last case that was looked at, where there may be more.
    pub next: Option<(String, String)>,
}

/// Examines cases accepted on `days`, of one application or of all, at most `limit` after a case.
///
/// # Errors
/// 422 days that are none, or more than a year.
pub async fn examine(
    hub: &Hub,
    application: Option<&str>,
    days: Days,
    after: (&str, &str),
    limit: i64,
) -> Result<Examined, Fault> {
    let (from, until) = days.span()?;
    let which = Which { application, from, until };
    let cases = supervision::cases(&hub.store.client().await?, &which, after, limit).await?;
    let count = cases.len();
    let is_full = i64::try_from(count).is_ok_and(|count| count >= limit);
    let last = cases.last().filter(|_| is_full);
    let next = last.map(|last| (last.application_id.as_str().to_owned(), last.case_no.clone()));
    let faulty = cases.into_iter().filter_map(|case| look(hub, case)).collect();
    Ok(Examined { count, faulty, next })
}

fn look(hub: &Hub, case: CaseOfFees) -> Option<Faulty> {
    let gate = hub.pay_gates.get(&case.business_type).copied().unwrap_or(hub.policy.pay_gate);
    let facts: Vec<FeeFacts> = case.fees.iter().map(|(_, facts)| *facts).collect();
    hold(gate, case.state, &facts).map(|finding| Faulty { case, gate, finding })
}

/// A faulty case as its list answers it.
#[must_use]
pub fn shown(faulty: &Faulty) -> Value {
    let Faulty { case, gate, finding } = faulty;
    let fees: Vec<Value> = case
        .fees
        .iter()
        .map(|(fee_id, facts)| {
            json!({
                "fee_id": fee_id,
                "status": facts.status().as_str(),
                "total_fen": facts.total,
                "paid_fen": facts.paid,
                "refunded_fen": facts.refunded,
            })
        })
        .collect();
    json!({
        "case_no": case.case_no,
        "business_type": case.business_type,
        "department": case.department,
        "handler": case.handler,
        "accepted_at": rfc3339(case.accepted_at),
        "state": case.state.as_str(),
        "pay_gate": gate.as_str(),
        "kind": finding.kind.as_str(),
        "amount_fen": finding.amount_fen,
        "fees": fees,
    })
}

/// The columns of [`csv`].
const COLUMNS: [&str; 10] = [
    "监察结果",
    "受理号",
    "业务类型",
    "部门",
    "经办人",
    "办件状态",
    "缴费节点",
    "金额(分)",
    "受理时间",
    "缴费编号",
];

/// Findings as CSV for a spreadsheet, with a byte order mark, one a row.
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn csv<'f>(faulty: impl IntoIterator<Item = &'f Faulty>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS)?;
    for Faulty { case, gate, finding } in faulty {
        let fees: Vec<&str> = case.fees.iter().map(|(fee_id, _)| fee_id.as_str()).collect();
        writer.write_record([
            finding.kind.name(),
            &report::harmless(&case.case_no),
            &report::harmless(&case.business_type),
            &report::harmless(case.department.as_deref().unwrap_or_default()),
            &report::harmless(case.handler.as_deref().unwrap_or_default()),
            case.state.as_str(),
            gate.as_str(),
            &finding.amount_fen.get().to_string(),
            &rfc3339(case.accepted_at),
            &fees.join(" "),
        ])?;
    }
    writer.into_inner().map_err(|fault| fault.into_error().into())
}
