//! Pairs the rows of the trade bill with the changes of the account: by number and kind, the same
//! amount before another.

use std::collections::HashMap;

use domain::bill::{BillRow, BillState, Direction};
use domain::doubt::carry;
use domain::fund::{FundKind, FundRow};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{FundCause, FundFinding, FundResult, count};
use crate::rules::is_near_cut;

/// A row of the trade bill, or what one of an earlier day still waits for.
pub(super) struct Traded {
    found: FundFinding,
    direction: Direction,
    /// The provider's payment number, where that is not the number of the finding.
    payment_no: String,
    /// What moves.
    expected: Fen,
    /// Whether money must move for it.
    is_due: bool,
    is_used: bool,
}

/// A change of the account, or one of an earlier day that nothing explains yet.
pub(super) struct Moved {
    found: FundFinding,
    amount: Fen,
    is_used: bool,
}

impl Traded {
    /// `None` where no money can move.
    pub(super) fn of(row: &BillRow<'_>, day: Date) -> Option<Self> {
        let amount = row.settled.unwrap_or(row.amount);
        if amount == Fen::ZERO {
            return None;
        }
        let (kind, expected, numbers) = match row.direction {
            Direction::Payment => {
                (FundKind::Payment, amount, (row.out_trade_no, row.provider_trade_no))
            }
            Direction::Refund => {
                let number = match row.provider_refund_no {
                    "" => row.provider_trade_no,
                    number => number,
                };
                let out_no =
                    if row.out_refund_no.is_empty() { row.out_trade_no } else { row.out_refund_no };
                (FundKind::Refund, amount.negated()?, (out_no, number))
            }
        };
        Some(Self {
            found: FundFinding {
                cause: match row.direction {
                    Direction::Payment => FundCause::MissingInFlow,
                    Direction::Refund => FundCause::RefundMovesLater,
                },
                kind,
                out_no: numbers.0.to_owned(),
                provider_no: numbers.1.to_owned(),
                expected: Some(expected),
                charge: row.fee.and_then(Fen::magnitude).unwrap_or_default(),
                found: None,
                occurred_at: row.occurred_at,
                trade_line: Some(row.line),
                flow_line: None,
                day,
                files: 0,
            },
            direction: row.direction,
            payment_no: row.provider_trade_no.to_owned(),
            expected,
            is_due: row.state != BillState::Failed,
            is_used: false,
        })
    }

    pub(super) fn carried(doubt: &FundFinding) -> Self {
        Self {
            found: doubt.clone(),
            direction: doubt.kind.direction().unwrap_or(Direction::Refund),
            payment_no: String::new(),
            expected: doubt.expected.unwrap_or_default(),
            is_due: true,
            is_used: false,
        }
    }

    /// Every number under which the account may have it.
    fn numbers(&self) -> Vec<&str> {
        let mut numbers =
            vec![self.found.provider_no.as_str(), self.found.out_no.as_str(), &self.payment_no];
        numbers.retain(|number| !number.is_empty());
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// What moves where the charge is taken from it.
    fn net(&self) -> Option<Fen> {
        match self.direction {
            _ if self.found.charge == Fen::ZERO => None,
            Direction::Payment => self.expected.minus(self.found.charge),
            // What was charged comes back with it.
            Direction::Refund => self.expected.plus(self.found.charge),
        }
    }
}

impl Moved {
    /// `None`: a withdrawal or a top-up, of which no trade bill tells.
    pub(super) fn of(row: &FundRow<'_>, day: Date) -> Option<Self> {
        let cause = match row.kind {
            FundKind::Payment => FundCause::MissingInTrade,
            FundKind::Refund => FundCause::RefundOfAnotherDay,
            FundKind::Charge | FundKind::ChargeBack => FundCause::NetSettled,
            FundKind::Other => FundCause::Unexplained,
            FundKind::Withdrawal | FundKind::TopUp => return None,
        };
        Some(Self {
            found: FundFinding {
                cause,
                kind: row.kind,
                out_no: row.out_no.to_owned(),
                provider_no: row.provider_no.to_owned(),
                expected: None,
                charge: Fen::ZERO,
                found: Some(row.amount),
                occurred_at: row.occurred_at,
                trade_line: None,
                flow_line: Some(row.line),
                day,
                files: 0,
            },
            amount: row.amount,
            is_used: false,
        })
    }

    pub(super) fn carried(doubt: &FundFinding) -> Self {
        let amount = doubt.found.unwrap_or_default();
        Self { found: doubt.clone(), amount, is_used: false }
    }

    /// Its numbers, the surest first. A refund's voucher may be that of its payment with a word
    /// before it.
    fn numbers(&self) -> [&str; 3] {
        let voucher = self.found.out_no.as_str();
        [&self.found.provider_no, voucher, voucher.strip_prefix("REF").unwrap_or_default()]
    }
}

/// How a row of one side and one of the other are held to be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Number and amount.
    Same,
    /// The number, and the amount less the charge.
    Net,
    /// The number alone.
    Number,
}

/// Consumes what belongs together: what agrees is counted, what does not is a difference.
pub(super) fn pair(traded: &mut [Traded], moved: &mut [Moved], result: &mut FundResult) {
    traded.sort_by(|a, b| key(&a.found, a.expected).cmp(&key(&b.found, b.expected)));
    moved.sort_by(|a, b| key(&a.found, a.amount).cmp(&key(&b.found, b.amount)));
    let mut places: HashMap<(Direction, String), Vec<usize>> = HashMap::new();
    for (place, row) in traded.iter().enumerate() {
        for number in row.numbers() {
            places.entry((row.direction, number.to_owned())).or_default().push(place);
        }
    }
    for fit in [Fit::Same, Fit::Net, Fit::Number] {
        for change in moved.iter_mut().filter(|change| !change.is_used) {
            let Some(direction) = change.found.kind.direction() else { continue };
            let place = change
                .numbers()
                .into_iter()
                .filter(|number| !number.is_empty())
                .filter_map(|number| places.get(&(direction, number.to_owned())))
                .flatten()
                .find(|place| traded.get(**place).is_some_and(|row| fits(row, change, fit)));
            let Some(row) = place.and_then(|place| traded.get_mut(*place)) else { continue };
            (row.is_used, change.is_used) = (true, true);
            both(row, change, fit, result);
        }
    }
}

fn fits(row: &Traded, change: &Moved, fit: Fit) -> bool {
    !row.is_used
        && match fit {
            Fit::Same => row.expected == change.amount,
            Fit::Net => row.net() == Some(change.amount),
            Fit::Number => row.is_due,
        }
}

fn both(row: &Traded, change: &Moved, fit: Fit, result: &mut FundResult) {
    let cause = match fit {
        Fit::Same => return count(&mut result.matched, row.direction, change.amount),
        Fit::Net => FundCause::NetSettled,
        Fit::Number => FundCause::AmountUnequal,
    };
    result.differences.push(FundFinding {
        cause,
        found: Some(change.amount),
        flow_line: change.found.flow_line,
        files: 0,
        ..row.found.clone()
    });
}

/// What nothing was found for.
pub(super) fn leftovers(
    day: Date,
    steps_over: bool,
    (traded, moved): (Vec<Traded>, Vec<Moved>),
    result: &mut FundResult,
) {
    // Money that came in for what was taken back at the counter must go out again.
    let came: Vec<(String, u64)> = traded
        .iter()
        .filter(|row| row.is_used && !row.is_due && row.direction == Direction::Payment)
        .map(|row| (row.payment_no.clone(), row.found.trade_line.unwrap_or_default()))
        .collect();
    let is_owed = |row: &Traded| {
        let is_it = |(number, line): &(String, u64)| {
            *number == row.payment_no && row.found.trade_line == Some(*line)
        };
        row.is_due || (row.direction == Direction::Refund && came.iter().any(is_it))
    };
    for row in traded.into_iter().filter(|row| !row.is_used) {
        if is_owed(&row) {
            open((day, steps_over), row.found, true, result);
        }
    }
    for change in moved.into_iter().filter(|change| !change.is_used) {
        open((day, steps_over), change.found, false, result);
    }
}

/// A row that stands alone: a doubt while a bill that could have it is still to come.
fn open(
    (day, steps_over): (Date, bool),
    mut found: FundFinding,
    is_in_trade: bool,
    result: &mut FundResult,
) {
    if found.day != day {
        if steps_over {
            return result.doubts.push(found);
        }
        found.files = found.files.saturating_add(1);
    } else if matches!(found.cause, FundCause::MissingInFlow | FundCause::MissingInTrade)
        && is_near_cut(found.occurred_at)
    {
        found.cause = FundCause::NearCut;
    }
    let is_doubt = matches!(
        found.cause,
        FundCause::NearCut | FundCause::RefundMovesLater | FundCause::RefundOfAnotherDay
    );
    let waits = carry(found.kind.direction().unwrap_or(Direction::Refund));
    if is_doubt && found.files < waits {
        result.doubts.push(found);
    } else {
        found.cause = found.cause.promoted(is_in_trade);
        result.differences.push(found);
    }
}

fn key(found: &FundFinding, amount: Fen) -> impl Ord + use<'_> {
    let at: Timestamp = found.occurred_at;
    (found.day, found.kind, &found.provider_no, &found.out_no, amount, at, found.trade_line)
}
