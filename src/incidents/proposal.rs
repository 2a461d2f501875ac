//! What is proposed for each kind of incident: one table. Money is proposed with its amount and
//! payment, so that one call does it.

use domain::Fen;
use serde_json::{Value, json};

use crate::store::incidents::IncidentRecord;

/// What a person is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Give the surplus of a payment back.
    RefundSurplus,
    /// Look whether the payment is wanted, and give it back if it is not.
    RefundOrKeep,
    /// Send a refund to another account, or give the money by hand.
    Redirect,
    /// Put funds into the merchant's account.
    TopUp,
    /// Compare with the provider's portal, and settle it there or here.
    Investigate,
    /// Mend keys, permissions, clock or address.
    Configure,
}

impl Action {
    /// The stable word.
    const fn as_str(self) -> &'static str {
        match self {
            Self::RefundSurplus => "refund_surplus",
            Self::RefundOrKeep => "refund_or_keep",
            Self::Redirect => "redirect_refund",
            Self::TopUp => "top_up",
            Self::Investigate => "investigate",
            Self::Configure => "configure",
        }
    }
}

/// Every kind with what is proposed for it.
const TABLE: [(&str, Action, &str); 33] = [
    (
        "surplus_payment",
        Action::RefundSurplus,
        "the money settles no fee: give it back to its payer",
    ),
    (
        "late_payment",
        Action::RefundOrKeep,
        "the money came after the order was given up and settled its fee: keep it, or give it back",
    ),
    (
        "payment_taken_back",
        Action::Investigate,
        "the payer has the money back: undo what was booked by hand, and collect the fee again",
    ),
    (
        "refund_abnormal",
        Action::Redirect,
        "the payer's account refused the money: redirect the refund, or pay it out by hand",
    ),
    (
        "refund_waits_for_funds",
        Action::TopUp,
        "the merchant's account does not cover the refund: top it up; it is sent again by itself",
    ),
    (
        "refund_not_at_provider",
        Action::Investigate,
        "the provider accepted the refund and does not have it: ask its support",
    ),
    (
        "treasury_refund_overdue",
        Action::Investigate,
        "the treasury has not moved in its time: ask there",
    ),
    (
        "refund_contradicts",
        Action::Investigate,
        "the provider contradicts what is on record: compare with its portal before any refund",
    ),
    (
        "refund_amount_differs",
        Action::Investigate,
        "another amount was given back than was asked for: compare with the provider's portal",
    ),
    (
        "refund_unknown",
        Action::Investigate,
        "a refund was made past the hub: find out by whom, in the provider's portal",
    ),
    (
        "portal_refund",
        Action::Investigate,
        "a refund was made past the hub, and is booked: find out by whom, and cancel its e-bill",
    ),
    (
        "portal_refund_exceeds",
        Action::Investigate,
        "more was given back past the hub than is left here: find out by whom, and stop other refunds",
    ),
    (
        "order_unknown",
        Action::Investigate,
        "money came for an order that the hub does not have: find it in the provider's portal",
    ),
    (
        "amount_differs",
        Action::Investigate,
        "another amount was paid than was asked for: give it back in the provider's portal",
    ),
    (
        "merchant_differs",
        Action::Configure,
        "the notice is for another merchant: compare mchid or seller_id with the configuration",
    ),
    (
        "app_differs",
        Action::Configure,
        "the notice is for another application: compare appid or app_id with the configuration",
    ),
    (
        "currency_differs",
        Action::Investigate,
        "money came in another currency than CNY: ask the provider's support",
    ),
    (
        "notice_unreadable",
        Action::Investigate,
        "an authentic notice could not be read: keep its id and report it",
    ),
    (
        "notice_not_booked",
        Action::Investigate,
        "the books refused an authentic notice: mend what its detail says, then payhub callbacks replay",
    ),
    (
        "provider_refuses_the_hub",
        Action::Configure,
        "check keys, serial numbers, permissions and the clock; payhub doctor tells",
    ),
    (
        "bill_late",
        Action::Investigate,
        "the provider has not made the bill: it is asked for again; ask its support if it stays away",
    ),
    (
        "fund_bill_late",
        Action::Investigate,
        "the provider has not made the fund flow bill: it is asked for again; switch it off for a merchant that has none",
    ),
    (
        "bill_damaged",
        Action::Investigate,
        "the bill does not agree with its own hash or totals: ask the provider for a whole one",
    ),
    (
        "bill_changed",
        Action::Investigate,
        "the provider gave another file of a day than before: compare both runs, ask it why",
    ),
    (
        "settlement_late",
        Action::Investigate,
        "the provider's money is in no bank statement: hand the statements in, else ask the provider",
    ),
    (
        "settlement_short",
        Action::Investigate,
        "less arrived than was expected: compare with the provider's fund bill; two people confirm it",
    ),
    (
        "settlement_over",
        Action::Investigate,
        "more arrived than was expected: find out for what; two people confirm it",
    ),
    (
        "fee_taken_from_principal",
        Action::Investigate,
        "non-tax money must arrive gross: have the provider charge its fee apart and pay it back",
    ),
    (
        "settlement_changed",
        Action::Investigate,
        "a later version of the day's run expects another sum: compare both bills",
    ),
    (
        "journal_broken",
        Action::Investigate,
        "run payhub verify-ledger; payments and refunds of this merchant wait",
    ),
    ("channel_fault", Action::Configure, "check the channel's account, signature and balance"),
    (
        "endpoint_gone",
        Action::Configure,
        "the backend's endpoint says that it is gone: set its address anew",
    ),
    (
        "endpoint_disabled",
        Action::Configure,
        "the backend's endpoint failed for days: mend it, then enable it; its events wait",
    ),
];

/// Kinds that say that the hub itself, its books or its configuration is at fault. A backend
/// service sees them, where it hears of office-wide matters, but cannot know that they are mended:
/// an operator closes them.
const OPERATORS: [&str; 5] = [
    "journal_broken",
    "provider_refuses_the_hub",
    "merchant_differs",
    "app_differs",
    "channel_fault",
];

/// What is proposed for kinds that are not in the table.
const OTHERWISE: (Action, &str) = (Action::Investigate, "find out what happened");

fn proposed(kind: &str) -> (Action, &'static str) {
    let known = TABLE.iter().find(|(known, _, _)| *known == kind);
    known.map_or(OTHERWISE, |(_, action, text)| (*action, *text))
}

/// Whether an operator alone closes it.
pub(super) fn is_an_operators(kind: &str) -> bool {
    OPERATORS.contains(&kind)
}

/// The proposal as a sentence.
pub(super) fn text(kind: &str) -> &'static str {
    proposed(kind).1
}

/// The proposal for an incident, with the amount and payment that it is about; null once it is
/// closed.
pub(super) fn of(incident: &IncidentRecord) -> Value {
    if incident.closed_at.is_some() {
        return Value::Null;
    }
    let (action, text) = proposed(&incident.kind);
    let payment = incident.payment.as_ref();
    let amount = match action {
        Action::RefundSurplus => payment.map(|payment| payment.surplus_fen),
        Action::RefundOrKeep => payment.map(|payment| payment.amount_fen),
        Action::Redirect | Action::TopUp | Action::Investigate | Action::Configure => None,
    };
    json!({
        "action": action.as_str(),
        "text": text,
        "order_id": incident.order_id,
        "refund_id": incident.refund_id,
        "payment_id": payment.map(|payment| &payment.id),
        "amount_fen": amount.filter(|amount| *amount > Fen::ZERO),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_stands_in_the_table_once() {
        let kinds: BTreeSet<&str> = TABLE.iter().map(|(kind, _, _)| *kind).collect();
        assert_eq!(kinds.len(), TABLE.len());
        assert!(OPERATORS.iter().all(|kind| kinds.contains(kind)), "{OPERATORS:?}");
        assert_eq!(text("something_new"), OTHERWISE.1);
    }
}
