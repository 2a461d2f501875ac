//! Holds the credits of a bank statement against what providers are expected to settle, to the fen.
//!
//! A credit is the settlement of one bill day, or of days that follow one another, where it is so
//! exactly and in one way only. Everything else is proposed or shown, and a person decides. The order
//! in which rows come changes nothing; every day and every credit is taken once.

mod named;
mod proposal;
mod split;

use std::collections::BTreeMap;

use domain::Fen;
use domain::bank_calendar::BankCalendar;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::covering::MOST_STEPS_IN_ALL;

pub use proposal::{Candidate, Proposed};
pub use split::split;

/// The rank of money that came on another day than it was due.
const NOT_DUE: u8 = 3;

/// How many bank days after it was due money is still looked for by itself.
pub const WINDOW: u32 = 10;
/// How many bank days an arrival may be late before it is told: statements may lag behind.
pub const CARRY: u32 = 2;

/// Why a settlement or a credit is not as it should be (资金差异原因).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementCause {
    /// Nothing came, though the bank's statements reach well beyond the day on which it was due.
    SettlementLate,
    /// Less came than was expected.
    SettlementShort,
    /// More came than was expected.
    SettlementOver,
    /// Less came, by just what the provider charged: non-tax money must arrive gross.
    FeeTakenFromPrincipal,
    /// Money came that no settlement explains.
    BankUnknownCredit,
}

impl SettlementCause {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SettlementLate => "settlement_late",
            Self::SettlementShort => "settlement_short",
            Self::SettlementOver => "settlement_over",
            Self::FeeTakenFromPrincipal => "fee_taken_from_principal",
            Self::BankUnknownCredit => "bank_unknown_credit",
        }
    }

    /// Its name on a report.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::SettlementLate => "逾期未到账",
            Self::SettlementShort => "到账不足",
            Self::SettlementOver => "到账多出",
            Self::FeeTakenFromPrincipal => "手续费从本金扣收",
            Self::BankUnknownCredit => "不明进账",
        }
    }

    /// Why an arrival of `arrived` is another one than `expected`, of which the provider charged
    /// `fee`; `None` where it is the same.
    #[must_use]
    pub fn of(arrived: Fen, expected: Fen, fee: Fen) -> Option<Self> {
        if arrived == expected {
            None
        } else if fee > Fen::ZERO && expected.minus(fee) == Some(arrived) {
            Some(Self::FeeTakenFromPrincipal)
        } else if arrived < expected {
            Some(Self::SettlementShort)
        } else {
            Some(Self::SettlementOver)
        }
    }
}

/// What a provider is expected to settle of one bill day (应到账).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its id.
    pub id: String,
    /// Of which account at which provider.
    pub account: String,
    /// The numbers by which a bank's text may name the account.
    pub numbers: Vec<String>,
    /// The bill's day.
    pub day: Date,
    /// On which bank day it is due.
    pub due_on: Date,
    /// Payments less refunds, gross; less than nothing where more was given back.
    pub net: Fen,
    /// What the provider charged.
    pub fee: Fen,
    /// Whether nothing has arrived for it yet.
    pub is_open: bool,
}

/// Money that came in (进账).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The bank's number of it.
    pub serial: String,
    /// On which day it counts.
    pub value_date: Date,
    /// How much.
    pub amount: Fen,
    /// What the bank says of it.
    pub reference: String,
    /// Whether people took a match of it back: then only people say what it is.
    pub is_taken_back: bool,
}

/// What became of a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is the settlement of these days.
    Matched(Candidate),
    /// A person decides; without any candidate it is unexplained.
    Proposed(Proposed),
}

/// The days of one account that are open, in order.
struct Open<'a> {
    days: Vec<&'a Expected>,
}

/// Some days of an account: where they begin and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    account: usize,
    places: Vec<usize>,
}

/// What a credit is, exactly.
enum Exact {
    /// One span only.
    One(Span),
    /// Several, none better than the others.
    Many(Vec<Span>),
    /// None.
    None,
}

/// Decides every credit, by its serial.
#[must_use]
pub fn settle(
    expected: &[Expected],
    credits: &[Credit],
    bank: &BankCalendar,
) -> BTreeMap<String, Settled> {
    let mut books = Books::of(expected, bank);
    let mut sorted: Vec<&Credit> = credits.iter().collect();
    sorted.sort_by(|a, b| (a.value_date, &a.serial).cmp(&(b.value_date, &b.serial)));
    let mut done = BTreeMap::new();
    for day in sorted.chunk_by(|a, b| a.value_date == b.value_date) {
        let mut left: Vec<&Credit> =
            day.iter().copied().filter(|credit| !credit.is_taken_back).collect();
        while !left.is_empty() {
            let taken = books.take(&left);
            if taken.is_empty() {
                break;
            }
            left.retain(|credit| !taken.contains_key(&credit.serial));
            done.extend(taken.into_iter().map(|(serial, it)| (serial, Settled::Matched(it))));
        }
    }
    let rest: Vec<&Credit> =
        sorted.into_iter().filter(|credit| !done.contains_key(&credit.serial)).collect();
    for credit in &rest {
        let beside = rest.iter().filter(|other| other.value_date == credit.value_date).count();
        let proposed = books.propose(credit, beside == 1);
        done.insert(credit.serial.clone(), Settled::Proposed(proposed));
    }
    done
}

/// What is expected, account by account.
struct Books<'a> {
    accounts: Vec<Open<'a>>,
    taken: Vec<Vec<bool>>,
    bank: &'a BankCalendar,
    /// How many steps are left to the searches for covering sets.
    steps: u32,
}

impl<'a> Books<'a> {
    fn of(expected: &'a [Expected], bank: &'a BankCalendar) -> Self {
        let mut by_account = BTreeMap::<&str, Vec<&Expected>>::new();
        for day in expected {
            by_account.entry(&day.account).or_default().push(day);
        }
        let mut accounts = Vec::new();
        for mut days in by_account.into_values() {
            days.sort_by(|a, b| (a.day, &a.id).cmp(&(b.day, &b.id)));
            accounts.push(Open { days });
        }
        let taken = accounts
            .iter()
            .map(|open| open.days.iter().map(|day| !day.is_open).collect())
            .collect();
        Self { accounts, taken, bank, steps: MOST_STEPS_IN_ALL }
    }

    /// Takes what is exact, in one way only, and wanted by one credit of the day only.
    fn take(&mut self, credits: &[&Credit]) -> BTreeMap<String, Candidate> {
        let wishes: Vec<(&Credit, Span)> = credits
            .iter()
            .filter_map(|credit| match self.exact(credit) {
                Exact::One(span) => Some((*credit, span)),
                Exact::Many(_) | Exact::None => None,
            })
            .collect();
        let mut wanted = BTreeMap::<(usize, usize), usize>::new();
        for (_, span) in &wishes {
            for place in &span.places {
                let count = wanted.entry((span.account, *place)).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut taken = BTreeMap::new();
        for (credit, span) in wishes {
            let alone = |place: &usize| wanted.get(&(span.account, *place)) == Some(&1);
            if span.places.iter().all(alone) {
                taken.insert(credit.serial.clone(), self.candidate(credit, &span));
                for place in &span.places {
                    let flag = self.taken.get_mut(span.account).and_then(|it| it.get_mut(*place));
                    if let Some(flag) = flag {
                        *flag = true;
                    }
                }
            }
        }
        taken
    }

    /// The spans that a credit is exactly; the better ones alone, where some are better: what the
    /// bank's text names, all that was due that day, what was due that day, anything else.
    fn exact(&self, credit: &Credit) -> Exact {
        let mut best: (u8, Vec<Span>) = (u8::MAX, Vec::new());
        for account in self.meant(credit) {
            for span in self.spans(account, credit) {
                let rank = self.rank(&span, credit);
                if rank < best.0 {
                    best = (rank, vec![span]);
                } else if rank == best.0 {
                    best.1.push(span);
                }
            }
        }
        let (rank, mut spans) = best;
        // Money of nobody who is named, on a day on which none was due, may be anybody's: people say.
        if rank == NOT_DUE && self.named(credit).is_none() && !spans.is_empty() {
            return Exact::Many(spans);
        }
        match spans.pop() {
            Some(span) if spans.is_empty() => Exact::One(span),
            Some(span) => {
                spans.push(span);
                Exact::Many(spans)
            }
            None => Exact::None,
        }
    }

    /// Days that follow one another and add up to a credit. A day without money may stand between,
    /// and then goes with them; one that was taken before may not. Days on which more was given back
    /// than taken, and whose neighbours arrived without them, are kept back of a later credit.
    fn spans(&self, account: usize, credit: &Credit) -> Vec<Span> {
        let Some(open) = self.accounts.get(account) else { return Vec::new() };
        let mut found = self.runs(account, credit, (Fen::ZERO, &[]), 0);
        let last_taken = (0..open.days.len()).rev().find(|place| self.is_taken(account, *place));
        let Some(last_taken) = last_taken else { return found };
        let carried: Vec<usize> = (0..last_taken)
            .filter(|place| !self.is_taken(account, *place))
            .filter(|place| self.day(account, *place).is_some_and(|day| day.net < Fen::ZERO))
            .collect();
        let sum = Fen::sum(carried.iter().filter_map(|place| Some(self.day(account, *place)?.net)));
        if let Some(sum) = sum.filter(|sum| *sum < Fen::ZERO) {
            let from = last_taken.saturating_add(1);
            found.extend(self.runs(account, credit, (sum, &carried), from));
        }
        found
    }

    /// The days from a place on that follow one another and, with what is carried to them, add up to
    /// a credit.
    fn runs(
        &self,
        account: usize,
        credit: &Credit,
        (carried, before): (Fen, &[usize]),
        from: usize,
    ) -> Vec<Span> {
        let Some(open) = self.accounts.get(account) else { return Vec::new() };
        let mut found = Vec::new();
        for (first, begin) in open.days.iter().enumerate().skip(from) {
            if begin.net == Fen::ZERO || !self.may_be(account, first, credit) {
                continue;
            }
            let (mut sum, mut places) = (carried, before.to_vec());
            for (place, day) in open.days.iter().enumerate().skip(first) {
                if !self.may_be(account, place, credit) {
                    break;
                }
                let Some(more) = sum.plus(day.net) else { break };
                sum = more;
                places.push(place);
                if day.net != Fen::ZERO && sum == credit.amount {
                    found.push(Span { account, places: places.clone() });
                }
            }
        }
        found
    }

    /// Whether a day may be part of a credit: it is open, over, and not due for too long.
    fn may_be(&self, account: usize, place: usize, credit: &Credit) -> bool {
        self.day(account, place).is_some_and(|day| {
            !self.is_taken(account, place)
                && day.day < credit.value_date
                && day.due_on >= self.bank.before(credit.value_date, WINDOW)
        })
    }

    fn is_taken(&self, account: usize, place: usize) -> bool {
        self.taken.get(account).and_then(|it| it.get(place)).copied().unwrap_or(true)
    }

    fn rank(&self, span: &Span, credit: &Credit) -> u8 {
        let days = self.days(span);
        let named = named::date(&credit.reference);
        if named.is_some() && days.len() == 1 && days.first().map(|day| day.day) == named {
            return 0;
        }
        if !days.iter().all(|day| day.net <= Fen::ZERO || day.due_on == credit.value_date) {
            return NOT_DUE;
        }
        if self.due(span.account, credit).iter().all(|place| span.places.contains(place)) {
            1
        } else {
            2
        }
    }

    /// The open days of an account on which money is due at a credit's day.
    fn due(&self, account: usize, credit: &Credit) -> Vec<usize> {
        let days = self.accounts.get(account).map_or(0, |open| open.days.len());
        (0..days)
            .filter(|place| self.may_be(account, *place, credit))
            .filter(|place| {
                self.day(account, *place)
                    .is_some_and(|day| day.due_on == credit.value_date && day.net != Fen::ZERO)
            })
            .collect()
    }

    /// The accounts that a credit may be of: the one that its text names, else all.
    fn meant(&self, credit: &Credit) -> Vec<usize> {
        match self.named(credit) {
            Some(account) => vec![account],
            None => (0..self.accounts.len()).collect(),
        }
    }

    /// The one account that a credit's text names.
    fn named(&self, credit: &Credit) -> Option<usize> {
        let names = |open: &Open<'_>| {
            open.days.iter().any(|day| named::any(&credit.reference, &day.numbers))
        };
        let mut all = self.accounts.iter().enumerate().filter(|(_, open)| names(open));
        match (all.next(), all.next()) {
            (Some((account, _)), None) => Some(account),
            _ => None,
        }
    }

    fn day(&self, account: usize, place: usize) -> Option<&'a Expected> {
        self.accounts.get(account)?.days.get(place).copied()
    }

    fn days(&self, span: &Span) -> Vec<&'a Expected> {
        span.places.iter().filter_map(|place| self.day(span.account, *place)).collect()
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
