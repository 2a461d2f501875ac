//! Remittances to the treasury (缴库).

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, FeeId, MerchantId, OrderId, PaymentId, RemittanceId};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::orders::FeeShare;
use super::{StoreError, change, load, sql, typed};

/// What a payment brought for a fee and may be remitted, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenShare {
    /// The payment.
    pub payment_id: PaymentId,
    /// The fee.
    pub fee_id: FeeId,
    /// Through which merchant the money came.
    pub merchant_id: MerchantId,
    /// When the payer paid.
    pub paid_at: Timestamp,
    /// How much: of what is open, what neither refunds hold nor was remitted before.
    pub open: Fen,
}

/// A remittance to be written down.
#[derive(Debug)]
pub struct NewRemittance<'a> {
    /// Its id.
    pub remittance_id: &'a RemittanceId,
    /// Who tells of it.
    pub application_id: &'a ApplicationId,
    /// The number of the paper that it left with.
    pub reference: &'a str,
    /// On which day the money left.
    pub remitted_on: Date,
    /// All of it.
    pub amount: Fen,
    /// When it is written.
    pub now: Timestamp,
    /// What of which payment and fee.
    pub shares: &'a [OpenShare],
}

/// A remittance as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct RemittanceRecord {
    /// Its id.
    pub id: RemittanceId,
    /// Who told of it.
    pub application_id: ApplicationId,
    /// The number of its paper.
    pub reference: String,
    /// On which day the money left.
    pub remitted_on: Date,
    /// All of it.
    pub amount_fen: Fen,
    /// When it was written.
    pub created_at: Timestamp,
    /// What of which fee.
    pub fees: Vec<FeeShare>,
    /// What through which merchant it had come.
    pub merchants: Vec<MerchantShare>,
    /// That it was taken back, and why.
    pub reversal: Option<Reversal>,
}

/// That a remittance was told of wrong fees (冲正).
#[derive(Clone, Debug, Deserialize)]
pub struct Reversal {
    /// Why.
    pub reason: String,
    /// When the hub was told.
    pub reversed_at: Timestamp,
}

/// The part of a remittance that had come through one merchant.
#[derive(Clone, Debug, Deserialize)]
pub struct MerchantShare {
    /// The merchant.
    pub merchant_id: MerchantId,
    /// The part.
    pub amount_fen: Fen,
}

/// What may be remitted of fees, by merchant, fee and payment. The caller holds the fees' locks.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    client: &impl GenericClient,
    fees: &[&str],
) -> Result<Vec<OpenShare>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCES_OPEN).await?;
    shares(&client.query(&statement, &[&fees]).await?)
}

/// What a remittance took of which payment and fee, by merchant and fee.
///
/// # Errors
/// When the database does not answer.
pub async fn taken(
    client: &impl GenericClient,
    remittance: &RemittanceId,
) -> Result<Vec<OpenShare>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCES_SHARES).await?;
    shares(&client.query(&statement, &[&remittance.as_str()]).await?)
}

/// Takes a remittance back; false when it was taken back before. The caller holds its fees' locks
/// and posts it in the same transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn reverse(
    client: &impl GenericClient,
    remittance: &RemittanceId,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::REMITTANCES_REVERSE, &[&remittance.as_str(), &reason, &now]).await
}

fn shares(rows: &[tokio_postgres::Row]) -> Result<Vec<OpenShare>, StoreError> {
    rows.iter()
        .map(|row| {
            Ok(OpenShare {
                payment_id: typed("payments.payment_id", row.try_get("payment_id")?)?,
                fee_id: typed("payment_shares.fee_id", row.try_get("fee_id")?)?,
                merchant_id: typed("payments.merchant_id", row.try_get("merchant_id")?)?,
                paid_at: row.try_get("paid_at")?,
                open: Fen::new(row.try_get("open_fen")?),
            })
        })
        .collect()
}

/// Writes a remittance down. The caller posts it in the same transaction.
///
/// # Errors
/// `a_remittance_reference_is_used_once` when the reference is taken.
pub async fn insert(
    client: &impl GenericClient,
    new: &NewRemittance<'_>,
) -> Result<(), StoreError> {
    let payments: Vec<&str> = new.shares.iter().map(|share| share.payment_id.as_str()).collect();
    let fees: Vec<&str> = new.shares.iter().map(|share| share.fee_id.as_str()).collect();
    let amounts: Vec<i64> = new.shares.iter().map(|share| share.open.get()).collect();
    change(
        client,
        sql::REMITTANCES_INSERT,
        &[
            &new.remittance_id.as_str(),
            &new.application_id.as_str(),
            &new.reference,
            &new.remitted_on,
            &new.amount.get(),
            &new.now,
            &payments,
            &fees,
            &amounts,
        ],
    )
    .await?;
    Ok(())
}

/// Remittances by id, in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<RemittanceRecord>, StoreError> {
    load(client, sql::REMITTANCES_LOAD, &[&ids]).await
}

/// The remittance of an application with that reference.
///
/// # Errors
/// When the database does not answer.
pub async fn by_reference(
    client: &impl GenericClient,
    application: &ApplicationId,
    reference: &str,
) -> Result<Option<RemittanceRecord>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCES_BY_REFERENCE).await?;
    let row = client.query_opt(&statement, &[&application.as_str(), &reference]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(by_ids(client, &[row.try_get(0)?]).await?.pop())
}

/// An application's remittances before a cursor, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    application: &ApplicationId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<RemittanceRecord>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCES_LIST).await?;
    let rows = client.query(&statement, &[&application.as_str(), &before, &limit]).await?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<&str>, _>>()?;
    let mut found = by_ids(client, &ids).await?;
    found.reverse();
    Ok(found)
}

/// What of an order's payments was remitted, by payment and fee.
///
/// # Errors
/// When the database does not answer.
pub async fn of_order(
    client: &impl GenericClient,
    order_id: &OrderId,
) -> Result<Vec<(PaymentId, FeeId, Fen)>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCES_OF_ORDER).await?;
    let rows = client.query(&statement, &[&order_id.as_str()]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                typed("payments.payment_id", row.try_get(0)?)?,
                typed("remittance_shares.fee_id", row.try_get(1)?)?,
                Fen::new(row.try_get(2)?),
            ))
        })
        .collect()
}
