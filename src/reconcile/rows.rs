//! The rows of a run's findings. What an older run has found under the same fingerprint is the same
//! difference: it is neither opened nor told of again.

use std::collections::{BTreeMap, HashSet};

use domain::ids::{DifferenceId, DoubtId};
use jiff::civil::Date;
use reconciliation::{Finding, Kind, Matched, Reconciliation};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::doubts::Decided;
use crate::store::findings::OpenDifference;

/// A run's differences and doubts, on their way into the database.
pub(super) struct Rows {
    pub(super) differences: Vec<Value>,
    pub(super) doubts: Vec<Value>,
    /// The day of the money of each difference, in their order.
    first_days: Vec<Date>,
    /// By what each difference is known, in their order.
    ids: Vec<String>,
    /// The fingerprints of both: what is in doubt is not gone.
    fingerprints: HashSet<String>,
    /// The differences that no run had before.
    opened: HashSet<String>,
}

impl Rows {
    /// The rows of what a run of `day` found, beside the account's open differences.
    pub(super) fn of(
        day: Date,
        result: &Reconciliation,
        decided: &Decided,
        open: &[OpenDifference],
    ) -> Self {
        let mut rows = Self {
            differences: Vec::new(),
            doubts: Vec::new(),
            first_days: Vec::new(),
            ids: Vec::new(),
            fingerprints: HashSet::new(),
            opened: HashSet::new(),
        };
        let known: BTreeMap<&str, &str> =
            open.iter().map(|it| (it.fingerprint.as_str(), it.id.as_str())).collect();
        let mut fingerprints = Fingerprints::new(day);
        for (place, found) in result.differences.iter().enumerate() {
            let origin = decided.origins.iter().find(|(of, ..)| *of == place);
            let (first_day, fingerprint) = match origin {
                Some((_, day, fingerprint)) => (*day, fingerprint.clone()),
                None => (day, fingerprints.of(found)),
            };
            let id = DifferenceId::new(Uuid::now_v7()).to_string();
            let same_as = known.get(fingerprint.as_str()).map(|id| (*id).to_owned());
            let more = json!({"first_day": first_day, "same_as": same_as});
            let row = row(&id, place, found, &fingerprint, more);
            rows.differences.push(row);
            rows.first_days.push(first_day);
            rows.fingerprints.insert(fingerprint);
            match same_as {
                Some(same_as) => rows.ids.push(same_as),
                None => {
                    rows.opened.insert(id.clone());
                    rows.ids.push(id);
                }
            }
        }
        for (place, found) in result.doubts.iter().enumerate() {
            let id = DoubtId::new(Uuid::now_v7()).to_string();
            let fingerprint = fingerprints.of(found);
            let row = row(&id, place, found, &fingerprint, json!({"finding": found}));
            rows.doubts.push(row);
            rows.fingerprints.insert(fingerprint);
        }
        rows
    }

    /// The fingerprints of all findings.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.fingerprints.iter().map(String::as_str)
    }

    /// The day of the money of each difference, in their order.
    pub(super) fn first_days(&self) -> Vec<Date> {
        self.first_days.clone()
    }

    /// By what each difference is known, in their order.
    pub(super) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether this run opens a difference.
    pub(super) fn opens(&self, id: &str) -> bool {
        self.opened.contains(id)
    }

    /// How the doubts of other days stand now, as rows.
    pub(super) fn fates(&self, decided: &Decided) -> Vec<Value> {
        decided
            .carried
            .iter()
            .map(|fate| {
                json!({
                    "id": fate.id,
                    "state": fate.state,
                    "files_waited": fate.files,
                    "difference_id": fate.difference.and_then(|place| self.ids.get(place)),
                })
            })
            .collect()
    }

    /// What was said to be mended, and this run has again.
    pub(super) fn again<'a>(&self, open: &'a [OpenDifference]) -> Vec<&'a str> {
        let is_again = |it: &&OpenDifference| it.is_mended && self.ids.contains(&it.id);
        open.iter().filter(is_again).map(|it| it.id.as_str()).collect()
    }

    /// The differences that are none any more: both sides have their row now; or else an older run
    /// of the day had them and this one has not.
    pub(super) fn gone<'a>(&self, result: &Reconciliation, open: &'a [OpenDifference]) -> Gone<'a> {
        let key = |row: &Matched| {
            (
                row.direction,
                row.out_trade_no.clone(),
                row.out_refund_no.clone(),
                row.provider_trade_no.clone(),
            )
        };
        let is_left =
            |it: &&OpenDifference| !it.is_over && !self.fingerprints.contains(&it.fingerprint);
        let left: Vec<&OpenDifference> = open.iter().filter(is_left).collect();
        let mut gone = Gone::default();
        if left.is_empty() {
            return gone;
        }
        let matched: HashSet<_> = result.matched.iter().map(key).collect();
        for it in left {
            let is_matched = matched.contains(&(
                it.direction,
                it.out_trade_no.clone(),
                it.out_refund_no.clone(),
                it.provider_trade_no.clone(),
            ));
            // Another day's difference ends here only where a row was missing that this bill has.
            let is_cleared = is_matched && (it.of_day || it.kind == ONLY_IN_HUB);
            if is_cleared {
                gone.cleared.push(it.id.as_str());
            } else if it.of_day {
                gone.superseded.push(it.id.as_str());
            }
        }
        gone
    }
}

/// The differences that a run ends.
#[derive(Debug, Default)]
pub(super) struct Gone<'a> {
    /// Both sides have their row now.
    pub(super) cleared: Vec<&'a str>,
    /// This run of the day does not have them.
    pub(super) superseded: Vec<&'a str>,
}

impl Gone<'_> {
    /// Whether it ends this one.
    pub(super) fn has(&self, id: &str) -> bool {
        self.cleared.contains(&id) || self.superseded.contains(&id)
    }
}

/// What the ledger alone has.
const ONLY_IN_HUB: &str = Kind::OnlyInHub.as_str();

/// The longest fingerprint that is kept as it reads, in bytes.
const LONGEST: usize = 512;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What tells one finding of a day from all others, whatever version of the run has it: not its
/// kind, which may change, nor its line in the bill, which may be sorted anew.
struct Fingerprints {
    day: Date,
    alike: BTreeMap<String, u32>,
}

impl Fingerprints {
    const fn new(day: Date) -> Self {
        Self { day, alike: BTreeMap::new() }
    }

    fn of(&mut self, found: &Finding) -> String {
        let alike = format!(
            "{} {} {} {} {}",
            self.day,
            found.direction.as_str(),
            found.out_trade_no,
            found.out_refund_no,
            found.provider_trade_no
        );
        // No provider gives numbers so long; one that did would not fit into the index.
        let alike =
            if alike.len() <= LONGEST { alike } else { hex(&Sha256::digest(alike.as_bytes())) };
        let ordinal = self.alike.entry(alike.clone()).or_default();
        *ordinal = ordinal.saturating_add(1);
        format!("{alike} {ordinal}")
    }
}

/// A finding as a row, with what only differences or only doubts have.
fn row(id: &str, place: usize, found: &Finding, fingerprint: &str, more: Value) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let mut row = json!({
        "id": id,
        "position": place.saturating_add(1),
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
        "fingerprint": fingerprint,
    });
    if let (Value::Object(row), Value::Object(mut more)) = (&mut row, more) {
        row.append(&mut more);
    }
    row
}
