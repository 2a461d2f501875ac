//! What a provider says about a refund, against the refund on record.

use domain::Fen;
use domain::fact::{RefundFact, RefundStanding, Source};
use domain::journal::EntryKind;
use domain::refund::{RefundState, RefundTransition};

use super::{incident, portal};
use crate::effect::{Effect, IncidentKind, Judgement, NewIncident, RefundEffect};
use crate::locked::{LockedOrder, LockedPayment, LockedRefund};

pub(super) fn judge(fact: &RefundFact, source: Source, order: &LockedOrder) -> Judgement {
    let Some(refund) =
        order.refunds.iter().find(|refund| refund.out_refund_no == fact.out_refund_no)
    else {
        // One that the bill lists, and that a query confirms, was made whoever asked for it.
        if source == Source::Bill {
            return portal::judge(fact, order);
        }
        return incident(
            IncidentKind::RefundUnknown,
            format!("order {} has no refund {}", order.order_id, fact.out_refund_no),
        );
    };
    if let Some(stated) = fact.amount.filter(|stated| *stated != refund.amount) {
        return incident(
            IncidentKind::RefundAmountDiffers,
            format!("refund {} is {}, {stated} is stated", refund.refund_id, refund.amount),
        );
    }
    // All refunds of a payment together cannot be less than one of them.
    if let Some(sum) = fact.given_back.filter(|sum| *sum < refund.amount) {
        return incident(
            IncidentKind::RefundAmountDiffers,
            format!(
                "refund {} is {}, {sum} is stated for all refunds of its payment",
                refund.refund_id, refund.amount
            ),
        );
    }
    let transition = match fact.standing {
        RefundStanding::Processing => RefundTransition::Accept,
        RefundStanding::Succeeded => RefundTransition::Succeed,
        RefundStanding::Failed => RefundTransition::Fail,
        RefundStanding::Abnormal => RefundTransition::Stick,
    };
    match refund.state.after(transition) {
        Ok(after) if after == refund.state => Judgement::Known,
        Ok(after) => moved(fact, order, refund, after),
        // An old notice that comes late says nothing new about a refund that has arrived.
        Err(_late) if refund.state == RefundState::Succeeded => Judgement::Known,
        Err(error) => incident(
            IncidentKind::RefundContradicts,
            format!("refund {}: {error}", refund.refund_id),
        ),
    }
}

fn moved(
    fact: &RefundFact,
    order: &LockedOrder,
    refund: &LockedRefund,
    after: RefundState,
) -> Judgement {
    let Some(entries) = entries(order, refund, after) else {
        return incident(
            IncidentKind::RefundContradicts,
            format!(
                "refund {} is said to have succeeded after it had failed, and its money is \
                 promised elsewhere or was paid over to the treasury",
                refund.refund_id
            ),
        );
    };
    let incident = (after == RefundState::Abnormal).then(|| NewIncident {
        kind: IncidentKind::RefundAbnormal,
        detail: format!("the payer's account refused refund {}", refund.refund_id),
    });
    Judgement::Apply(Effect::Refund(RefundEffect {
        refund_id: refund.refund_id.clone(),
        payment_id: refund.payment_id.clone(),
        amount: refund.amount,
        after,
        entries,
        shares: refund.shares.clone(),
        provider_refund_no: fact.provider_refund_no.clone(),
        at: fact.at,
        accepted_at: fact.accepted_at,
        incident,
    }))
}

/// The journal entries of the step. A refund that failed and yet succeeded must reserve its money
/// again; `None` when that is no longer there.
fn entries(
    order: &LockedOrder,
    refund: &LockedRefund,
    after: RefundState,
) -> Option<Vec<EntryKind>> {
    match (refund.state.holds_money(), after) {
        (true, RefundState::Succeeded) => Some(vec![EntryKind::RefundSucceeded]),
        (true, RefundState::Failed | RefundState::Declined) => {
            Some(vec![EntryKind::RefundReleased])
        }
        (false, RefundState::Succeeded) => {
            let payment =
                order.payments.iter().find(|payment| payment.payment_id == refund.payment_id)?;
            let free = payment.amount.minus(payment.refunding).unwrap_or(Fen::ZERO);
            (refund.amount <= free && shares_still_hold(order, payment, refund))
                .then(|| vec![EntryKind::RefundRequested, EntryKind::RefundSucceeded])
        }
        (
            _,
            RefundState::PendingApproval
            | RefundState::Submitted
            | RefundState::Unknown
            | RefundState::Processing
            | RefundState::Abnormal,
        )
        | (false, RefundState::Failed | RefundState::Declined) => Some(Vec::new()),
    }
}

fn shares_still_hold(order: &LockedOrder, payment: &LockedPayment, refund: &LockedRefund) -> bool {
    refund.shares.iter().all(|share| {
        let Some(fee_id) = &share.fee_id else {
            let free = payment.surplus.minus(payment.surplus_refunding).unwrap_or(Fen::ZERO);
            return share.amount_fen <= free;
        };
        let fee = order.fees.iter().find(|fee| fee.fee_id == *fee_id);
        fee.is_some_and(|fee| fee.left_at_provider() >= share.amount_fen)
    })
}
