//! Fees and their balances.

use deadpool_postgres::GenericClient;
use domain::fee::FeeFacts;
use domain::ids::{ApplicationId, CaseNo, FeeId, OrderId, PayerStatementId};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use tokio_postgres::types::Json;

use super::{StoreError, change, load, sql, typed};

/// A fee to be issued.
#[derive(Debug)]
pub struct NewFee<'a> {
    /// Its id.
    pub fee_id: &'a FeeId,
    /// Who asked for it.
    pub application_id: &'a ApplicationId,
    /// For which case.
    pub case_no: &'a CaseNo,
    /// The acceptance date that prices it.
    pub accepted_on: Date,
    /// What is owed.
    pub total: Fen,
    /// The priced lines with their trace.
    pub quote: serde_json::Value,
    /// The payer for people's eyes.
    pub payer_masked: serde_json::Value,
    /// The payer, sealed.
    pub payer_sealed: &'a [u8],
    /// The phone, sealed apart, for messages.
    pub phone_sealed: Option<&'a [u8]>,
    /// The phone's blind index.
    pub phone_index: Option<&'a [u8]>,
    /// The language in which the payer is told.
    pub locale: &'a str,
    /// The department that issued it.
    pub department: Option<&'a str>,
    /// When it must be paid.
    pub due_on: Option<Date>,
    /// The payment notice's number (缴款码).
    pub notice_no: Option<&'a str>,
    /// The account that pays it by the month.
    pub payer_account: Option<&'a str>,
    /// When it is issued.
    pub now: Timestamp,
}

/// A fee as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct FeeRecord {
    /// Its id.
    pub id: FeeId,
    /// Whose it is.
    pub application_id: ApplicationId,
    /// For which case.
    pub case_no: CaseNo,
    /// The acceptance date that priced it.
    pub accepted_on: Date,
    /// What is owed.
    pub total_fen: Fen,
    /// The priced lines with their trace.
    pub quote: serde_json::Value,
    /// The payer for people's eyes.
    pub payer: serde_json::Value,
    /// The department.
    pub department: Option<String>,
    /// When it must be paid.
    pub due_on: Option<Date>,
    /// The payment notice's number.
    pub notice_no: Option<String>,
    /// The account that pays it by the month; `None`: it is paid through orders.
    #[serde(default)]
    pub payer_account: Option<String>,
    /// The statement on which it is charged.
    #[serde(default)]
    pub statement_id: Option<PayerStatementId>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Paid towards it.
    pub paid_fen: Fen,
    /// Held or given back by refunds.
    pub refunding_fen: Fen,
    /// Given back.
    pub refunded_fen: Fen,
    /// Paid over to the treasury.
    pub remitted_fen: Fen,
    /// When it was withdrawn.
    pub voided_at: Option<Timestamp>,
    /// The order that may still pay it.
    pub live_order_id: Option<OrderId>,
}

impl FeeRecord {
    /// The facts that its status follows from.
    #[must_use]
    pub fn facts(&self) -> FeeFacts {
        FeeFacts {
            total: self.total_fen,
            paid: self.paid_fen,
            refunding: self.refunding_fen,
            refunded: self.refunded_fen,
            void: self.voided_at.is_some(),
        }
    }
}

/// How a fee stands.
#[derive(Clone, Debug)]
pub struct Balance {
    /// The fee.
    pub fee_id: FeeId,
    /// What its status follows from.
    pub facts: FeeFacts,
    /// Paid over to the treasury.
    pub remitted: Fen,
    /// Held by refunds that the treasury pays.
    pub treasury_refunding: Fen,
    /// The order that may still pay it.
    pub live_order_id: Option<OrderId>,
    /// The account that pays it by the month.
    pub payer_account: Option<String>,
}

/// Issues a fee.
///
/// # Errors
/// When the database refuses.
pub async fn insert(client: &impl GenericClient, fee: &NewFee<'_>) -> Result<(), StoreError> {
    change(
        client,
        sql::FEES_INSERT,
        &[
            &fee.fee_id.as_str(),
            &fee.application_id.as_str(),
            &fee.case_no.as_str(),
            &fee.accepted_on,
            &fee.total.get(),
            &Json(&fee.quote),
            &Json(&fee.payer_masked),
            &fee.payer_sealed,
            &fee.phone_sealed,
            &fee.phone_index,
            &fee.locale,
            &fee.department,
            &fee.due_on,
            &fee.notice_no,
            &fee.now,
            &fee.payer_account,
        ],
    )
    .await?;
    Ok(())
}

/// Fees by id, in the order of their ids; those that are not there are left out.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<FeeRecord>, StoreError> {
    load(client, sql::FEES_LOAD, &[&ids]).await
}

/// The ids of an application's fees for a case after a cursor, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn of_case(
    client: &impl GenericClient,
    application: &ApplicationId,
    case_no: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let statement = client.prepare_cached(sql::FEES_BY_CASE).await?;
    let rows = client.query(&statement, &[&application.as_str(), &case_no, &after, &limit]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// How an application's fees stand.
///
/// # Errors
/// When the database does not answer.
pub async fn owed(
    client: &impl GenericClient,
    application: &ApplicationId,
    ids: &[&str],
) -> Result<Vec<Balance>, StoreError> {
    balances(client, sql::FEES_OWED, application, ids).await
}

/// The same, locked for the rest of the transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    client: &impl GenericClient,
    application: &ApplicationId,
    ids: &[&str],
) -> Result<Vec<Balance>, StoreError> {
    balances(client, sql::FEES_LOCK, application, ids).await
}

async fn balances(
    client: &impl GenericClient,
    statement: &str,
    application: &ApplicationId,
    ids: &[&str],
) -> Result<Vec<Balance>, StoreError> {
    let statement = client.prepare_cached(statement).await?;
    let rows = client.query(&statement, &[&ids, &application.as_str()]).await?;
    rows.iter()
        .map(|row| {
            let live: Option<&str> = row.try_get("live_order_id")?;
            Ok(Balance {
                fee_id: typed("fees.fee_id", row.try_get("fee_id")?)?,
                facts: FeeFacts {
                    total: Fen::new(row.try_get("total_fen")?),
                    paid: Fen::new(row.try_get("paid_fen")?),
                    refunding: Fen::new(row.try_get("refunding_fen")?),
                    refunded: Fen::new(row.try_get("refunded_fen")?),
                    void: row.try_get("void")?,
                },
                remitted: Fen::new(row.try_get("remitted_fen")?),
                treasury_refunding: Fen::new(row.try_get("treasury_refunding_fen")?),
                live_order_id: live.map(|id| typed("live_orders.order_id", id)).transpose()?,
                payer_account: row.try_get("payer_account")?,
            })
        })
        .collect()
}

/// Withdraws a fee; false when something was paid, an order is live, or it is void already.
///
/// # Errors
/// When the database does not answer.
pub async fn void(
    client: &impl GenericClient,
    fee_id: &FeeId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::FEES_VOID, &[&fee_id.as_str(), &now]).await
}
