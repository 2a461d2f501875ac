//! What a person is shown of a credit that is not clear by itself.

use domain::Fen;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Books, Credit, Exact, SettlementCause, Span};
use crate::covering::{MOST_SETS, covering};

/// Bill days of one account that a credit may be the settlement of (候选).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The settlements, by day.
    pub settlements: Vec<String>,
    /// Of which account.
    pub account: String,
    /// The days.
    pub days: Vec<Date>,
    /// What was expected of them.
    pub expected_fen: Fen,
    /// What came more than that; less, where it is negative.
    pub difference_fen: Fen,
    /// Why, where it differs.
    pub cause: Option<SettlementCause>,
}

/// What is proposed for a credit: nothing is taken before a person says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// Each possibility; none: it is unexplained.
    pub candidates: Vec<Candidate>,
    /// Whether there can be no other that fits to the fen.
    pub is_whole: bool,
}

impl Books<'_> {
    pub(super) fn candidate(&self, credit: &Credit, span: &Span) -> Candidate {
        let days = self.days(span);
        let expected = Fen::sum(days.iter().map(|day| day.net)).unwrap_or(Fen::ZERO);
        let fee = Fen::sum(days.iter().map(|day| day.fee)).unwrap_or(Fen::ZERO);
        Candidate {
            settlements: days.iter().map(|day| day.id.clone()).collect(),
            account: days.first().map(|day| day.account.clone()).unwrap_or_default(),
            days: days.iter().map(|day| day.day).collect(),
            expected_fen: expected,
            difference_fen: credit.amount.minus(expected).unwrap_or(Fen::ZERO),
            cause: SettlementCause::of(credit.amount, expected, fee),
        }
    }

    /// What a credit may be: what fits to the fen; else what it falls short of, or exceeds, where it
    /// can be meant for nothing else. `is_alone`: no other credit of its day is unexplained.
    pub(super) fn propose(&mut self, credit: &Credit, is_alone: bool) -> Proposed {
        let (mut spans, mut is_whole) = match self.exact(credit) {
            Exact::One(span) => (vec![span], true),
            Exact::Many(spans) => (spans, true),
            Exact::None => self.covered(credit),
        };
        if spans.is_empty() {
            spans = self.charged(credit);
        }
        if spans.is_empty() {
            spans = self.unequal(credit, is_alone);
        }
        is_whole &= spans.len() <= MOST_SETS;
        spans.truncate(MOST_SETS);
        let candidates = spans.iter().map(|span| self.candidate(credit, span)).collect();
        Proposed { candidates, is_whole }
    }

    /// Any days that add up to a credit, whether they follow one another or not.
    fn covered(&mut self, credit: &Credit) -> (Vec<Span>, bool) {
        let (mut spans, mut is_whole) = (Vec::new(), true);
        for account in self.meant(credit) {
            let places = self.open(account, credit);
            let amounts: Vec<Fen> =
                places.iter().filter_map(|place| Some(self.day(account, *place)?.net)).collect();
            let found = covering(&amounts, credit.amount, &mut self.steps);
            is_whole &= found.is_whole;
            for set in found.sets {
                let places = set.iter().filter_map(|at| places.get(*at).copied()).collect();
                spans.push(Span { account, places });
            }
        }
        (spans, is_whole)
    }

    /// What a credit falls short of by just the provider's charge: all that was due that day, or one
    /// day.
    fn charged(&self, credit: &Credit) -> Vec<Span> {
        let mut spans = Vec::new();
        for account in self.meant(credit) {
            let whole = Span { account, places: self.due(account, credit) };
            let single = |place: usize| Span { account, places: vec![place] };
            let singles = self.open(account, credit).into_iter().map(single);
            for span in std::iter::once(whole).chain(singles) {
                let cause = self.candidate(credit, &span).cause;
                let is_charge = cause == Some(SettlementCause::FeeTakenFromPrincipal);
                if is_charge && !spans.contains(&span) {
                    spans.push(span);
                }
            }
        }
        spans
    }

    /// What was due that day, where the text names its account, or nothing else was due and nothing
    /// else came.
    fn unequal(&self, credit: &Credit, is_alone: bool) -> Vec<Span> {
        let due: Vec<Span> = self
            .meant(credit)
            .into_iter()
            .map(|account| Span { account, places: self.due(account, credit) })
            .filter(|span| !span.places.is_empty())
            .collect();
        let is_clear = due.len() == 1 && (is_alone || self.named(credit).is_some());
        if is_clear { due } else { Vec::new() }
    }

    /// The open days of an account on which money moved and that a credit may be of.
    fn open(&self, account: usize, credit: &Credit) -> Vec<usize> {
        let days = self.accounts.get(account).map_or(0, |open| open.days.len());
        (0..days)
            .filter(|place| self.may_be(account, *place, credit))
            .filter(|place| self.day(account, *place).is_some_and(|day| day.net != Fen::ZERO))
            .collect()
    }
}
