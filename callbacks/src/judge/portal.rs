//! A refund that nobody asked for here and that bill and query prove: made in the provider's portal
//! (商户平台退款). It is booked only as far as the books have the money that it gave back.

use domain::Fen;
use domain::fact::{RefundFact, RefundStanding};
use domain::ids::FeeId;
use domain::journal::{EntryKind, Share};
use domain::refund::RefundState;

use super::incident;
use crate::effect::{Effect, IncidentKind, Judgement, NewIncident, PortalRefundEffect};
use crate::locked::{LockedOrder, LockedPayment};

pub(super) fn judge(fact: &RefundFact, order: &LockedOrder) -> Judgement {
    let (state, entries) = match fact.standing {
        RefundStanding::Processing => (RefundState::Processing, vec![EntryKind::RefundRequested]),
        RefundStanding::Succeeded => {
            (RefundState::Succeeded, vec![EntryKind::RefundRequested, EntryKind::RefundSucceeded])
        }
        RefundStanding::Abnormal => (RefundState::Abnormal, vec![EntryKind::RefundRequested]),
        // Nothing moved, and nobody here waits for it.
        RefundStanding::Failed => return Judgement::Known,
    };
    let number = &fact.out_refund_no;
    let Some((payment, amount)) = payment_of(fact, order).zip(fact.amount) else {
        return incident(
            IncidentKind::RefundUnknown,
            format!(
                "refund {number} of order {}: of which payment, or how much, is not said",
                order.order_id
            ),
        );
    };
    let Some(shares) = divided(order, payment, amount) else {
        return incident(
            IncidentKind::PortalRefundExceeds,
            format!(
                "refund {number} of {amount} was made in the provider's portal; payment {} has less left \
                 here: it is promised to other refunds, or was paid over to the treasury",
                payment.payment_id
            ),
        );
    };
    let mut incidents = vec![NewIncident {
        kind: IncidentKind::PortalRefund,
        detail: format!(
            "refund {number} of {amount} of order {} was made in the provider's portal: its bill lists it, \
             a query confirms it, and it is booked",
            order.order_id
        ),
    }];
    if state == RefundState::Abnormal {
        incidents.push(NewIncident {
            kind: IncidentKind::RefundAbnormal,
            detail: format!("the payer's account refused refund {number}"),
        });
    }
    Judgement::Apply(Effect::PortalRefund(PortalRefundEffect {
        out_refund_no: number.clone(),
        payment_id: payment.payment_id.clone(),
        amount,
        state,
        entries,
        shares,
        provider_refund_no: fact.provider_refund_no.clone(),
        at: fact.at,
        accepted_at: fact.accepted_at,
        incidents,
    }))
}

/// The payment that a refund gives back: the one that it names, else the order's only one.
fn payment_of<'a>(fact: &RefundFact, order: &'a LockedOrder) -> Option<&'a LockedPayment> {
    match (&fact.provider_trade_no, order.payments.as_slice()) {
        (Some(number), payments) => {
            payments.iter().find(|payment| payment.provider_trade_no == *number)
        }
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

/// How `amount` divides: surplus first, for it settles nothing, then the fees in the order's order;
/// `None` where the payment has not that much left at its provider.
fn divided(order: &LockedOrder, payment: &LockedPayment, amount: Fen) -> Option<Vec<Share>> {
    if amount < Fen::new(1) || amount > payment.amount.minus(payment.refunding)? {
        return None;
    }
    let surplus = payment.surplus.minus(payment.surplus_refunding)?.min(amount);
    let mut rest = amount.minus(surplus)?;
    let mut shares = Vec::new();
    for fee in &order.fees {
        let part = left(order, payment, &fee.fee_id).min(fee.left_at_provider()).min(rest);
        if part > Fen::ZERO {
            shares.push(Share { fee_id: Some(fee.fee_id.clone()), amount_fen: part });
            rest = rest.minus(part)?;
        }
    }
    if surplus > Fen::ZERO {
        shares.push(Share { fee_id: None, amount_fen: surplus });
    }
    (rest == Fen::ZERO).then_some(shares)
}

/// What no refund holds of a fee's share in a payment.
fn left(order: &LockedOrder, payment: &LockedPayment, fee: &FeeId) -> Fen {
    let of_fee = |shares: &[Share]| {
        let parts = shares.iter().filter(|share| share.fee_id.as_ref() == Some(fee));
        Fen::sum(parts.map(|share| share.amount_fen)).unwrap_or(Fen::ZERO)
    };
    let held = order
        .refunds
        .iter()
        .filter(|refund| refund.payment_id == payment.payment_id && refund.state.holds_money())
        .map(|refund| of_fee(&refund.shares));
    let held = Fen::sum(held).unwrap_or(Fen::ZERO);
    of_fee(&payment.shares).minus(held).unwrap_or(Fen::ZERO)
}
