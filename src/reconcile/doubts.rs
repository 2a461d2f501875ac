//! What becomes of doubts when a run ends: those of other days that its bill or an answer decides,
//! and its own, whose row another day's bill may have had already.

use domain::Fen;
use domain::bill::{BillState, Direction};
use domain::doubt::{DoubtEvent, DoubtState, Received, carry};
use domain::ids::DoubtId;
use jiff::civil::Date;
use reconciliation::rules::states_agree;
use reconciliation::{Answer, Cause, Finding, Kind, LedgerRow, Matched, Reconciliation, Sides};

use super::answers::{Answers, Said};
use crate::store::doubts::{Carried, Listed};

#[cfg(test)]
mod tests;

/// What a run ends with, beside the result that its own rows gave.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// The doubts of other days, as they stand now.
    pub(super) carried: Vec<Fate>,
    /// The differences that are of another day, by their place among all: day and fingerprint.
    pub(super) origins: Vec<(usize, Date, String)>,
}

/// How a doubt of another day stands after a run.
#[derive(Debug)]
pub(super) struct Fate {
    pub(super) id: DoubtId,
    pub(super) state: DoubtState,
    pub(super) files: u32,
    /// The place of the difference that it became.
    pub(super) difference: Option<usize>,
}

/// What a run knows when it ends.
pub(super) struct Known<'a> {
    pub(super) day: Date,
    pub(super) ledger: &'a [LedgerRow],
    /// Rows that the bills of other days have.
    pub(super) listed: &'a [Listed],
    pub(super) received: &'a Received,
    pub(super) answers: &'a Answers,
}

impl Known<'_> {
    /// Decides the doubts of other days and the run's own. What is promoted joins the run's
    /// differences, behind its own.
    pub(super) fn decide(&self, result: &mut Reconciliation, carried: &[Carried]) -> Decided {
        self.repeated(result);
        self.born(result);
        let mut decided = Decided::default();
        for doubt in carried {
            let files = self.received.after(doubt.day);
            let found = &doubt.finding;
            let event = self.event(result, doubt, files);
            let is_over =
                matches!(event, DoubtEvent::Listed | DoubtEvent::Disputed | DoubtEvent::Settled);
            // What an older run of this day decided is decided anew: its bill may have changed.
            let state = match doubt.state {
                DoubtState::Matched | DoubtState::Answered => DoubtState::Open.after(event),
                DoubtState::Open | DoubtState::Promoted | DoubtState::Superseded => {
                    doubt.state.after(event)
                }
            };
            let difference = match (state, event) {
                (DoubtState::Promoted, DoubtEvent::Disputed) => {
                    result.differences.iter().position(|of| self.is_bill_row_of(of, found))
                }
                (DoubtState::Promoted, _) if doubt.state != DoubtState::Promoted || !is_over => {
                    let place = result.differences.len();
                    decided.origins.push((place, doubt.day, doubt.fingerprint.clone()));
                    result.differences.push(self.promoted(found, doubt.day, files));
                    Some(place)
                }
                (
                    DoubtState::Open
                    | DoubtState::Matched
                    | DoubtState::Answered
                    | DoubtState::Promoted
                    | DoubtState::Superseded,
                    _,
                ) => None,
            };
            decided.carried.push(Fate { id: doubt.id.clone(), state, files, difference });
        }
        decided
    }

    /// The run's own doubts: not where another day's bill has the row, and none where the files that
    /// it would wait for have come already.
    fn born(&self, result: &mut Reconciliation) {
        let files = self.received.after(self.day);
        for found in std::mem::take(&mut result.differences) {
            if self.is_elsewhere(&found) {
                leave(result, &found);
            } else {
                result.differences.push(found);
            }
        }
        for found in std::mem::take(&mut result.doubts) {
            if self.is_elsewhere(&found) {
                leave(result, &found);
                continue;
            }
            match DoubtState::Open.after(self.waits(&found, files)) {
                DoubtState::Promoted => {
                    result.differences.push(self.promoted(&found, self.day, files));
                }
                DoubtState::Open
                | DoubtState::Matched
                | DoubtState::Answered
                | DoubtState::Superseded => result.doubts.push(found),
            }
        }
    }

    /// Rows of the ledger that another day's bill has listed and counted, and that this bill lists
    /// again: counted there, and a difference here.
    fn repeated(&self, result: &mut Reconciliation) {
        let is_again = |row: &Matched| {
            self.listed.iter().any(|of| {
                of.direction == row.direction
                    && of.out_trade_no == row.out_trade_no
                    && of.out_refund_no == row.out_refund_no
                    && of.provider_trade_no == row.provider_trade_no
            })
        };
        let (again, matched): (Vec<Matched>, Vec<Matched>) =
            std::mem::take(&mut result.matched).into_iter().partition(is_again);
        result.matched = matched;
        for row in again {
            take_from(&mut result.sums.hub, row.direction, row.amount);
            take_from(&mut result.sums.matched, row.direction, row.amount);
            result.differences.push(listed_again(row));
        }
    }

    /// Whether another day's bill has the row of a finding that the ledger alone has.
    fn is_elsewhere(&self, found: &Finding) -> bool {
        found.kind == Kind::OnlyInHub
            && self.listed.iter().any(|row| {
                let numbers = [&row.out_trade_no, &row.out_refund_no, &row.provider_trade_no];
                self.is_row_of(found, row.direction, numbers)
            })
    }

    /// What this run learnt about a doubt of another day.
    fn event(&self, result: &Reconciliation, doubt: &Carried, files: u32) -> DoubtEvent {
        let found = &doubt.finding;
        let is_listed = result.matched.iter().any(|row| self.is_matched(found, row));
        if is_listed || self.is_elsewhere(found) {
            DoubtEvent::Listed
        } else if result.differences.iter().any(|of| self.is_bill_row_of(of, found)) {
            DoubtEvent::Disputed
        } else if self.is_settled(found) {
            DoubtEvent::Settled
        } else if doubt.day > self.day {
            // A later day waits for later files.
            DoubtEvent::Unasked
        } else if found.kind == Kind::OnlyInHub && self.answers.denies(found) {
            DoubtEvent::Denied
        } else {
            self.waits(found, files)
        }
    }

    fn waits(&self, found: &Finding, files: u32) -> DoubtEvent {
        match self.answers.of(found) {
            Some(Said::NotAsked) => DoubtEvent::Unasked,
            None if found.kind == Kind::OnlyInHub || self.answers.missed(found) => {
                DoubtEvent::Unasked
            }
            None | Some(Said::Word(_) | Said::Nothing) => {
                DoubtEvent::Waited { files, carry: carry(found.direction) }
            }
        }
    }

    /// Whether both sides agree by now: the ledger expects nothing any more, or it has booked what
    /// the bill had.
    fn is_settled(&self, found: &Finding) -> bool {
        if found.kind == Kind::DuplicateInBill {
            return false;
        }
        let mut rows = self.rows_of(found).peekable();
        match (found.bill_state, found.bill_amount) {
            (Some(state), Some(amount)) => rows.any(|row| {
                let is_it = found.kind != Kind::OnlyInBill
                    || row.provider_trade_no == found.provider_trade_no;
                is_it && row.amount == amount && states_agree(row.direction, row.state, state)
            }),
            _ => rows.peek().is_some() && rows.all(|row| !row.state.moves_money()),
        }
    }

    /// The ledger's rows of a finding.
    fn rows_of<'a>(&'a self, found: &'a Finding) -> impl Iterator<Item = &'a LedgerRow> {
        self.ledger.iter().filter(|row| {
            row.direction == found.direction
                && row.out_trade_no == found.out_trade_no
                && row.out_refund_no == found.out_refund_no
        })
    }

    fn is_matched(&self, found: &Finding, row: &Matched) -> bool {
        let numbers = [&row.out_trade_no, &row.out_refund_no, &row.provider_trade_no];
        self.is_row_of(found, row.direction, numbers)
    }

    /// Whether a difference of this run is about the bill's row of a doubt.
    fn is_bill_row_of(&self, of: &Finding, found: &Finding) -> bool {
        let numbers = [&of.out_trade_no, &of.out_refund_no, &of.provider_trade_no];
        of.bill_amount.is_some() && self.is_row_of(found, of.direction, numbers)
    }

    /// Whether a row is that of a finding. An order can be paid twice: then the provider's number
    /// tells which of the two it is.
    fn is_row_of(&self, found: &Finding, direction: Direction, numbers: [&String; 3]) -> bool {
        let [order, refund, provider] = numbers;
        direction == found.direction
            && *order == found.out_trade_no
            && *refund == found.out_refund_no
            && (*provider == found.provider_trade_no
                || direction == Direction::Refund
                || self.rows_of(found).count() <= 1)
    }

    /// The difference that a doubt becomes.
    fn promoted(&self, found: &Finding, day: Date, files: u32) -> Finding {
        let cause = match (found.cause, found.direction) {
            (Cause::NearCut, Direction::Payment) => Cause::PaymentMissingInBill,
            (Cause::NearCut | Cause::RefundUnderWay, _) => Cause::RefundMissingInBill,
            (cause, _) => cause,
        };
        let mut promoted = because(found.clone(), cause);
        promoted
            .detail
            .push_str(&format!("; a doubt since {day}, no bill of the {files} after it has it"));
        if day != self.day {
            promoted.since = Some(day);
            promoted.detail.push_str(&self.answers.words(found));
        }
        match self.answers.of(found).map_or(Answer::Unknown, Said::answer) {
            // It has waited for its files, and the provider that accepted it has listed it in none.
            Answer::UnderWay => because(promoted, Cause::BillContradicted),
            answer @ (Answer::Done | Answer::NotDone | Answer::NotCovered | Answer::Unknown) => {
                promoted.hear(answer);
                promoted
            }
        }
    }
}

/// The finding with another cause, and what is done about that.
pub(super) fn because(mut found: Finding, cause: Cause) -> Finding {
    found.cause = cause;
    (found.proposed_action, found.owner) = cause.remedy();
    found
}

/// Takes a row out of a day's ledger: the bill of another day has it, and that day counts it.
fn leave(result: &mut Reconciliation, found: &Finding) {
    take_from(&mut result.sums.hub, found.direction, found.hub_amount.unwrap_or_default());
    result.outside.other_day = result.outside.other_day.saturating_add(1);
}

fn take_from(sides: &mut Sides, direction: Direction, amount: Fen) {
    let total = match direction {
        Direction::Payment => &mut sides.payments,
        Direction::Refund => &mut sides.refunds,
    };
    total.count = total.count.saturating_sub(1);
    total.amount_fen = Fen::new(total.amount_fen.get().saturating_sub(amount.get()));
}

/// The difference of a row that the bills of two days list.
fn listed_again(row: Matched) -> Finding {
    let cause = Cause::ListedTwice;
    let (proposed_action, owner) = cause.remedy();
    Finding {
        kind: Kind::DuplicateInBill,
        direction: row.direction,
        out_trade_no: row.out_trade_no,
        out_refund_no: row.out_refund_no,
        provider_trade_no: row.provider_trade_no,
        hub_amount: None,
        bill_amount: Some(row.amount),
        hub_state: None,
        bill_state: Some(BillState::Succeeded),
        fee: row.fee,
        occurred_at: row.occurred_at,
        bill_line: None,
        detail: "another day's bill has it too, and counts it".to_owned(),
        cause,
        proposed_action,
        owner,
        since: None,
    }
}
