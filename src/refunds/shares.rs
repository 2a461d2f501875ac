//! From what a refund is taken: surplus first, because it settles nothing, then the fees in the
//! order of the order, or as the backend says. What was paid over to the treasury comes back from
//! there alone, so a refund is taken either from what was or from what was not, never from both.

use domain::Fen;
use domain::ids::{FeeId, PaymentId};
use domain::treasury::Route;

use crate::fault::Fault;
use crate::store::orders::{OrderRecord, PaymentRecord};

/// A locked order, and what of its payments' shares in fees was paid over to the treasury.
#[derive(Clone, Copy)]
pub(super) struct Books<'a> {
    pub(super) order: &'a OrderRecord,
    pub(super) remitted: &'a [(PaymentId, FeeId, Fen)],
}

/// What a refund takes: from which payment by which way, from surplus, and from which fee how much.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub(super) payment: &'a PaymentRecord,
    pub(super) route: Route,
    pub(super) surplus: Fen,
    pub(super) fees: Vec<(FeeId, Fen)>,
}

/// How the backend wants a refund divided.
pub(super) type Wanted<'a> = Option<&'a [(FeeId, Fen)]>;

/// Takes `amount` out of the books: by the provider where that has enough, else by the treasury.
///
/// # Errors
/// 422 when no payment has that much left, when the backend's own allocation does not fit, or when
/// only both ways together have it: then the answer says how much goes by which.
pub(super) fn take<'a>(
    books: Books<'a>,
    amount: Fen,
    wanted: Wanted<'_>,
) -> Result<Taken<'a>, Fault> {
    let payments = candidates(books, amount, wanted)?;
    for route in [Route::Provider, Route::Treasury] {
        let mut taken =
            payments.iter().map(|payment| take_from(books, payment, Some(route), amount, wanted));
        if let Some(Ok(taken)) = taken.find(Result::is_ok) {
            return Ok(taken);
        }
    }
    let mut either = payments.iter().map(|payment| take_from(books, payment, None, amount, wanted));
    let first = either.next().unwrap_or_else(|| Err(exceeds(amount, Fen::ZERO)));
    let there = first.or_else(|fault| either.find_map(Result::ok).ok_or(fault))?;
    Err(mixed(books, there.payment, amount, wanted))
}

/// The payments that a refund of `amount` may be taken from, best first: those that paid the
/// `wanted` shares and have them left, those whose surplus covers it, those that have that much
/// left.
fn candidates<'a>(
    books: Books<'a>,
    amount: Fen,
    wanted: Wanted<'_>,
) -> Result<Vec<&'a PaymentRecord>, Fault> {
    let payments = &books.order.payments;
    let holds_wanted = |payment: &&PaymentRecord| {
        wanted.is_some_and(|wanted| {
            wanted.iter().all(|(fee_id, part)| {
                fee_left(books, payment, fee_id, None).is_some_and(|left| left >= *part)
            })
        })
    };
    let free = |payment: &PaymentRecord| {
        payment.amount_fen.minus(payment.refunding_fen).unwrap_or(Fen::ZERO)
    };
    let with_wanted = payments.iter().filter(holds_wanted);
    let with_surplus = payments.iter().filter(|payment| surplus_left(payment) >= amount);
    let with_enough = payments.iter().filter(|payment| free(payment) >= amount);
    let found: Vec<_> = with_wanted.chain(with_surplus).chain(with_enough).collect();
    if found.is_empty() {
        return Err(exceeds(amount, payments.iter().map(free).max().unwrap_or(Fen::ZERO)));
    }
    Ok(found)
}

fn exceeds(amount: Fen, left: Fen) -> Fault {
    Fault::invalid(
        "refund_exceeds_payment",
        format!("amount_fen is {}, at most {} is left to refund", amount.get(), left.get()),
    )
    .with("refundable_fen", left.get())
}

/// The refusal of a refund of which a part was paid over to the treasury and a part was not.
fn mixed(books: Books<'_>, payment: &PaymentRecord, amount: Fen, wanted: Wanted<'_>) -> Fault {
    let left =
        |fee: &FeeId| fee_left(books, payment, fee, Some(Route::Provider)).unwrap_or(Fen::ZERO);
    let by_provider = match wanted {
        Some(wanted) => Fen::sum(wanted.iter().map(|(fee, part)| left(fee).min(*part))),
        None => Fen::sum(
            books.order.fees.iter().map(|fee| left(&fee.fee_id)).chain([surplus_left(payment)]),
        ),
    };
    let by_provider = by_provider.unwrap_or(Fen::ZERO).max(Fen::ZERO).min(amount);
    let by_treasury = amount.minus(by_provider).unwrap_or(Fen::ZERO);
    Fault::invalid(
        "refund_routes_mixed",
        format!(
            "a part of the money is at the treasury: ask for {} fen, which go back through the \
             provider, and apart from that for {} fen, which the treasury pays",
            by_provider.get(),
            by_treasury.get()
        ),
    )
    .with("provider_fen", by_provider.get())
    .with("treasury_fen", by_treasury.get())
}

pub(super) fn surplus_left(payment: &PaymentRecord) -> Fen {
    payment.surplus_fen.minus(payment.surplus_refunding_fen).unwrap_or(Fen::ZERO).max(Fen::ZERO)
}

/// What is left of a fee's share in a payment: by one way, or by both together. `None` when the
/// payment paid nothing for the fee.
fn fee_left(
    books: Books<'_>,
    payment: &PaymentRecord,
    fee_id: &FeeId,
    route: Option<Route>,
) -> Option<Fen> {
    let paid = payment.shares.iter().find(|share| share.fee_id == *fee_id)?.amount_fen;
    let held = books
        .order
        .refunds
        .iter()
        .filter(|refund| refund.payment_id == payment.id && refund.status.holds_money())
        .filter(|refund| route.is_none_or(|route| refund.route == route))
        .flat_map(|refund| &refund.shares)
        .filter(|share| share.fee_id == *fee_id)
        .map(|share| share.amount_fen);
    let remitted = books
        .remitted
        .iter()
        .filter(|(of, fee, _)| *of == payment.id && fee == fee_id)
        .map(|(_, _, amount)| *amount);
    let remitted = Fen::sum(remitted)?;
    let there = match route {
        None => paid,
        Some(Route::Provider) => paid.minus(remitted)?,
        Some(Route::Treasury) => remitted,
    };
    there.minus(Fen::sum(held)?)
}

/// Takes `amount` from one payment: by `route`, or by whichever way.
///
/// # Errors
/// 422 when the backend's own allocation does not add up, or more is asked for than is left.
pub(super) fn take_from<'a>(
    books: Books<'a>,
    payment: &'a PaymentRecord,
    route: Option<Route>,
    amount: Fen,
    wanted: Wanted<'_>,
) -> Result<Taken<'a>, Fault> {
    let (surplus, fees) = match wanted {
        Some(wanted) => (Fen::ZERO, as_wanted(books, payment, route, (amount, wanted))?),
        None => in_order(books, payment, route, amount)?,
    };
    Ok(Taken { payment, route: route.unwrap_or_default(), surplus, fees })
}

fn as_wanted(
    books: Books<'_>,
    payment: &PaymentRecord,
    route: Option<Route>,
    (amount, wanted): (Fen, &[(FeeId, Fen)]),
) -> Result<Vec<(FeeId, Fen)>, Fault> {
    let wrong = |detail: String| Fault::invalid("allocations_invalid", detail);
    if Fen::sum(wanted.iter().map(|(_, part)| *part)) != Some(amount) {
        return Err(wrong(format!("allocations do not add up to amount_fen {}", amount.get())));
    }
    for (index, (fee_id, part)) in wanted.iter().enumerate() {
        if wanted.iter().filter(|(other, _)| other == fee_id).count() > 1 {
            return Err(wrong(format!("allocations[{index}]: {fee_id} stands twice")));
        }
        let left = fee_left(books, payment, fee_id, route).ok_or_else(|| {
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
    Ok(wanted.to_vec())
}

fn in_order(
    books: Books<'_>,
    payment: &PaymentRecord,
    route: Option<Route>,
    amount: Fen,
) -> Result<(Fen, Vec<(FeeId, Fen)>), Fault> {
    let surplus = match route {
        None | Some(Route::Provider) => surplus_left(payment).min(amount),
        // Surplus is no fee: it never goes to the treasury.
        Some(Route::Treasury) => Fen::ZERO,
    };
    let mut rest = amount.minus(surplus).unwrap_or(Fen::ZERO);
    let mut fees = Vec::new();
    for fee in &books.order.fees {
        let left = fee_left(books, payment, &fee.fee_id, route).unwrap_or(Fen::ZERO);
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
    Ok((surplus, fees))
}
