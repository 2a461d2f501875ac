//! Takes a request for a refund: checks it against the locked books, reserves the money and posts
//! the promise, all in one transaction; only then is the provider asked.

use adapters::provider::NewRefund as ProviderRefund;
use domain::Fen;
use domain::ids::{ApplicationId, FeeId, OrderId, OutRefundNo, PaymentId, RefundId};
use domain::journal::Share;
use domain::order::OrderState;
use domain::provider::PaidThrough;
use domain::refund::RefundState;
use domain::treasury::Route;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::shares::{Books, Taken, Wanted, surplus_left, take, take_from};
use super::{call_context, load, send, treasury};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::record::{Effects, TreasuryMove, commit};
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::orders::{self, OrderRecord, PaymentRecord};
use crate::store::refunds::{self, Duplicate, NewRefund, RefundRecord};
use crate::store::remittances;

/// When a written refund that never got an answer is picked up: longer than an answer may take.
pub(super) const PICK_UP: SignedDuration = SignedDuration::from_secs(30);
/// What the payer of a duplicate reads: the same fee was paid twice.
const DUPLICATE: &str = "重复支付";
/// Who asks for the refund of a duplicate.
const HUB: &str = "payhub";
/// The longest reason, in characters; providers show about 80.
const LONGEST_REASON: usize = 80;

/// `POST /v1/orders/{id}/refunds`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// How much, in fen.
    pub amount_fen: Fen,
    /// Why, as the payer reads it.
    pub reason: String,
    /// The backend's own number for it.
    #[serde(default)]
    pub out_refund_no: Option<OutRefundNo>,
    /// From which fees.
    #[serde(default)]
    pub allocations: Option<Vec<WantedShare>>,
    /// Whether the office found the error itself: the treasury's way is shorter then.
    #[serde(default)]
    pub found_by_office: bool,
}

/// A part of a refund that the backend wants taken from a fee.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedShare {
    /// The fee.
    pub fee_id: FeeId,
    /// How much.
    pub amount_fen: Fen,
}

/// What asking for a refund gave.
#[derive(Clone, Debug)]
pub enum Requested {
    /// A new refund.
    New(Box<RefundRecord>),
    /// The refund with that number and amount.
    Same(Box<RefundRecord>),
}

/// Asks for a refund.
///
/// # Errors
/// 404 no such order, 409 the number is used for another amount, 422 more than is left.
pub async fn request(
    hub: &Hub,
    application: &ApplicationId,
    order_id: &str,
    request: &RefundRequest,
) -> Result<Requested, Fault> {
    let order = crate::orders::get(hub, application, order_id).await?;
    check(request)?;
    let number = match &request.out_refund_no {
        Some(number) => number.clone(),
        None => OutRefundNo::new(Uuid::now_v7()),
    };
    if let Some(same) = known(hub, &order, &number, request).await? {
        return Ok(Requested::Same(Box::new(same)));
    }
    let asked = Asked { order_id: &order.id, number: &number, request, duplicate: None };
    let refund_id = match write(hub, &asked).await {
        Ok(refund_id) => refund_id,
        // The same request twice at once: the first one wrote it.
        Err(Unwritten::Raced) => {
            return match known(hub, &order, &number, request).await? {
                Some(same) => Ok(Requested::Same(Box::new(same))),
                None => Err(Fault::unavailable("the refund is being written; ask again")),
            };
        }
        Err(Unwritten::Fault(fault)) => return Err(*fault),
    };
    let refund = load(hub, &refund_id).await?;
    if refund.status == RefundState::Submitted {
        send::send(hub, &refund, send::Turn::First).await?;
    }
    Ok(Requested::New(Box::new(load(hub, &refund_id).await?)))
}

/// Asks for the refund of a duplicate in the hub's own name; nothing happens when somebody asked
/// for it first.
///
/// # Errors
/// When it cannot be written.
pub(super) async fn give_back(
    hub: &Hub,
    duplicate: &Duplicate,
    number: &OutRefundNo,
) -> Result<(), Fault> {
    let request = RefundRequest {
        amount_fen: duplicate.amount,
        reason: DUPLICATE.to_owned(),
        out_refund_no: None,
        allocations: None,
        found_by_office: false,
    };
    let (order_id, duplicate) = (&duplicate.order_id, Some(&duplicate.payment_id));
    let asked = Asked { order_id, number, request: &request, duplicate };
    let refund_id = match write(hub, &asked).await {
        Ok(refund_id) => refund_id,
        Err(Unwritten::Raced) => return Ok(()),
        Err(Unwritten::Fault(fault)) => return Err(*fault),
    };
    let refund = load(hub, &refund_id).await?;
    if refund.status == RefundState::Submitted {
        send::send(hub, &refund, send::Turn::First).await?;
    }
    Ok(())
}

fn check(request: &RefundRequest) -> Result<(), Fault> {
    if !request.amount_fen.is_payable() {
        return Err(Fault::invalid("amount_invalid", "amount_fen must be between 1 and 10^10"));
    }
    let length = request.reason.trim().chars().count();
    if length == 0 || length > LONGEST_REASON || request.reason.chars().any(char::is_control) {
        return Err(Fault::invalid(
            "reason_invalid",
            format!("reason must have 1 to {LONGEST_REASON} characters and no control characters"),
        ));
    }
    Ok(())
}

async fn known(
    hub: &Hub,
    order: &OrderRecord,
    number: &OutRefundNo,
    request: &RefundRequest,
) -> Result<Option<RefundRecord>, Fault> {
    let client = hub.store.client().await?;
    let Some((refund_id, of_order, amount)) =
        refunds::by_number(&client, &order.merchant_id, number).await?
    else {
        return Ok(None);
    };
    if of_order != order.id || amount != request.amount_fen {
        return Err(Fault::conflict(
            "refund_number_reused",
            format!("out_refund_no {number} was used for another order or amount"),
        ));
    }
    drop(client);
    Ok(Some(load(hub, &refund_id).await?))
}

/// Why a refund was not written.
enum Unwritten {
    /// The same number came first.
    Raced,
    /// It may not be.
    Fault(Box<Fault>),
}

impl<F: Into<Fault>> From<F> for Unwritten {
    fn from(fault: F) -> Self {
        Self::Fault(Box::new(fault.into()))
    }
}

/// A refund to be written.
struct Asked<'a> {
    order_id: &'a OrderId,
    number: &'a OutRefundNo,
    request: &'a RefundRequest,
    /// The payment that the hub itself gives back whole.
    duplicate: Option<&'a PaymentId>,
}

/// What the refund takes.
fn taken<'a>(
    books: Books<'a>,
    asked: &Asked<'_>,
    wanted: Wanted<'_>,
) -> Result<Taken<'a>, Unwritten> {
    let amount = asked.request.amount_fen;
    let Some(duplicate) = asked.duplicate else { return Ok(take(books, amount, wanted)?) };
    let payments = &books.order.payments;
    let payment = payments
        .iter()
        .find(|payment| payment.id == *duplicate && surplus_left(payment) >= amount)
        .ok_or(Unwritten::Raced)?;
    Ok(take_from(books, payment, amount, None)?)
}

async fn write(hub: &Hub, asked: &Asked<'_>) -> Result<RefundId, Unwritten> {
    let Asked { order_id, number, request, duplicate } = *asked;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let order = orders::lock(&tx, &[order_id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| Fault::not_found("order"))?;
    if order.status != OrderState::Paid {
        let detail = format!("order {} is {}, only a paid one is refunded", order.id, order.status);
        return Err(Fault::conflict("order_not_paid", detail).into());
    }
    let amount = request.amount_fen;
    let wanted: Option<Vec<(FeeId, Fen)>> = request.allocations.as_ref().map(|wanted| {
        wanted.iter().map(|share| (share.fee_id.clone(), share.amount_fen)).collect()
    });
    let remitted = remittances::of_order(&tx, &order.id).await?;
    let books = Books { order: &order, remitted: &remitted };
    let taken = taken(books, asked, wanted.as_deref())?;
    let refund_id = RefundId::new(Uuid::now_v7());
    let sealed = match taken.route {
        Route::Provider if order.provider == PaidThrough::Bank => {
            let detail = format!(
                "order {} is a transfer at the bank, and no provider can give it back: remit the fee \
                 and let the treasury refund it, or pay it back from the collecting account by hand",
                order.id
            );
            return Err(Fault::conflict("paid_by_transfer", detail).into());
        }
        Route::Provider => {
            let merchant = crate::orders::merchant_of(hub, &order)?;
            Some(call(hub, merchant, &order, taken.payment, (&refund_id, number, request))?)
        }
        Route::Treasury => None,
    };
    let waits = hub.policy.refund_approval.is_needed_for(amount);
    let now = hub.clock.now();
    let (state, next_query_at) = beginning(waits, taken.route, request.found_by_office, now)?;
    let new = NewRefund {
        refund_id: &refund_id,
        application_id: &order.application_id,
        merchant_id: &order.merchant_id,
        order_id: &order.id,
        payment_id: &taken.payment.id,
        out_refund_no: number,
        amount,
        surplus: taken.surplus,
        reason: request.reason.trim(),
        state,
        requested_by: if duplicate.is_some() { HUB } else { order.application_id.as_str() },
        route: taken.route,
        found_by_office: request.found_by_office,
        refund_call: sealed.as_deref(),
        now,
        next_query_at,
        fees: &taken.fees,
    };
    match refunds::insert(&tx, &new).await {
        Err(error) if error.constraint() == Some("a_refund_number_is_used_once") => {
            return Err(Unwritten::Raced);
        }
        done => done?,
    }
    let effects = reserved(&tx, &new, &reserved_shares(&taken)).await?;
    commit(hub, tx, effects).await?;
    Ok(refund_id)
}

/// In which state a refund begins, and when it is looked at if nothing happens.
fn beginning(
    waits: bool,
    route: Route,
    found_by_office: bool,
    now: Timestamp,
) -> Result<(RefundState, Option<Timestamp>), Fault> {
    match (waits, route) {
        (true, Route::Provider | Route::Treasury) => Ok((RefundState::PendingApproval, None)),
        (false, Route::Provider) => {
            let pick_up = now.saturating_add(PICK_UP).unwrap_or(Timestamp::MAX);
            Ok((RefundState::Submitted, Some(pick_up)))
        }
        (false, Route::Treasury) => {
            Ok((RefundState::Processing, treasury::first_look(found_by_office, now)?))
        }
    }
}

/// What reserves the money of a written refund, and begins its way where that is the treasury's.
async fn reserved(
    tx: &impl deadpool_postgres::GenericClient,
    new: &NewRefund<'_>,
    shares: &[Share],
) -> Result<Effects, Fault> {
    let mut effects = Effects::new(new.now);
    let refund = (new.refund_id, new.payment_id, new.amount);
    match new.route {
        Route::Provider => effects.reserve(new.merchant_id, refund, shares)?,
        Route::Treasury => {
            effects.treasury(TreasuryMove::Requested, new.merchant_id, refund, shares, new.now)?;
            if new.state == RefundState::Processing {
                treasury::begin(tx, new.refund_id, new.requested_by, new.now).await?;
            }
        }
    }
    Ok(effects)
}

fn reserved_shares(taken: &Taken<'_>) -> Vec<Share> {
    let surplus =
        (taken.surplus > Fen::ZERO).then_some(Share { fee_id: None, amount_fen: taken.surplus });
    taken
        .fees
        .iter()
        .map(|(fee, part)| Share { fee_id: Some(fee.clone()), amount_fen: *part })
        .chain(surplus)
        .collect()
}

/// The sealed call that asks for the refund.
fn call(
    hub: &Hub,
    merchant: &Merchant,
    order: &OrderRecord,
    payment: &PaymentRecord,
    refund: (&RefundId, &OutRefundNo, &RefundRequest),
) -> Result<Vec<u8>, Fault> {
    let (refund_id, number, request) = refund;
    let call = merchant
        .provider
        .refund(&ProviderRefund {
            out_trade_no: &order.out_trade_no,
            provider_trade_no: &payment.provider_trade_no,
            out_refund_no: number,
            amount: request.amount_fen,
            total: payment.amount_fen,
            reason: request.reason.trim(),
            notify_url: &merchant.notify_url,
            paid_at: payment.paid_at,
            now: hub.clock.now(),
            earlier: earlier(order, payment),
        })
        .map_err(|limit| Fault::invalid("limit", limit.to_string()).with("field", limit.field))?;
    let call = serde_json::to_vec(&call).map_err(|error| Fault::internal(&error))?;
    Ok(hub.sealer.seal(Purpose::Call, &call, call_context(refund_id).as_bytes())?)
}

/// How many refunds of a payment its provider has, that did not fail.
fn earlier(order: &OrderRecord, payment: &PaymentRecord) -> u32 {
    let of_payment = order.refunds.iter().filter(|refund| refund.payment_id == payment.id);
    let count = of_payment
        .filter(|refund| refund.route == Route::Provider && refund.status.holds_money())
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The payment that a refund takes from, for whoever releases it.
pub(super) fn taken_from(refund: &RefundRecord) -> (&RefundId, &PaymentId, Fen) {
    (&refund.id, &refund.payment_id, refund.amount_fen)
}
