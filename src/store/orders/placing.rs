//! What is written of an order before its provider is asked, and after: each in one statement, which
//! is a transaction of its own where the caller has none.

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, FeeId, MerchantId, OrderId, OutTradeNo};
use domain::money::Fen;
use domain::order::OrderState;
use domain::provider::Provider;
use jiff::Timestamp;
use tokio_postgres::types::Json;

use super::NextQuery;
use crate::store::callbacks::ProviderCall;
use crate::store::fees::Balance;
use crate::store::idempotency::{Held, NewKey};
use crate::store::{StoreError, change, sql};

/// An order to be written down before its provider is asked.
#[derive(Debug)]
pub struct NewOrder<'a> {
    /// Its id.
    pub order_id: &'a OrderId,
    /// Who asked for it.
    pub application_id: &'a ApplicationId,
    /// Through which merchant.
    pub merchant_id: &'a MerchantId,
    /// Which provider that is.
    pub provider: Provider,
    /// The product's word.
    pub product: &'a str,
    /// Its number for ever.
    pub out_trade_no: &'a OutTradeNo,
    /// What is to be paid.
    pub amount: Fen,
    /// What the payer reads.
    pub subject: &'a str,
    /// The sealed call that places it.
    pub place_call: &'a [u8],
    /// When it is written.
    pub now: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// When the call that places it leaves: at once, or later, which is then written first.
    pub placing_at: Option<Timestamp>,
    /// When it is asked for if no answer is ever written; a part is asked for with its whole.
    pub next_query_at: Option<Timestamp>,
    /// Its fees and what it brings for each, in order.
    pub allocations: &'a [(FeeId, Fen)],
}

/// Writes an order down with its allocations; it is its fees' live order from now on.
///
/// # Errors
/// `one_live_order_per_fee` when another order came first.
pub async fn insert(client: &impl GenericClient, order: &NewOrder<'_>) -> Result<(), StoreError> {
    change(
        client,
        sql::ORDERS_INSERT,
        &[
            &order.order_id.as_str(),
            &order.application_id.as_str(),
            &order.merchant_id.as_str(),
            &order.provider.as_str(),
            &order.product,
            &order.out_trade_no.as_str(),
            &order.amount.get(),
            &order.subject,
            &order.place_call,
            &order.now,
            &order.expires_at,
            &order.placing_at,
            &order.next_query_at,
        ],
    )
    .await?;
    let fees: Vec<&str> = order.allocations.iter().map(|(fee, _)| fee.as_str()).collect();
    let amounts: Vec<i64> = order.allocations.iter().map(|(_, amount)| amount.get()).collect();
    change(client, sql::ORDER_ALLOCATIONS_INSERT, &[&order.order_id.as_str(), &fees, &amounts])
        .await?;
    Ok(())
}

/// Writes an order down with all that it begins with, as the live order of its fees, and takes the
/// key under which it is asked for; the key's lease, 0 where there is no key. `None`, and nothing
/// is written: the key is known, or a fee does not stand any more as in `balances`.
///
/// # Errors
/// `one_live_order_per_fee` when another order came first.
pub async fn write(
    client: &impl GenericClient,
    order: &NewOrder<'_>,
    payer_index: Option<&[u8]>,
    balances: &[Balance],
    key: Option<&NewKey<'_>>,
) -> Result<Option<i64>, StoreError> {
    let paid_fen = |fee_id: &FeeId| {
        let balance = balances.iter().find(|balance| balance.fee_id == *fee_id);
        balance.map(|balance| balance.facts.paid.get())
    };
    let fees: Vec<&str> = order.allocations.iter().map(|(fee, _)| fee.as_str()).collect();
    let amounts: Vec<i64> = order.allocations.iter().map(|(_, amount)| amount.get()).collect();
    let paid: Vec<Option<i64>> = order.allocations.iter().map(|(fee, _)| paid_fen(fee)).collect();
    let statement = client.prepare_cached(sql::ORDERS_WRITE).await?;
    let rows = client
        .query(
            &statement,
            &[
                &order.order_id.as_str(),
                &order.application_id.as_str(),
                &order.merchant_id.as_str(),
                &order.provider.as_str(),
                &order.product,
                &order.out_trade_no.as_str(),
                &order.amount.get(),
                &order.subject,
                &order.place_call,
                &order.now,
                &order.expires_at,
                &order.placing_at,
                &order.next_query_at,
                &payer_index,
                &fees,
                &amounts,
                &paid,
                &key.map(|key| key.key),
                &key.map(|key| key.call),
                &key.map(|key| key.body_hash),
            ],
        )
        .await?;
    Ok(rows.first().map(|row| row.try_get("lease")).transpose()?)
}

/// What an answer changes in an order.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The order.
    pub order_id: &'a OrderId,
    /// The state that it must still have.
    pub before: OrderState,
    /// The state that it has then.
    pub after: OrderState,
    /// What the payer needs and since when he has it, when the answer brought it.
    pub pay: Option<(&'a serde_json::Value, Timestamp)>,
    /// Why the provider refused it: reason, code, text.
    pub refused: Option<(&'a str, &'a str, &'a str)>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When it was superseded.
    pub superseded_at: Option<Timestamp>,
    /// When it is asked for next.
    pub next: NextQuery,
}

/// Writes an answer; false when the order's state moved meanwhile, and nothing was written. An
/// order that can no longer be paid frees its fees.
///
/// # Errors
/// When the database does not answer.
pub async fn answered(
    client: &impl GenericClient,
    answer: &Answered<'_>,
) -> Result<bool, StoreError> {
    Ok(placed(client, answer, None, None).await?.order)
}

/// An answer for whoever asked for an order: his key, status and body.
pub type Told<'a> = (Held<'a>, u16, &'a [u8]);

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Whether the order has it: its state had not moved meanwhile.
    pub order: bool,
    /// Whether the key has its answer.
    pub key: bool,
}

/// Writes an answer as [`answered`] does, and with it the `call` that brought it, as evidence even
/// where the order's state moved meanwhile, and what who asked for the order is `told`, unless it
/// moved.
///
/// # Errors
/// When the database does not answer.
pub async fn placed(
    client: &impl GenericClient,
    answer: &Answered<'_>,
    call: Option<&ProviderCall<'_>>,
    told: Option<Told<'_>>,
) -> Result<Placed, StoreError> {
    let (reason, code, message) = match answer.refused {
        Some((reason, code, message)) => (Some(reason), Some(code), Some(message)),
        None => (None, None, None),
    };
    let statement = client.prepare_cached(sql::ORDERS_ANSWERED).await?;
    let rows = client
        .query(
            &statement,
            &[
                &answer.order_id.as_str(),
                &answer.before.as_str(),
                &answer.after.as_str(),
                &answer.pay.map(|(pay, _)| Json(pay)),
                &answer.pay.map(|(_, at)| at),
                &reason,
                &code,
                &message,
                &answer.closed_at,
                &answer.superseded_at,
                &answer.next.at,
                &answer.next.queries,
                &answer.next.now,
                &answer.next.watched,
                &!answer.after.is_live(),
                &call.map(|call| call.begun_at),
                &call.map(|call| call.merchant_id.as_str()),
                &call.map(|call| call.operation),
                &call.and_then(|call| call.subject_id),
                &call.and_then(|call| call.status),
                &call.map(|call| call.outcome),
                &call.map(|call| call.detail),
                &call.map(|call| call.sealed),
                &told.map(|(held, _, _)| held.application.as_str()),
                &told.map(|(held, _, _)| held.key),
                &told.map(|(held, _, _)| held.lease),
                &told.map(|(_, status, _)| i32::from(status)),
                &told.map(|(_, _, body)| body),
            ],
        )
        .await?;
    let row = rows
        .first()
        .ok_or(StoreError::Data { what: "orders_answered", detail: "no row".to_owned() })?;
    Ok(Placed { order: row.try_get("answered")?, key: row.try_get("told")? })
}
