//! What providers answered about rows on which the two sides disagree, and what it makes of them.

use std::collections::{BTreeMap, BTreeSet};

use domain::bill::Direction;
use reconciliation::{Answer, Cause, Finding, Kind, Reconciliation};

use super::doubts::because;
use crate::outbound::InTurn;

/// A row: payment or refund, order number, refund number, the provider's number. An order can be paid
/// twice, and then each payment has an answer of its own.
pub(super) type Row = (Direction, String, String, String);

/// What a row's provider said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// This.
    Word(&'static str),
    /// Nothing on which one could act.
    Nothing,
    /// It was not asked: its merchant's queries were spent for longer than a run waits.
    NotAsked,
}

/// What a provider's words mean for the row.
const WORDS: [(&str, Answer); 14] = [
    ("paid", Answer::Done),
    ("succeeded", Answer::Done),
    ("processing", Answer::UnderWay),
    ("unpaid", Answer::NotDone),
    ("closed", Answer::NotDone),
    ("no such order", Answer::NotDone),
    ("no such payment", Answer::NotDone),
    ("paid, but not as the bill says", Answer::NotDone),
    ("failed", Answer::NotDone),
    ("abnormal", Answer::NotDone),
    ("no such refund", Answer::NotDone),
    (OTHERWISE, Answer::NotDone),
    (EXCEEDS, Answer::NotCovered),
    (TAKEN, Answer::NotCovered),
];

/// The answer speaks of a refund, and not of the one that the bill lists.
pub(super) const OTHERWISE: &str = "given back, but not as the bill says";
/// It was given back, and the books have not that much left to give back.
pub(super) const EXCEEDS: &str = "given back, but more than the books have left";
/// It was given back, and another refund here has its number.
pub(super) const TAKEN: &str = "given back, but its number is another refund's here";

impl Said {
    /// What follows from it.
    pub(super) fn answer(self) -> Answer {
        match self {
            Self::Word(said) => {
                let known = WORDS.iter().find(|(word, _)| *word == said);
                known.map_or(Answer::Unknown, |(_, answer)| *answer)
            }
            Self::Nothing | Self::NotAsked => Answer::Unknown,
        }
    }
}

/// What the provider answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Whether an answer changed the ledger.
    pub(super) repaired: bool,
    /// How many rows were asked about one by one.
    pub(super) asked: usize,
    /// By row.
    pub(super) said: BTreeMap<Row, Said>,
    /// The rows that were looked at: what was opened since was not.
    pub(super) seen: BTreeSet<Row>,
    pub(super) turn: InTurn,
}

pub(super) fn row(found: &Finding) -> Row {
    let numbers = [&found.out_trade_no, &found.out_refund_no, &found.provider_trade_no];
    let [order, refund, provider] = numbers.map(String::clone);
    (found.direction, order, refund, provider)
}

impl Answers {
    pub(super) fn note_of(&mut self, found: &Finding, said: Said) {
        if said != Said::NotAsked {
            self.asked = self.asked.saturating_add(1);
        }
        self.said.insert(row(found), said);
    }

    /// What the provider said about a row; `None`: it was not asked for, or no query could decide.
    /// That a row stands twice in the bill is between the rows of the bill.
    pub(super) fn of(&self, found: &Finding) -> Option<Said> {
        let is_asked_for = found.kind != Kind::DuplicateInBill;
        self.said.get(&row(found)).copied().filter(|_| is_asked_for)
    }

    /// Whether a row was opened while this run was asking about the others.
    pub(super) fn missed(&self, found: &Finding) -> bool {
        !self.seen.contains(&row(found))
    }

    /// Whether the provider says that there is no such payment or refund.
    pub(super) fn denies(&self, found: &Finding) -> bool {
        self.of(found)
            .is_some_and(|said| matches!(said, Said::Word(word) if DENIALS.contains(&word)))
    }

    /// What the provider said about a row, for a person; empty where nothing.
    pub(super) fn words(&self, found: &Finding) -> String {
        told(self.of(found))
    }

    /// Writes the answers to what is left. A row that stands in the ledger alone and about which
    /// the provider gave no answer is not decided, and none is about which it could not be asked:
    /// it becomes a doubt. Near the cut, one that the provider denies is a difference at once; so is
    /// one that the bill alone has, for no later file can bring it into the ledger. What is proposed
    /// for a difference follows from the answer.
    pub(super) fn note(&self, result: &mut Reconciliation) {
        for found in result.differences.iter_mut().chain(&mut result.doubts) {
            let answer = self.words(found);
            found.detail.push_str(&answer);
        }
        let doubts = std::mem::take(&mut result.doubts);
        let of_hub: BTreeSet<String> = doubts
            .iter()
            .chain(&result.differences)
            .filter(|found| found.kind == Kind::OnlyInHub && found.direction == Direction::Payment)
            .map(|found| found.provider_trade_no.clone())
            .collect();
        for found in doubts {
            match self.outright(&found, &of_hub) {
                Some(cause) => result.differences.push(because(found, cause)),
                None => result.doubts.push(found),
            }
        }
        let is_open = |found: &Finding| match self.of(found) {
            Some(Said::NotAsked) => true,
            Some(Said::Nothing) => found.kind == Kind::OnlyInHub,
            Some(Said::Word(_)) | None => false,
        };
        let (undecided, mut decided): (Vec<Finding>, Vec<Finding>) =
            std::mem::take(&mut result.differences).into_iter().partition(is_open);
        for found in &mut decided {
            if let Some(said) = self.of(found) {
                found.hear(said.answer());
            }
        }
        result.doubts.extend(undecided);
        result.differences = decided;
    }

    /// The cause of a doubt near the cut that is a difference at once.
    fn outright(&self, found: &Finding, of_hub: &BTreeSet<String>) -> Option<Cause> {
        match (found.cause, found.kind, found.direction) {
            (Cause::NearCut, Kind::OnlyInBill, Direction::Payment)
                if of_hub.contains(&found.provider_trade_no) =>
            {
                Some(Cause::NumberDiffers)
            }
            (Cause::NearCut, Kind::OnlyInBill, Direction::Payment) => Some(Cause::PaymentForeign),
            (Cause::NearCut, Kind::OnlyInBill, Direction::Refund) => Some(Cause::RefundByHand),
            (Cause::NearCut, Kind::OnlyInHub, direction) if self.denies(found) => {
                Some(match direction {
                    Direction::Payment => Cause::PaymentMissingInBill,
                    Direction::Refund => Cause::RefundMissingInBill,
                })
            }
            _ => None,
        }
    }
}

/// The words by which a provider says that it has no such payment or refund.
const DENIALS: [&str; 4] = ["unpaid", "closed", "no such order", "no such refund"];

fn told(said: Option<Said>) -> String {
    match said {
        None => String::new(),
        Some(Said::NotAsked) => {
            "; its provider could not be asked: the merchant's queries were spent".to_owned()
        }
        Some(Said::Nothing) => "; asked at once, its provider gave no answer".to_owned(),
        Some(Said::Word(word)) => format!("; asked at once, its provider says: {word}"),
    }
}
