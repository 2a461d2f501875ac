//! Two rows of one payment or refund: do they agree, and if not, in what first.

use domain::bill::{BillRow, BillState, Direction, RatePpm};
use domain::money::Fen;

use crate::finding::{Cause, Kind};
use crate::ledger::{LedgerRow, LedgerState};
use crate::rules::{charge, charge_holds, states_agree};

/// What does not agree.
pub(super) struct Disagreement {
    pub(super) kind: Kind,
    pub(super) cause: Cause,
    pub(super) detail: String,
}

/// The first disagreement of a pair, in the order amount, state, charge.
pub(super) fn judge(
    hub: &LedgerRow,
    bill: &BillRow<'_>,
    rate: Option<RatePpm>,
) -> Option<Disagreement> {
    if hub.amount != bill.amount {
        return Some(amount(hub, bill));
    }
    if !states_agree(bill.direction, hub.state, bill.state) {
        return Some(state(hub, bill));
    }
    fee(bill, rate)
}

/// Whether a ledger row of this amount and state agrees with the bill in everything.
pub(super) fn agree(
    (amount, state): (Fen, LedgerState),
    bill: &BillRow<'_>,
    rate: Option<RatePpm>,
) -> bool {
    amount == bill.amount
        && states_agree(bill.direction, state, bill.state)
        && fee(bill, rate).is_none()
}

fn amount(hub: &LedgerRow, bill: &BillRow<'_>) -> Disagreement {
    let apart = hub.amount.minus(bill.amount).and_then(Fen::magnitude).unwrap_or_default();
    let word = if bill.amount < hub.amount { "less" } else { "more" };
    let mut detail = format!(
        "ledger {}, bill {}: {} {word} in the bill",
        hub.amount.yuan(),
        bill.amount.yuan(),
        apart.yuan(),
    );
    if let Some(settled) = bill.settled.filter(|settled| *settled != bill.amount) {
        detail.push_str(&format!(", which settles {}", settled.yuan()));
    }
    let cause = match bill.direction {
        _ if bill.settled == Some(hub.amount) => Cause::DiscountExplains,
        Direction::Payment => Cause::AmountUnequal,
        Direction::Refund => Cause::RefundAmountUnequal,
    };
    Disagreement { kind: Kind::AmountDiffers, cause, detail }
}

fn state(hub: &LedgerRow, bill: &BillRow<'_>) -> Disagreement {
    let cause = match (bill.direction, bill.state, hub.state) {
        (Direction::Payment, BillState::Failed, _) => Cause::PaymentRevoked,
        (Direction::Payment, _, LedgerState::Closed) => Cause::PaidAfterClose,
        (Direction::Payment, ..) => Cause::CallbackLost,
        (Direction::Refund, BillState::Failed, _) => Cause::RefundNotDone,
        (Direction::Refund, _, LedgerState::Failed) => Cause::RefundDoneAfterAll,
        (Direction::Refund, ..) => Cause::RefundNoticeLost,
    };
    let detail = format!("ledger {}, bill {}", hub.state.as_str(), bill.state.word(bill.direction));
    Disagreement { kind: Kind::StateDiffers, cause, detail }
}

/// The charge against the rate, on what is settled of the amount: a discount of the merchant's own
/// is charged for nowhere. Unchecked where either is unknown, or where no money moved.
fn fee(bill: &BillRow<'_>, rate: Option<RatePpm>) -> Option<Disagreement> {
    let (rate, charged) = (rate.or(bill.rate)?, bill.fee?);
    if bill.state == BillState::Failed {
        return None;
    }
    let base = bill.settled.map_or(bill.amount, |settled| settled.min(bill.amount));
    let expected = charge(base, rate)?;
    if charge_holds(bill.direction, expected, charged) {
        return None;
    }
    let signed = match bill.direction {
        Direction::Payment => expected,
        Direction::Refund => expected.negated()?,
    };
    let detail = format!(
        "charged {}, at {} of {} it is {}",
        charged.yuan(),
        percent(rate),
        base.yuan(),
        signed.yuan(),
    );
    Some(Disagreement { kind: Kind::FeeDiffers, cause: Cause::RateUnequal, detail })
}

/// `0.6%` for 6 000 millionths.
fn percent(rate: RatePpm) -> String {
    let (whole, part) = (rate.0.div_euclid(10_000), rate.0.rem_euclid(10_000));
    let decimals = format!("{part:04}");
    match decimals.trim_end_matches('0') {
        "" => format!("{whole}%"),
        decimals => format!("{whole}.{decimals}%"),
    }
}
