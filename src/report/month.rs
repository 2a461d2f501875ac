//! A month's statement (月结单): each day as its newest run says, what was open at the beginning, what
//! came and what ended, and what is open at the end with its age. Opening and days come to closing.

use std::collections::BTreeMap;

use domain::bill::Direction;
use domain::money::Fen;
use domain::provider::Provider;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::{Cause, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::foot::{Foot, Ways};
use super::model::{MerchantDay, Report};
use super::month_bank;
use super::sorted::{self, For, Sums, add, subtract};
use super::verdict::Verdict;
use crate::settlement::SettlementDay;

/// A month of one account or of several.
#[derive(Clone, Debug)]
pub struct Month {
    /// The office's name.
    pub office: String,
    /// Its first day.
    pub first: Date,
    /// The last day that it covers: of a month that is not over, the last day that is.
    pub last: Date,
    /// When it was made.
    pub made_at: Timestamp,
    /// The accounts, in the order in which they are shown.
    pub accounts: Vec<AccountMonth>,
}

/// One account's month.
#[derive(Clone, Debug)]
pub struct AccountMonth {
    /// The first of its merchants.
    pub merchant: String,
    /// Its provider.
    pub provider: Provider,
    /// Every day, whether it was reconciled or not.
    pub days: Vec<MonthDay>,
    /// Doubts that were open on some day of the month.
    pub doubts: Vec<Matter>,
    /// Differences that were open on some day of the month.
    pub differences: Vec<Matter>,
    /// What the bill days until the end of the month let expect at the bank, and what has arrived.
    pub bank: Vec<SettlementDay>,
}

/// A doubt or difference over a month, by the days of the bills that opened and ended it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// The day of its money.
    pub first_day: Date,
    /// The day whose run opened it.
    pub opened_on: Date,
    /// The day whose run or people ended it; `None` while it is open.
    pub ended_on: Option<Date>,
    /// How it ended.
    pub end: Option<String>,
    /// Its kind.
    pub kind: Kind,
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// What it is about: the larger amount.
    pub amount: Fen,
    /// Why it probably came to be.
    pub cause: Cause,
}

/// One day of an account.
#[derive(Clone, Debug)]
pub struct MonthDay {
    /// Which.
    pub day: Date,
    /// What its newest run found; `None`: it is not reconciled.
    pub found: Option<Found>,
}

/// What the newest run of a day found.
#[derive(Clone, Debug)]
pub struct Found {
    pub(super) version: Option<i32>,
    pub(super) sign_off: String,
    pub(super) verdict: Verdict,
    pub(super) hub: Ways,
    pub(super) bill: Ways,
    /// What the bill has more than the ledger, in differences and in doubts.
    pub(super) differing: Fen,
    pub(super) doubtful: Fen,
    pub(super) fee: Fen,
    pub(super) items: Sums,
}

impl Found {
    /// What a run found.
    #[must_use]
    pub fn of(day: &MerchantDay, sign_off: &str) -> Self {
        let foot = Foot::of(day);
        let apart = |part: &super::foot::Part| subtract(part.both.bill.net(), part.both.hub.net());
        Self {
            version: day.version,
            sign_off: sign_off.to_owned(),
            verdict: Verdict::of(day.is_balanced(), &foot),
            hub: foot.whole.hub,
            bill: foot.whole.bill,
            differing: apart(&foot.differing),
            doubtful: apart(&foot.doubtful),
            fee: foot.fee,
            items: sorted::by_item(day),
        }
    }
}

/// How many, and what they are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Pile {
    pub(super) count: i64,
    pub(super) amount_fen: Fen,
}

/// What was open, came, ended and is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Carry {
    pub(super) opening: Pile,
    pub(super) opened: Pile,
    pub(super) ended: Pile,
    pub(super) closing: Pile,
}

impl Pile {
    fn take(&mut self, matter: &Matter) {
        self.count = self.count.saturating_add(1);
        self.amount_fen = add(self.amount_fen, matter.amount);
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            amount_fen: add(self.amount_fen, other.amount_fen),
        }
    }
}

impl Carry {
    fn of(month: &Month, matters: &[Matter]) -> Self {
        let mut carry = Self::default();
        for matter in matters {
            if matter.opened_on < month.first {
                carry.opening.take(matter);
            } else {
                carry.opened.take(matter);
            }
            if month.is_open(matter) {
                carry.closing.take(matter);
            } else {
                carry.ended.take(matter);
            }
        }
        carry
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            opening: self.opening.plus(other.opening),
            opened: self.opened.plus(other.opened),
            ended: self.ended.plus(other.ended),
            closing: self.closing.plus(other.closing),
        }
    }

    /// Whether opening and what came less what ended is closing.
    pub(super) fn holds(&self) -> bool {
        self.opening.plus(self.opened) == self.closing.plus(self.ended)
    }
}

/// Sums over days.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    pub(super) hub: Ways,
    pub(super) bill: Ways,
    pub(super) differing: Fen,
    pub(super) doubtful: Fen,
    pub(super) fee: Fen,
    pub(super) items: Sums,
    /// Days that are not reconciled.
    pub(super) missing: i64,
    /// Days that nobody has reviewed.
    pub(super) unsigned: i64,
}

impl Whole {
    pub(super) fn of<'d>(days: impl Iterator<Item = &'d MonthDay>) -> Self {
        let mut whole = Self::default();
        for day in days {
            let Some(found) = &day.found else {
                whole.missing = whole.missing.saturating_add(1);
                continue;
            };
            if found.sign_off != "reviewed" {
                whole.unsigned = whole.unsigned.saturating_add(1);
            }
            whole.hub = whole.hub.plus(found.hub);
            whole.bill = whole.bill.plus(found.bill);
            whole.differing = add(whole.differing, found.differing);
            whole.doubtful = add(whole.doubtful, found.doubtful);
            whole.fee = add(whole.fee, found.fee);
            for (what, ways) in &found.items {
                let sum = whole.items.entry(what.clone()).or_default();
                *sum = sum.plus(*ways);
            }
        }
        whole
    }

    /// Whether the bills' net is the ledger's with what is told of the days.
    pub(super) fn holds(&self) -> bool {
        let told = add(self.differing, self.doubtful);
        let items = self.items.values().fold(Fen::ZERO, |sum, ways| add(sum, ways.net()));
        add(self.hub.net(), told) == self.bill.net()
            && (self.items.is_empty() || items == self.hub.net())
    }
}

impl AccountMonth {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.provider.label(), self.merchant)
    }

    pub(super) fn whole(&self) -> Whole {
        Whole::of(self.days.iter())
    }
}

impl Month {
    /// Whether a matter is open at the end of the month.
    pub(super) fn is_open(&self, matter: &Matter) -> bool {
        matter.ended_on.is_none_or(|ended| ended > self.last)
    }

    /// How old a matter is at the end of the month, in days.
    pub(super) fn age(&self, matter: &Matter) -> i32 {
        self.last.since(matter.first_day).map_or(0, |span| span.get_days().max(0))
    }

    pub(super) fn whole(&self) -> Whole {
        Whole::of(self.accounts.iter().flat_map(|account| &account.days))
    }

    /// The doubts and the differences of an account over the month.
    pub(super) fn carries(&self, account: &AccountMonth) -> [Carry; 2] {
        [Carry::of(self, &account.doubts), Carry::of(self, &account.differences)]
    }

    /// Whether opening and days come to closing, and each day to its parts.
    #[must_use]
    pub fn holds(&self) -> bool {
        let banks = month_bank::banks(self);
        banks.iter().all(|(_, bank)| bank.holds())
            && self.accounts.iter().all(|account| {
                self.carries(account).iter().all(Carry::holds)
                    && account.days.iter().all(|day| Whole::of(std::iter::once(day)).holds())
            })
    }

    /// Every item that the month has money of.
    pub(super) fn items(&self) -> Vec<For> {
        self.whole().items.into_keys().collect()
    }

    /// The name of its file, without ending.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("月结单_{}_{}", self.office, self.first.strftime("%Y%m"))
    }
}

/// The statement for machines.
#[must_use]
pub fn month_json(month: &Month) -> Value {
    let accounts = month.accounts.iter().map(|account| {
        let [doubts, differences] = month.carries(account);
        let (open, ended): (Vec<&Matter>, Vec<&Matter>) =
            account.differences.iter().partition(|matter| month.is_open(matter));
        let (waiting, decided): (Vec<&Matter>, Vec<&Matter>) =
            account.doubts.iter().partition(|matter| month.is_open(matter));
        json!({
            "merchant_id": account.merchant,
            "provider": account.provider,
            "days": account.days.iter().map(day_json).collect::<Vec<_>>(),
            "total": whole_json(&account.whole()),
            "doubts": doubts,
            "differences": differences,
            "bank": month_bank::bank_json(month, account),
            "open_differences": aged(month, &open),
            "open_doubts": aged(month, &waiting),
            "ended_differences": ended,
            "ended_doubts": decided,
        })
    });
    json!({
        "month": month.first.strftime("%Y-%m").to_string(),
        "from": month.first,
        "until": month.last,
        "made_at": domain::time::rfc3339(month.made_at),
        "foots": month.holds(),
        "accounts": accounts.collect::<Vec<_>>(),
        "total": whole_json(&month.whole()),
        "bank": month_bank::whole(month),
    })
}

fn aged(month: &Month, matters: &[&Matter]) -> Vec<Value> {
    let aged = |matter: &&Matter| {
        let mut value = json!(matter);
        if let Value::Object(row) = &mut value {
            row.insert("age_days".to_owned(), json!(month.age(matter)));
        }
        value
    };
    matters.iter().map(aged).collect()
}

fn day_json(day: &MonthDay) -> Value {
    let Some(found) = &day.found else {
        return json!({"date": day.day, "reconciled": false});
    };
    let mut value = whole_json(&Whole::of(std::iter::once(day)));
    if let Value::Object(row) = &mut value {
        row.insert("date".to_owned(), json!(day.day));
        row.insert("reconciled".to_owned(), json!(true));
        row.insert("version".to_owned(), json!(found.version));
        row.insert("sign_off".to_owned(), json!(found.sign_off));
    }
    value
}

fn whole_json(whole: &Whole) -> Value {
    let side = |ways: &Ways| {
        json!({
            "payments": {"count": ways.payments.count, "amount_fen": ways.payments.fen},
            "refunds": {"count": ways.refunds.count, "amount_fen": ways.refunds.fen},
            "net_fen": ways.net(),
        })
    };
    let items: BTreeMap<&str, Fen> = whole
        .items
        .iter()
        .map(|(what, ways)| {
            (if what.code().is_empty() { what.name() } else { what.code() }, ways.net())
        })
        .collect();
    json!({
        "hub": side(&whole.hub),
        "bill": side(&whole.bill),
        "apart_fen": subtract(whole.bill.net(), whole.hub.net()),
        "of_differences_fen": whole.differing,
        "of_doubts_fen": whole.doubtful,
        "fee_fen": whole.fee,
        "net_by_item_fen": items,
    })
}

/// The only merchant of a report, as a month takes it in.
#[must_use]
pub fn found(report: &Report, sign_off: &str) -> Option<Found> {
    report.merchants.first().map(|day| Found::of(day, sign_off))
}
