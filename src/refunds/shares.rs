//! From what a refund is taken: surplus first, because it settles nothing, then the fees in the
//! order of the order, or as the backend says. Only then is it asked by which way that money comes
//! back: what was paid over to the treasury comes back from there alone, and a refund goes one way.

use domain::Fen;
use domain::ids::{FeeId, PaymentId};
use domain::treasury::Route;
use serde_json::{Value, json};

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

/// How a refund divides over one payment.
#[derive(Debug)]
struct Division {
    surplus: Fen,
    fees: Vec<(FeeId, Fen)>,
}

/// Takes `amount` out of the books. How it divides says by which way it goes, never the other way
/// round: money that is at the treasury does not send a refund to another fee.
///
/// # Errors
/// 422 when no payment has that much left, when the backend's own allocation does not fit, or when
/// its parts go different ways: then the answer says which goes by which.
pub(super) fn take<'a>(
    books: Books<'a>,
    amount: Fen,
    wanted: Wanted<'_>,
) -> Result<Taken<'a>, Fault> {
    let mut refused = None;
    for payment in candidates(books, amount, wanted)? {
        match take_from(books, payment, amount, wanted) {
            Ok(taken) => return Ok(taken),
            // The best candidate's reason is the one to be told.
            Err(fault) => refused = refused.or(Some(fault)),
        }
    }
    Err(refused.unwrap_or_else(|| exceeds(amount, Fen::ZERO)))
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

/// The refusal of a refund whose parts go different ways, with what goes by which.
fn mixed(books: Books<'_>, payment: &PaymentRecord, division: &Division) -> Fault {
    let (mut by_provider, mut by_treasury) = (Vec::new(), Vec::new());
    for (fee_id, part) in &division.fees {
        let here = left_by(books, payment, fee_id, Route::Provider).min(*part);
        by_provider.push((fee_id, here));
        by_treasury.push((fee_id, part.minus(here).unwrap_or(Fen::ZERO)));
    }
    let sum = |parts: &[(&FeeId, Fen)]| Fen::sum(parts.iter().map(|(_, part)| *part));
    let provider = sum(&by_provider).and_then(|fees| fees.plus(division.surplus));
    let (provider, treasury) =
        (provider.unwrap_or_default(), sum(&by_treasury).unwrap_or_default());
    let shown = |parts: Vec<(&FeeId, Fen)>| -> Value {
        let parts = parts.into_iter().filter(|(_, part)| *part > Fen::ZERO);
        parts.map(|(fee, part)| json!({"fee_id": fee, "amount_fen": part})).collect()
    };
    Fault::invalid(
        "refund_routes_mixed",
        format!(
            "a part of the money is at the treasury: {} fen go back through the provider and {} \
             fen are paid by the treasury; ask for each alone, with its allocations",
            provider.get(),
            treasury.get()
        ),
    )
    .with("provider_fen", provider.get())
    .with("provider_allocations", shown(by_provider))
    .with("surplus_fen", division.surplus.get())
    .with("treasury_fen", treasury.get())
    .with("treasury_allocations", shown(by_treasury))
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

/// What is left of a fee's share in a payment by one way.
fn left_by(books: Books<'_>, payment: &PaymentRecord, fee_id: &FeeId, route: Route) -> Fen {
    fee_left(books, payment, fee_id, Some(route)).unwrap_or(Fen::ZERO).max(Fen::ZERO)
}

/// Takes `amount` from one payment.
///
/// # Errors
/// 422 when the backend's own allocation does not add up, more is asked for than is left, or its
/// parts go different ways.
pub(super) fn take_from<'a>(
    books: Books<'a>,
    payment: &'a PaymentRecord,
    amount: Fen,
    wanted: Wanted<'_>,
) -> Result<Taken<'a>, Fault> {
    let division = match wanted {
        Some(wanted) => as_wanted(books, payment, amount, wanted)?,
        None => in_order(books, payment, amount)?,
    };
    let Some(route) = route_of(books, payment, &division) else {
        return Err(mixed(books, payment, &division));
    };
    Ok(Taken { payment, route, surplus: division.surplus, fees: division.fees })
}

/// The way on which all parts of a division can go; `None` when there is none. Surplus is no fee: it
/// never goes to the treasury.
fn route_of(books: Books<'_>, payment: &PaymentRecord, division: &Division) -> Option<Route> {
    [Route::Provider, Route::Treasury].into_iter().find(|route| {
        (*route == Route::Provider || division.surplus == Fen::ZERO)
            && division
                .fees
                .iter()
                .all(|(fee_id, part)| *part <= left_by(books, payment, fee_id, *route))
    })
}

fn as_wanted(
    books: Books<'_>,
    payment: &PaymentRecord,
    amount: Fen,
    wanted: &[(FeeId, Fen)],
) -> Result<Division, Fault> {
    let wrong = |detail: String| Fault::invalid("allocations_invalid", detail);
    if Fen::sum(wanted.iter().map(|(_, part)| *part)) != Some(amount) {
        return Err(wrong(format!("allocations do not add up to amount_fen {}", amount.get())));
    }
    for (index, (fee_id, part)) in wanted.iter().enumerate() {
        if wanted.iter().filter(|(other, _)| other == fee_id).count() > 1 {
            return Err(wrong(format!("allocations[{index}]: {fee_id} stands twice")));
        }
        let left = fee_left(books, payment, fee_id, None).ok_or_else(|| {
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
    Ok(Division { surplus: Fen::ZERO, fees: wanted.to_vec() })
}

fn in_order(books: Books<'_>, payment: &PaymentRecord, amount: Fen) -> Result<Division, Fault> {
    let surplus = surplus_left(payment).min(amount);
    let mut rest = amount.minus(surplus).unwrap_or(Fen::ZERO);
    let mut fees = Vec::new();
    for fee in &books.order.fees {
        let left = fee_left(books, payment, &fee.fee_id, None).unwrap_or(Fen::ZERO);
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
    Ok(Division { surplus, fees })
}
