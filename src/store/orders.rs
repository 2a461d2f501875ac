//! Orders, as the API shows them and as a judgement needs them.

mod locked;
mod placing;
mod record;

use std::collections::BTreeSet;

use deadpool_postgres::GenericClient;
use domain::ids::{MerchantId, OrderId};
use jiff::Timestamp;
use tokio_postgres::types::Json;

use super::queries::Share;
use super::unit::{Sent, together};
use super::{StoreError, change, documents, load, sql, typed};

pub(crate) use locked::{LockedBooks, lock_by_number};
pub use placing::{Answered, NewOrder, Placed, Told, answered, insert, placed, write};
pub use record::{AllocatedFee, FeeShare, OrderRecord, OrderRefund, PartOf, PaymentRecord, shares};

/// Orders by id, in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<OrderRecord>, StoreError> {
    load(client, sql::ORDERS_LOAD, &[&ids]).await
}

/// The numbers of those among orders, merchant by number, that somebody else has locked. The others
/// are locked by asking until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn held(
    client: &impl GenericClient,
    merchants: &[&str],
    numbers: &[&str],
) -> Result<BTreeSet<String>, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_HELD).await?;
    let rows = client.query(&statement, &[&merchants, &numbers]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Locks orders by id, then the balances of their fees, and reads them.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<OrderRecord>, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_LOCK).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    read_locked(client, &ids).await
}

/// Reads after locking, in a statement of its own: one that waited for a lock would see the rows
/// beside it as they were before it waited.
async fn read_locked(
    client: &impl GenericClient,
    ids: &[String],
) -> Result<Vec<OrderRecord>, StoreError> {
    let lock = Sent::of(sql::FEE_BALANCES_LOCK, vec![&ids]);
    let read = Sent::of(sql::ORDERS_LOAD, vec![&ids]);
    let orders = together(client, vec![lock, read]).await?.next_back().unwrap_or_default();
    documents(&orders)
}

/// The sealed call that placed an order.
///
/// # Errors
/// When the database does not answer.
pub async fn place_call(
    client: &impl GenericClient,
    order_id: &OrderId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_PLACE_CALL).await?;
    let row = client.query_opt(&statement, &[&order_id.as_str()]).await?;
    Ok(row.map(|row| row.try_get("place_call")).transpose()?)
}

/// Says that the call that places an order leaves at `at`, which is now.
///
/// # Errors
/// When the database does not answer.
pub async fn placing(
    client: &impl GenericClient,
    order_id: &OrderId,
    at: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::ORDERS_PLACING, &[&order_id.as_str(), &at]).await?;
    Ok(())
}

/// Says since when an order is being taken back; `None`: its provider has answered.
///
/// # Errors
/// When the database does not answer.
pub async fn closing(
    client: &impl GenericClient,
    order_id: &OrderId,
    since: Option<Timestamp>,
) -> Result<(), StoreError> {
    change(client, sql::ORDERS_CLOSING, &[&order_id.as_str(), &since]).await?;
    Ok(())
}

/// Keeps what the payer needs, given by the provider at `at`; false when the order is not pending.
///
/// # Errors
/// When the database does not answer.
pub async fn offered(
    client: &impl GenericClient,
    order_id: &OrderId,
    pay: &serde_json::Value,
    at: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::ORDERS_OFFERED, &[&order_id.as_str(), &Json(pay), &at]).await
}

/// Leases orders of a merchant whose query is due, at most `limit`, and takes a query for each
/// from the share of those who follow orders.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    merchant: &MerchantId,
    now: Timestamp,
    limit: i64,
    share: &Share,
) -> Result<Vec<OrderId>, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_CLAIM).await?;
    let Share { whole, own, .. } = share;
    let rows = client.query(&statement, &[&merchant.as_str(), &now, &limit, whole, own]).await?;
    rows.iter().map(|row| typed("orders.order_id", row.try_get(0)?)).collect()
}

/// Renews the leases of orders that are in hand, where nobody else may have them by now.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(client: &impl GenericClient, orders: &[OrderId]) -> Result<(), StoreError> {
    let ids: Vec<&str> = orders.iter().map(OrderId::as_str).collect();
    change(client, sql::ORDERS_RENEW, &[&ids]).await?;
    Ok(())
}

/// When an order, or a whole of several, is asked for next.
#[derive(Clone, Copy, Debug)]
pub struct NextQuery {
    /// Then; `None`: never again.
    pub at: Option<Timestamp>,
    /// Not later than then, where somebody has opened its page meanwhile.
    pub watched: Timestamp,
    /// How often it was asked for.
    pub queries: i32,
    /// The time now.
    pub now: Timestamp,
}

/// Says when an order is asked for next, and ends its lease.
///
/// # Errors
/// When the database does not answer.
pub async fn reschedule(
    client: &impl GenericClient,
    order_id: &OrderId,
    next: &NextQuery,
) -> Result<(), StoreError> {
    let NextQuery { at, watched, queries, now } = next;
    change(client, sql::ORDERS_RESCHEDULE, &[&order_id.as_str(), at, queries, now, watched])
        .await?;
    Ok(())
}

/// Says that a close got no answer, and when it is asked about; `wanted_at`: somebody wants it
/// closed, and not only its time is over.
///
/// # Errors
/// When the database does not answer.
pub async fn close_unsaid(
    client: &impl GenericClient,
    order_id: &OrderId,
    wanted_at: Option<Timestamp>,
    next: &NextQuery,
) -> Result<(), StoreError> {
    let NextQuery { at, watched, now, .. } = next;
    let id = order_id.as_str();
    change(client, sql::ORDERS_CLOSE_UNSAID, &[&id, &wanted_at, at, now, watched]).await?;
    Ok(())
}

/// That somebody has a page open.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// The time now.
    pub now: Timestamp,
    /// Until when the page counts as open.
    pub until: Timestamp,
    /// A query that is due later than then comes now.
    pub soon: Timestamp,
    /// What is known to be watched until then or longer is not written again.
    pub renew: Timestamp,
}

/// Says that somebody has an order's page open; false when nothing was written. It waits for
/// nobody.
///
/// # Errors
/// When the database does not answer.
pub async fn watch(
    client: &impl GenericClient,
    order_id: &OrderId,
    watch: &Watch,
) -> Result<bool, StoreError> {
    let Watch { now, until, soon, renew } = watch;
    change(client, sql::ORDERS_WATCH, &[&order_id.as_str(), now, until, soon, renew]).await
}
