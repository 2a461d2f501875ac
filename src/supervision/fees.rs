//! Every charge computed again from what was frozen with it.

use domain::money::Fen;
use domain::schedule::{ChargeFault, ChargeFinding, Quote, Schedule};
use domain::time::{business_day, rfc3339};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Days;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::report;
use crate::store::supervision::{self, Charged, Which};

/// How long a fee may stand before its case must be known.
const CASE_COMES_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A fee with which something is wrong.
#[derive(Clone, Debug)]
pub struct Faulty {
    /// The fee.
    pub fee: Charged,
    /// The day of acceptance by which it was examined: its case's, where the hub knows it.
    pub accepted_on: Date,
    /// What is wrong.
    pub findings: Vec<ChargeFinding>,
}

/// What a look at some fees found.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// How many fees were looked at.
    pub count: usize,
    /// Those with which something is wrong.
    pub faulty: Vec<Faulty>,
    /// The last fee that was looked at, where there may be more.
    pub next: Option<String>,
}

/// Examines fees issued on `days`, of one application or of all, at most `limit` after a fee.
///
/// # Errors
/// 422 days that are none, or more than a year.
pub async fn examine(
    hub: &Hub,
    application: Option<&str>,
    days: Days,
    after: &str,
    limit: i64,
) -> Result<Examined, Fault> {
    let (from, until) = days.span()?;
    let schedule = Schedule::built_in().map_err(|error| Fault::internal(error))?;
    let which = Which { application, from, until };
    let fees = supervision::fees(&hub.store.client().await?, &which, after, limit).await?;
    let count = fees.len();
    let is_full = i64::try_from(count).is_ok_and(|count| count >= limit);
    let next = fees.last().filter(|_| is_full).map(|fee| fee.fee_id.clone());
    let now = hub.clock.now();
    let faulty = fees.into_iter().filter_map(|fee| look(schedule, fee, now)).collect();
    Ok(Examined { count, faulty, next })
}

fn look(schedule: &Schedule, fee: Charged, now: Timestamp) -> Option<Faulty> {
    let accepted_on = fee.case_accepted_at.map_or(fee.accepted_on, business_day);
    let whole = |kind| ChargeFinding {
        kind,
        code: None,
        charged_fen: fee.total,
        expected_fen: None,
        rule_id: None,
        evidence: None,
    };
    let mut findings = match serde_json::from_value::<Quote>(fee.quote.clone()) {
        Ok(quote) => schedule.examine(&quote, fee.total, accepted_on),
        // What was frozen cannot be read: nothing says why that was charged.
        Err(_) => vec![whole(ChargeFault::ChargedWithoutBasis)],
    };
    let is_old = now.duration_since(fee.issued_at) > CASE_COMES_WITHIN;
    // A backend that tells of no case at all keeps them elsewhere.
    if is_old && fee.tells_cases && fee.case_accepted_at.is_none() {
        findings.push(whole(ChargeFault::FeeWithoutCase));
    }
    (!findings.is_empty()).then_some(Faulty { fee, accepted_on, findings })
}

/// A faulty fee as its list answers it.
#[must_use]
pub fn shown(faulty: &Faulty) -> Value {
    let Faulty { fee, accepted_on, findings } = faulty;
    json!({
        "fee_id": fee.fee_id,
        "case_no": fee.case_no,
        "department": fee.department,
        "issued_at": rfc3339(fee.issued_at),
        "accepted_on": accepted_on,
        "priced_on": fee.accepted_on,
        "charged_fen": fee.total,
        "refunded_fen": fee.refunded,
        "findings": findings,
    })
}

/// The columns of [`csv`].
const COLUMNS: [&str; 14] = [
    "监察结果",
    "受理号",
    "部门",
    "收费项目",
    "开单(分)",
    "应收(分)",
    "全单已退(分)",
    "依据",
    "缺少材料",
    "受理日",
    "计费日",
    "开单时间",
    "应用",
    "缴费编号",
];

/// Findings as CSV for a spreadsheet, with a byte order mark, one a row.
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn csv<'f>(faulty: impl IntoIterator<Item = &'f Faulty>) -> Result<Vec<u8>, csv::Error> {
    let fen = |amount: Option<Fen>| amount.map(|fen| fen.get().to_string()).unwrap_or_default();
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS)?;
    for Faulty { fee, accepted_on, findings } in faulty {
        for finding in findings {
            writer.write_record([
                finding.kind.name(),
                &report::harmless(&fee.case_no),
                &report::harmless(fee.department.as_deref().unwrap_or_default()),
                &report::harmless(finding.code.as_deref().unwrap_or("合计")),
                &fen(Some(finding.charged_fen)),
                &fen(finding.expected_fen),
                &fen(Some(fee.refunded)),
                finding.rule_id.as_deref().unwrap_or_default(),
                finding.evidence.as_deref().unwrap_or_default(),
                &accepted_on.to_string(),
                &fee.accepted_on.to_string(),
                &rfc3339(fee.issued_at),
                fee.application_id.as_str(),
                &fee.fee_id,
            ])?;
        }
    }
    writer.into_inner().map_err(|fault| fault.into_error().into())
}
