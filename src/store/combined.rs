//! Combined orders: what holds the parts of one payment together. The parts are orders.

use deadpool_postgres::GenericClient;
use domain::combined::standing;
use domain::ids::{ApplicationId, CombinedId, MerchantId, OrderId, OutTradeNo};
use domain::money::Fen;
use domain::order::OrderState;
use jiff::Timestamp;
use serde::Deserialize;
use tokio_postgres::types::Json;

use super::orders::{self, NextQuery, OrderRecord, Watch};
use super::queries::Share;
use super::{StoreError, change, load as load_rows, sql, typed};

/// A combined order to be written down, after its parts.
#[derive(Debug)]
pub struct NewCombined<'a> {
    /// Its id.
    pub combined_id: &'a CombinedId,
    /// Who asked for it.
    pub application_id: &'a ApplicationId,
    /// Through which merchant the provider is asked and calls back.
    pub merchant_id: &'a MerchantId,
    /// The product's word.
    pub product: &'a str,
    /// Its number for ever.
    pub out_trade_no: &'a OutTradeNo,
    /// The sum of its parts.
    pub amount: Fen,
    /// The sealed call that places all of it.
    pub place_call: &'a [u8],
    /// When it is written.
    pub now: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// When it is asked for if no answer is ever written.
    pub next_query_at: Timestamp,
    /// Whom alone it is made for, unreadably; `None`: whoever comes.
    pub payer_index: Option<&'a [u8]>,
    /// Its parts with how the provider names their payees, in order.
    pub parts: &'a [(OrderId, String)],
}

/// A combined order as stored, with its parts.
#[derive(Clone, Debug)]
pub struct CombinedRecord {
    /// Its id.
    pub id: CombinedId,
    /// Whose it is.
    pub application_id: ApplicationId,
    /// Through which merchant.
    pub merchant_id: MerchantId,
    /// The product's word.
    pub product: String,
    /// Its number.
    pub out_trade_no: OutTradeNo,
    /// The sum of its parts.
    pub amount_fen: Fen,
    /// What the payer needs.
    pub pay: Option<serde_json::Value>,
    /// When that was given.
    pub placed_at: Option<Timestamp>,
    /// Whom alone it was made for, unreadably, in hexadecimal; `None`: whoever comes.
    pub payer_index: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// How often it was asked for since it last moved.
    pub queries: i32,
    /// Until when somebody has its page open, as far as the hub knows.
    pub watched_until: Option<Timestamp>,
    /// Since when somebody wants it closed whose provider has not said that it is.
    pub close_wanted_at: Option<Timestamp>,
    /// How many closes of it got no answer.
    pub closes: i32,
    /// Its parts, in order.
    pub parts: Vec<OrderRecord>,
}

/// The row of a combined order.
#[derive(Debug, Deserialize)]
struct Row {
    id: CombinedId,
    application_id: ApplicationId,
    merchant_id: MerchantId,
    product: String,
    out_trade_no: OutTradeNo,
    amount_fen: Fen,
    pay: Option<serde_json::Value>,
    placed_at: Option<Timestamp>,
    payer_index: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    queries: i32,
    watched_until: Option<Timestamp>,
    close_wanted_at: Option<Timestamp>,
    closes: i32,
    order_ids: Vec<OrderId>,
}

impl CombinedRecord {
    /// How the whole stands, after its parts.
    #[must_use]
    pub fn status(&self) -> OrderState {
        // A named constraint keeps parts in it; without any, nobody could know.
        standing(self.parts.iter().map(|part| part.status)).unwrap_or(OrderState::Unknown)
    }

    /// Whether any of it may still be paid.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.parts.iter().any(|part| part.status.is_live())
    }

    /// Whether any of it was given up while its code stayed payable.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.parts.iter().any(|part| part.superseded_at.is_some())
    }

    /// Whether another payment has settled a fee for which it still asks money.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        self.parts.iter().any(|part| part.status.is_live() && part.is_overtaken())
    }

    /// Whether it must be closed before its time is over: another payment has overtaken a part, or
    /// somebody wants it closed. It is not placed again, and not given out again.
    #[must_use]
    pub fn is_to_be_closed(&self) -> bool {
        self.close_wanted_at.is_some() || self.is_overtaken()
    }
}

/// Writes a combined order down and names its parts, which must stand there already.
///
/// # Errors
/// When the database does not take it.
pub async fn insert(
    client: &impl GenericClient,
    whole: &NewCombined<'_>,
) -> Result<(), StoreError> {
    change(
        client,
        sql::COMBINED_INSERT,
        &[
            &whole.combined_id.as_str(),
            &whole.application_id.as_str(),
            &whole.merchant_id.as_str(),
            &whole.product,
            &whole.out_trade_no.as_str(),
            &whole.amount.get(),
            &whole.place_call,
            &whole.now,
            &whole.expires_at,
            &whole.next_query_at,
            &whole.payer_index,
        ],
    )
    .await?;
    let orders: Vec<&str> = whole.parts.iter().map(|(order, _)| order.as_str()).collect();
    let payees: Vec<&str> = whole.parts.iter().map(|(_, payee)| payee.as_str()).collect();
    change(client, sql::COMBINED_PARTS_INSERT, &[&whole.combined_id.as_str(), &orders, &payees])
        .await?;
    Ok(())
}

/// A combined order with its parts.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    client: &impl GenericClient,
    combined_id: &str,
) -> Result<Option<CombinedRecord>, StoreError> {
    let Some(row) = load_rows::<Row>(client, sql::COMBINED_LOAD, &[&combined_id]).await?.pop()
    else {
        return Ok(None);
    };
    let ids: Vec<&str> = row.order_ids.iter().map(OrderId::as_str).collect();
    let mut parts = orders::by_ids(client, &ids).await?;
    parts.sort_by_key(|part| row.order_ids.iter().position(|id| *id == part.id));
    Ok(Some(CombinedRecord {
        id: row.id,
        application_id: row.application_id,
        merchant_id: row.merchant_id,
        product: row.product,
        out_trade_no: row.out_trade_no,
        amount_fen: row.amount_fen,
        pay: row.pay,
        placed_at: row.placed_at,
        payer_index: row.payer_index,
        created_at: row.created_at,
        expires_at: row.expires_at,
        queries: row.queries,
        watched_until: row.watched_until,
        close_wanted_at: row.close_wanted_at,
        closes: row.closes,
        parts,
    }))
}

/// The combined order of which a merchant's order is a part; `None`: it stands alone.
///
/// # Errors
/// When the database does not answer.
pub async fn of_part(
    client: &impl GenericClient,
    merchant: &MerchantId,
    number: &OutTradeNo,
) -> Result<Option<CombinedId>, StoreError> {
    let statement = client.prepare_cached(sql::COMBINED_BY_PART).await?;
    let row = client.query_opt(&statement, &[&merchant.as_str(), &number.as_str()]).await?;
    row.map(|row| typed("combined_parts.combined_id", row.try_get(0)?)).transpose()
}

/// The sealed call that places a combined order.
///
/// # Errors
/// When the database does not answer.
pub async fn place_call(
    client: &impl GenericClient,
    combined_id: &CombinedId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let statement = client.prepare_cached(sql::COMBINED_PLACE_CALL).await?;
    let row = client.query_opt(&statement, &[&combined_id.as_str()]).await?;
    Ok(row.map(|row| row.try_get("place_call")).transpose()?)
}

/// Leases combined orders of a merchant whose query is due, at most `limit`, and takes a query for
/// each from the share of those who follow orders.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    merchant: &MerchantId,
    now: Timestamp,
    limit: i64,
    share: &Share,
) -> Result<Vec<CombinedId>, StoreError> {
    let statement = client.prepare_cached(sql::COMBINED_CLAIM).await?;
    let Share { whole, own, .. } = share;
    let rows = client.query(&statement, &[&merchant.as_str(), &now, &limit, whole, own]).await?;
    rows.iter().map(|row| typed("combined_orders.combined_id", row.try_get(0)?)).collect()
}

/// Renews the leases of combined orders that are in hand, where nobody else may have them by now.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(client: &impl GenericClient, wholes: &[CombinedId]) -> Result<(), StoreError> {
    let ids: Vec<&str> = wholes.iter().map(CombinedId::as_str).collect();
    change(client, sql::COMBINED_RENEW, &[&ids]).await?;
    Ok(())
}

/// Says when a combined order is asked for next, and ends its lease.
///
/// # Errors
/// When the database does not answer.
pub async fn reschedule(
    client: &impl GenericClient,
    combined_id: &CombinedId,
    next: &NextQuery,
) -> Result<(), StoreError> {
    let NextQuery { at, watched, queries, now } = next;
    let id = combined_id.as_str();
    change(client, sql::COMBINED_RESCHEDULE, &[&id, at, queries, now, watched]).await?;
    Ok(())
}

/// Says that a close got no answer, and when it is asked about; `wanted_at`: somebody wants it
/// closed, and not only its time is over.
///
/// # Errors
/// When the database does not answer.
pub async fn close_unsaid(
    client: &impl GenericClient,
    combined_id: &CombinedId,
    wanted_at: Option<Timestamp>,
    next: &NextQuery,
) -> Result<(), StoreError> {
    let NextQuery { at, watched, now, .. } = next;
    let id = combined_id.as_str();
    change(client, sql::COMBINED_CLOSE_UNSAID, &[&id, &wanted_at, at, now, watched]).await?;
    Ok(())
}

/// Says that somebody has the page of a combined order open; false when nothing was written. It
/// waits for nobody.
///
/// # Errors
/// When the database does not answer.
pub async fn watch(
    client: &impl GenericClient,
    combined_id: &CombinedId,
    watch: &Watch,
) -> Result<bool, StoreError> {
    let Watch { now, until, soon, renew } = watch;
    change(client, sql::COMBINED_WATCH, &[&combined_id.as_str(), now, until, soon, renew]).await
}

/// Keeps what the payer needs, as its provider gave it at `at`.
///
/// # Errors
/// When the database does not answer.
pub async fn offered(
    client: &impl GenericClient,
    combined_id: &CombinedId,
    pay: &serde_json::Value,
    at: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::COMBINED_OFFERED, &[&combined_id.as_str(), &Json(pay), &at]).await?;
    Ok(())
}
