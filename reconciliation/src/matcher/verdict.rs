//! From pairs and lone rows to matched, doubts and differences.

use std::collections::{BTreeSet, HashSet};

use domain::bill::{BillRow, BillState, Coverage, Direction, RatePpm};
use domain::time::rfc3339;
use jiff::civil::Date;

use super::judge::judge;
use crate::finding::{Cause, Finding, Kind};
use crate::ledger::{LedgerRow, LedgerState};
use crate::outcome::{Matched, Outside, Reconciliation, Sums};
use crate::rules::is_near_cut;

/// The result as it grows.
pub(super) struct Books {
    covers: Coverage,
    rate: Option<RatePpm>,
    done: Reconciliation,
}

impl Books {
    pub(super) fn new(day: Option<Date>, covers: Coverage, rate: Option<RatePpm>) -> Self {
        let done = Reconciliation {
            day,
            matched: Vec::new(),
            rest: Vec::new(),
            doubts: Vec::new(),
            differences: Vec::new(),
            sums: Sums::default(),
            outside: Outside::default(),
        };
        Self { covers, rate, done }
    }

    /// A row of each side.
    pub(super) fn both(&mut self, hub: &LedgerRow, bill: &BillRow<'_>) {
        let sums = &mut self.done.sums;
        match judge(hub, bill, self.rate) {
            None => {
                sums.hub.add(hub.direction, hub.amount);
                sums.matched.add(hub.direction, hub.amount);
                self.done.matched.push(agreed(hub, bill));
            }
            Some(found) => {
                if hub.state.moves_money() {
                    sums.hub.add(hub.direction, hub.amount);
                }
                let finding = finding(Some(hub), Some(bill), found.kind, found.cause, found.detail);
                self.done.differences.extend(finding);
            }
        }
    }

    /// A bill row that repeats another.
    pub(super) fn again(&mut self, bill: &BillRow<'_>, first: &BillRow<'_>) {
        let mut detail = "the bill lists this number again".to_owned();
        if first.amount != bill.amount {
            detail.push_str(&format!(", the other time with {}", first.amount.yuan()));
        }
        let finding = finding(None, Some(bill), Kind::DuplicateInBill, Cause::ListedTwice, detail);
        self.done.differences.extend(finding);
    }

    /// A ledger row that no bill row claims.
    pub(super) fn only_hub(&mut self, hub: &LedgerRow, twins: &Twins<'_>) {
        let outside = &mut self.done.outside;
        let left_alone = if !hub.state.moves_money() {
            &mut outside.unpaid
        } else if !self.covers.lists(hub.direction) {
            &mut outside.not_listed
        } else if self.done.day.is_some_and(|day| day != hub.day()) {
            &mut outside.other_day
        } else {
            self.missing_in_bill(hub, twins);
            return;
        };
        *left_alone = left_alone.saturating_add(1);
    }

    fn missing_in_bill(&mut self, hub: &LedgerRow, twins: &Twins<'_>) {
        self.done.sums.hub.add(hub.direction, hub.amount);
        let at = rfc3339(hub.occurred_at);
        let (list, cause, detail) = if is_near_cut(hub.occurred_at) {
            (&mut self.done.doubts, Cause::NearCut, format!("{at} is near the cut"))
        } else if hub.state == LedgerState::Processing {
            (&mut self.done.doubts, Cause::RefundUnderWay, format!("accepted at {at}, under way"))
        } else {
            let cause = match hub.direction {
                Direction::Payment if twins.has(&hub.provider_trade_no) => Cause::NumberDiffers,
                Direction::Payment => Cause::PaymentMissingInBill,
                Direction::Refund => Cause::RefundMissingInBill,
            };
            (&mut self.done.differences, cause, format!("{} at {at}", hub.state.as_str()))
        };
        let detail = format!("in the ledger, not in the bill: {detail}");
        list.extend(finding(Some(hub), None, Kind::OnlyInHub, cause, detail));
    }

    /// A bill row that no ledger row claims.
    pub(super) fn only_bill(&mut self, bill: &BillRow<'_>, twins: &Twins<'_>) {
        let at = rfc3339(bill.occurred_at);
        let (list, cause, detail) = if is_near_cut(bill.occurred_at) {
            (&mut self.done.doubts, Cause::NearCut, format!("{at} is near the cut"))
        } else {
            let cause = match bill.direction {
                Direction::Payment if twins.paid_again(bill) => Cause::SecondPayment,
                Direction::Payment if twins.has(bill.provider_trade_no) => Cause::NumberDiffers,
                Direction::Payment => Cause::PaymentForeign,
                Direction::Refund => Cause::RefundByHand,
            };
            let word = bill.state.word(bill.direction);
            (&mut self.done.differences, cause, format!("{word} at {at}"))
        };
        let detail = format!("in the bill, not in the ledger: {detail}");
        list.extend(finding(None, Some(bill), Kind::OnlyInBill, cause, detail));
    }

    pub(super) fn close(self) -> Reconciliation {
        self.done
    }
}

/// What lone rows have in common with rows that are not their own.
pub(super) struct Twins<'a> {
    /// Provider numbers of payments that stand alone on both sides, under different order numbers.
    numbers: BTreeSet<&'a str>,
    /// Orders that were paid again.
    paid_again: HashSet<&'a str>,
}

impl<'a> Twins<'a> {
    pub(super) fn of(
        only_hub: &[&'a LedgerRow],
        only_bill: &[&'a BillRow<'a>],
        paid_again: HashSet<&'a str>,
    ) -> Self {
        let payments = only_bill.iter().filter(|row| row.direction == Direction::Payment);
        let bill: BTreeSet<&str> =
            payments.map(|row| row.provider_trade_no).filter(|number| !number.is_empty()).collect();
        let hub = only_hub
            .iter()
            .filter(|row| row.direction == Direction::Payment && row.state.moves_money())
            .map(|row| row.provider_trade_no.as_str())
            .filter(|number| bill.contains(number));
        Self { numbers: hub.collect(), paid_again }
    }

    fn has(&self, number: &str) -> bool {
        self.numbers.contains(number)
    }

    /// Whether money was taken again for an order. What was taken back at the counter was not.
    fn paid_again(&self, bill: &BillRow<'_>) -> bool {
        bill.state == BillState::Succeeded && self.paid_again.contains(bill.out_trade_no)
    }
}

fn agreed(hub: &LedgerRow, bill: &BillRow<'_>) -> Matched {
    Matched {
        direction: hub.direction,
        occurred_at: bill.occurred_at,
        out_trade_no: either(bill.out_trade_no, &hub.out_trade_no),
        out_refund_no: either(bill.out_refund_no, &hub.out_refund_no),
        provider_trade_no: either(bill.provider_trade_no, &hub.provider_trade_no),
        amount: hub.amount,
        fee: bill.fee,
        is_void: bill.state == BillState::Failed,
    }
}

/// A finding about one row or two; `None` never, for there is always at least one.
fn finding(
    hub: Option<&LedgerRow>,
    bill: Option<&BillRow<'_>>,
    kind: Kind,
    cause: Cause,
    detail: String,
) -> Option<Finding> {
    let direction = bill.map(|row| row.direction).or(hub.map(|row| row.direction))?;
    let occurred_at = bill.map(|row| row.occurred_at).or(hub.map(|row| row.occurred_at))?;
    let text = |bill: Option<&str>, hub: Option<&String>| {
        either(bill.unwrap_or_default(), hub.map(String::as_str).unwrap_or_default())
    };
    let (proposed_action, owner) = cause.remedy();
    Some(Finding {
        kind,
        direction,
        out_trade_no: text(bill.map(|row| row.out_trade_no), hub.map(|row| &row.out_trade_no)),
        out_refund_no: text(bill.map(|row| row.out_refund_no), hub.map(|row| &row.out_refund_no)),
        provider_trade_no: text(
            bill.map(|row| row.provider_trade_no),
            hub.map(|row| &row.provider_trade_no),
        ),
        hub_amount: hub.map(|row| row.amount),
        bill_amount: bill.map(|row| row.amount),
        hub_state: hub.map(|row| row.state),
        bill_state: bill.map(|row| row.state),
        fee: bill.and_then(|row| row.fee),
        occurred_at,
        bill_line: bill.map(|row| row.line),
        detail,
        cause,
        proposed_action,
        owner,
        since: None,
    })
}

/// The first text, or the second where the first is empty.
fn either(one: &str, other: &str) -> String {
    if one.is_empty() { other.to_owned() } else { one.to_owned() }
}
