//! Whether the day is explained: every fee, every fen, and exactly the planted differences.

use std::collections::{BTreeMap, BTreeSet};

use domain::Fen;
use jiff::civil::Date;
use serde_json::Value;

use super::day::{Lived, Planted, by_fate};
use super::office::{ALIPAY, Office, OfficeError, WECHAT};
use super::plan::Fate;
use super::yuan;
use crate::{ledger, terminal};

/// What the next morning found.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The runs, WeChat Pay first.
    pub(super) run_ids: Vec<String>,
    runs: Vec<Value>,
    found: Vec<Value>,
    explained: usize,
    fees: usize,
    unexplained: Vec<String>,
    planted: Vec<Planted>,
    heard: BTreeMap<String, usize>,
    messages: usize,
    proof: ledger::Proof,
}

/// Holds the day against what the hub and the providers say about it.
///
/// # Errors
/// When the hub does not answer.
pub(super) async fn of(
    office: &Office,
    date: Date,
    lived: &[Lived],
    planted: &[Planted],
) -> Result<Verdict, OfficeError> {
    let mut runs = Vec::new();
    let mut found = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        let path = format!("/v1/reconciliations?date={date}&merchant_id={merchant}");
        let (_, list) = office.get(&path).await?;
        let Some(run) = list.pointer("/data/0") else {
            return Err(OfficeError(format!("{merchant} was not reconciled for {date}")));
        };
        let id = word(run, "id");
        let (_, differences) =
            office.get(&format!("/v1/reconciliations/{id}/differences?limit=200")).await?;
        found
            .extend(differences.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
        runs.push(run.clone());
    }
    let mut verdict = Verdict {
        run_ids: runs.iter().map(|run| word(run, "id").to_owned()).collect(),
        runs,
        found,
        explained: 0,
        fees: lived.len(),
        unexplained: Vec::new(),
        planted: planted.to_vec(),
        heard: BTreeMap::new(),
        messages: office.sandbox.engine().state().sms.len(),
        proof: ledger::verify(&office.hub).await.map_err(super::office::told)?,
    };
    for heard in office.receiver.heard() {
        let count = verdict.heard.entry(word(&heard.body, "type").to_owned()).or_default();
        *count = count.saturating_add(1);
    }
    for case in lived {
        let (_, fee) = office.get(&format!("/v1/fees/{}", case.fee_id)).await?;
        match verdict.explain(case, &fee) {
            Ok(()) => verdict.explained = verdict.explained.saturating_add(1),
            Err(why) => verdict.unexplained.push(format!("{}: {why}", case.case.case_no)),
        }
    }
    Ok(verdict)
}

impl Verdict {
    /// Whether a fee is where its fate should have brought it.
    fn explain(&self, lived: &Lived, fee: &Value) -> Result<(), String> {
        let wanted = match lived.case.fate {
            Fate::Zero => "zero",
            Fate::Unpaid => "issued",
            Fate::Refunded => "refunded",
            Fate::RefundedInPart => "partially_refunded",
            Fate::Paid
            | Fate::LostCallback
            | Fate::DuplicateCallback
            | Fate::LostAnswer
            | Fate::OtherWallet
            | Fate::MissingInBill
            | Fate::ChangedInBill => "paid",
        };
        let status = word(fee, "status");
        if status != wanted {
            return Err(format!("its fee is {status}, it should be {wanted}"));
        }
        let number = lived.out_trade_no.as_deref().unwrap_or_default();
        for difference in self.found.iter().filter(|found| word(found, "out_trade_no") == number) {
            if number.is_empty() {
                continue;
            }
            if word(difference, "cause").is_empty()
                || word(difference, "proposed_action").is_empty()
            {
                return Err("its difference has no cause or no proposed action".to_owned());
            }
        }
        Ok(())
    }

    /// The planted errors and the found differences, as kind and number.
    fn differences(&self) -> [BTreeSet<(String, String)>; 2] {
        let found = self
            .found
            .iter()
            .map(|found| (word(found, "kind").to_owned(), word(found, "out_trade_no").to_owned()));
        let planted = self
            .planted
            .iter()
            .map(|planted| (planted.kind.to_owned(), planted.out_trade_no.clone()));
        [found.collect(), planted.collect()]
    }

    /// Whether every fee is explained and the differences are exactly the planted ones.
    #[must_use]
    pub(super) fn is_good(&self) -> bool {
        let [found, planted] = self.differences();
        self.explained == self.fees
            && found == planted
            && self.found.len() == self.planted.len()
            && self.proof.breaks.is_empty()
    }

    /// The last line.
    #[must_use]
    pub(super) fn last_line(&self) -> String {
        format!(
            "explained {}/{} fees, {} differences ({} planted)",
            self.explained,
            self.fees,
            self.found.len(),
            self.planted.len()
        )
    }

    /// Says how the day was.
    pub(super) fn say(&self, lived: &[Lived]) {
        terminal::say("");
        terminal::say("What came to the counter");
        for (fate, count) in by_fate(lived) {
            terminal::say(format_args!("  {count:>4}  {fate}"));
        }
        terminal::say("");
        terminal::say("                     hub                          bill");
        terminal::say("merchant             payments         refunds     payments         refunds");
        for run in &self.runs {
            self.say_run(run);
        }
        terminal::say("");
        terminal::say("Differences");
        for found in &self.found {
            terminal::say(format_args!(
                "  {:<15} {:<33} hub {} bill {}  {} -> {}",
                word(found, "kind"),
                word(found, "out_trade_no"),
                amount(found, "hub_amount_fen"),
                amount(found, "bill_amount_fen"),
                word(found, "cause"),
                word(found, "proposed_action"),
            ));
        }
        terminal::say("");
        let events: usize = self.heard.values().sum();
        terminal::say(format_args!(
            "{events} webhooks heard, {} messages sent, {} journal entries prove each other, {} breaks",
            self.messages,
            self.proof.entries,
            self.proof.breaks.len()
        ));
        for line in self.unexplained.iter().chain(&self.proof.breaks) {
            terminal::say(format_args!("NOT EXPLAINED  {line}"));
        }
    }

    fn say_run(&self, run: &Value) {
        let cell = |side: &str, what: &str| {
            let of = |name: &str| {
                run.pointer(&format!("/summary/{side}/{what}/{name}"))
                    .and_then(Value::as_i64)
                    .unwrap_or_default()
            };
            format!("{:>3}{}", of("count"), yuan(Fen::new(of("amount_fen"))))
        };
        terminal::say(format_args!(
            "{:<17}{}{}{}{}  {}",
            word(run, "merchant_id"),
            cell("hub", "payments"),
            cell("hub", "refunds"),
            cell("bill", "payments"),
            cell("bill", "refunds"),
            word(run, "status")
        ));
    }
}

fn amount(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_i64)
        .map_or_else(|| format!("{:>10}", "-"), |fen| format!("{:>10}", Fen::new(fen).yuan()))
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
