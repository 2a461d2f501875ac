//! From what a refund is taken: surplus first, because it settles nothing, then the fees in the
//! order of the order, or as the backend says.

use domain::Fen;
use domain::ids::FeeId;

use crate::fault::Fault;
use crate::store::orders::{OrderRecord, PaymentRecord};

/// What a refund takes: from surplus, and from which fee how much.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) surplus: Fen,
    pub(super) fees: Vec<(FeeId, Fen)>,
}

/// The payment that a refund of `amount` can be taken from: the one that paid the `wanted` shares
/// and has them left, else one whose surplus covers it, else one that has that much left.
///
/// # Errors
/// 422 when no payment has that much left.
pub(super) fn payment_for<'a>(
    order: &'a OrderRecord,
    amount: Fen,
    wanted: Option<&[(FeeId, Fen)]>,
) -> Result<&'a PaymentRecord, Fault> {
    let holds_wanted = |payment: &&PaymentRecord| {
        wanted.is_some_and(|wanted| {
            wanted.iter().all(|(fee_id, part)| {
                fee_left(order, payment, fee_id).is_some_and(|left| left >= *part)
            })
        })
    };
    if let Some(payment) = order.payments.iter().find(holds_wanted) {
        return Ok(payment);
    }
    let free = |payment: &PaymentRecord| {
        payment.amount_fen.minus(payment.refunding_fen).unwrap_or(Fen::ZERO)
    };
    let with_surplus = order.payments.iter().filter(|payment| surplus_left(payment) >= amount);
    let with_enough = order.payments.iter().filter(|payment| free(payment) >= amount);
    with_surplus.chain(with_enough).next().ok_or_else(|| {
        let left = order.payments.iter().map(free).max().unwrap_or(Fen::ZERO);
        Fault::invalid(
            "refund_exceeds_payment",
            format!("amount_fen is {}, at most {} is left to refund", amount.get(), left.get()),
        )
        .with("refundable_fen", left.get())
    })
}

pub(super) fn surplus_left(payment: &PaymentRecord) -> Fen {
    payment.surplus_fen.minus(payment.surplus_refunding_fen).unwrap_or(Fen::ZERO).max(Fen::ZERO)
}

/// What is left of a fee's share in a payment.
fn fee_left(order: &OrderRecord, payment: &PaymentRecord, fee_id: &FeeId) -> Option<Fen> {
    let paid = payment.shares.iter().find(|share| share.fee_id == *fee_id)?.amount_fen;
    let held = order
        .refunds
        .iter()
        .filter(|refund| refund.payment_id == payment.id && refund.status.holds_money())
        .flat_map(|refund| &refund.shares)
        .filter(|share| share.fee_id == *fee_id)
        .map(|share| share.amount_fen);
    paid.minus(Fen::sum(held)?)
}

/// Divides `amount` over what is left of `payment`.
///
/// # Errors
/// 422 when the backend's own allocation does not add up or takes more than is left.
pub(super) fn divide(
    order: &OrderRecord,
    payment: &PaymentRecord,
    amount: Fen,
    wanted: Option<&[(FeeId, Fen)]>,
) -> Result<Taken, Fault> {
    match wanted {
        Some(wanted) => as_wanted(order, payment, amount, wanted),
        None => in_order(order, payment, amount),
    }
}

fn as_wanted(
    order: &OrderRecord,
    payment: &PaymentRecord,
    amount: Fen,
    wanted: &[(FeeId, Fen)],
) -> Result<Taken, Fault> {
    let wrong = |detail: String| Fault::invalid("allocations_invalid", detail);
    if Fen::sum(wanted.iter().map(|(_, part)| *part)) != Some(amount) {
        return Err(wrong(format!("allocations do not add up to amount_fen {}", amount.get())));
    }
    for (index, (fee_id, part)) in wanted.iter().enumerate() {
        if wanted.iter().filter(|(other, _)| other == fee_id).count() > 1 {
            return Err(wrong(format!("allocations[{index}]: {fee_id} stands twice")));
        }
        let left = fee_left(order, payment, fee_id).ok_or_else(|| {
            wrong(format!("allocations[{index}]: the order did not pay {fee_id}"))
        })?;
        if *part < Fen::new(1) || *part > left {
            return Err(wrong(format!(
                "allocations[{index}]: {} fen of {fee_id}, {} are left",
                part.get(),
                left.get()
            )));
        }
    }
    Ok(Taken { surplus: Fen::ZERO, fees: wanted.to_vec() })
}

fn in_order(order: &OrderRecord, payment: &PaymentRecord, amount: Fen) -> Result<Taken, Fault> {
    let surplus = surplus_left(payment).min(amount);
    let mut rest = amount.minus(surplus).unwrap_or(Fen::ZERO);
    let mut fees = Vec::new();
    for fee in &order.fees {
        let left = fee_left(order, payment, &fee.fee_id).unwrap_or(Fen::ZERO);
        let part = left.min(rest);
        if part > Fen::ZERO {
            fees.push((fee.fee_id.clone(), part));
            rest = rest.minus(part).unwrap_or(Fen::ZERO);
        }
    }
    if rest > Fen::ZERO {
        return Err(Fault::invalid(
            "refund_exceeds_payment",
            format!("{} fen are more than is left to refund", rest.get()),
        ));
    }
    Ok(Taken { surplus, fees })
}
