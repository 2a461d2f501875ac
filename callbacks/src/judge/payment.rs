//! A payment against its order: what it pays for, and what is left over.

use domain::Fen;
use domain::fact::PaymentFact;
use domain::ids::FeeId;
use domain::journal::Share;
use domain::order::OrderTransition;

use super::{LatePayment, Policy, incident};
use crate::effect::{Effect, IncidentKind, Judgement, NewIncident, PaymentEffect};
use crate::locked::LockedOrder;

pub(super) fn judge(fact: &PaymentFact, order: &LockedOrder, policy: Policy) -> Judgement {
    if let Some(known) =
        order.payments.iter().find(|known| known.provider_trade_no == fact.provider_trade_no)
    {
        if known.amount == fact.amount {
            return Judgement::Known;
        }
        return incident(
            IncidentKind::AmountDiffers,
            format!(
                "payment {} is {}, now {} is stated",
                known.payment_id, known.amount, fact.amount
            ),
        );
    }
    if fact.amount != order.amount {
        return incident(
            IncidentKind::AmountDiffers,
            format!("order {} is {}, {} was paid", order.order_id, order.amount, fact.amount),
        );
    }
    match order.state.after(OrderTransition::Pay) {
        Ok(_paid) => Judgement::Apply(Effect::Payment(effect(fact, order, policy))),
        Err(error) => incident(IncidentKind::AmountDiffers, error.to_string()),
    }
}

fn effect(fact: &PaymentFact, order: &LockedOrder, policy: Policy) -> PaymentEffect {
    let second = !order.payments.is_empty();
    let late = order.state.makes_payment_late();
    let unwanted = second || (late && policy.late_payment == LatePayment::Refund);
    let (shares, settles) = divide(order, unwanted);
    let surplus = shares.iter().any(|share| share.fee_id.is_none());
    let incident = if surplus {
        Some(NewIncident {
            kind: IncidentKind::SurplusPayment,
            detail: format!(
                "{} for order {} settles no fee: refund it",
                fact.amount, order.order_id
            ),
        })
    } else if late {
        Some(NewIncident {
            kind: IncidentKind::LatePayment,
            detail: format!(
                "order {} was {} when {} came",
                order.order_id, order.state, fact.amount
            ),
        })
    } else {
        None
    };
    PaymentEffect {
        order_id: order.order_id.clone(),
        provider_trade_no: fact.provider_trade_no.clone(),
        amount: fact.amount,
        coupon: fact.coupon,
        paid_at: fact.paid_at,
        late,
        pays_order: !second,
        shares,
        settles,
        incident,
    }
}

/// Divides the order's amount over its fees as far as each still owes its part; what no fee owes
/// is surplus. The shares add up to the order's amount, because its allocations do.
fn divide(order: &LockedOrder, unwanted: bool) -> (Vec<Share>, Vec<FeeId>) {
    let mut shares = Vec::new();
    let mut settles = Vec::new();
    let mut surplus = Fen::ZERO;
    for fee in &order.fees {
        let owed = if unwanted { Fen::ZERO } else { fee.facts.outstanding() };
        let taken = fee.allocated.min(owed);
        if taken > Fen::ZERO {
            shares.push(Share { fee_id: Some(fee.fee_id.clone()), amount_fen: taken });
            if taken == owed {
                settles.push(fee.fee_id.clone());
            }
        }
        surplus = fee.allocated.minus(taken).and_then(|left| surplus.plus(left)).unwrap_or(surplus);
    }
    if surplus > Fen::ZERO {
        shares.push(Share { fee_id: None, amount_fen: surplus });
    }
    (shares, settles)
}
