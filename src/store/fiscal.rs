//! What was remitted to the treasury, fee by fee, and which debits at the bank that is.

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::ids::{FeeId, RemittanceId};
use domain::schedule::QuoteLine;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::debit::Remitted;
use reconciliation::settlement::Credit;
use tokio_postgres::types::Json;

use super::{StoreError, change, sql, typed};

/// What of a remittance is of one fee.
#[derive(Clone, Debug)]
pub struct RemittedFee {
    /// The remittance.
    pub remittance_id: RemittanceId,
    /// The number of its paper.
    pub reference: String,
    /// On which day it left.
    pub remitted_on: Date,
    /// All of the remittance.
    pub whole: Fen,
    /// The debit at the bank that it is, where that is known.
    pub bank_serial: Option<String>,
    /// The fee.
    pub fee_id: FeeId,
    /// What of it was remitted.
    pub amount: Fen,
    /// What the fee is made of.
    pub lines: Vec<QuoteLine>,
}

/// What was remitted on some days and stands, by remittance and fee.
///
/// # Errors
/// When the database does not answer.
pub async fn remitted(
    client: &impl GenericClient,
    (from, until): (Date, Date),
) -> Result<Vec<RemittedFee>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCES_BY_FEE).await?;
    let rows = client.query(&statement, &[&from, &until]).await?;
    rows.iter()
        .map(|row| {
            Ok(RemittedFee {
                remittance_id: typed("remittances.remittance_id", row.try_get("remittance_id")?)?,
                reference: row.try_get("reference")?,
                remitted_on: row.try_get("remitted_on")?,
                whole: Fen::new(row.try_get("whole_fen")?),
                bank_serial: row.try_get("bank_serial")?,
                fee_id: typed("remittance_shares.fee_id", row.try_get("fee_id")?)?,
                amount: Fen::new(row.try_get("amount_fen")?),
                lines: row.try_get::<_, Json<Vec<QuoteLine>>>("lines")?.0,
            })
        })
        .collect()
}

/// What was collected for a fee and is not remitted.
#[derive(Clone, Debug)]
pub struct OwedFee {
    /// The fee.
    pub fee_id: FeeId,
    /// When it was paid first.
    pub first_paid_at: Timestamp,
    /// What of it is not remitted.
    pub open: Fen,
    /// What the fee is made of.
    pub lines: Vec<QuoteLine>,
}

/// What was collected before a moment and is not remitted, by fee; nothing where no remittance was ever
/// told.
///
/// # Errors
/// When the database does not answer.
pub async fn owed(
    client: &impl GenericClient,
    before: Timestamp,
) -> Result<Vec<OwedFee>, StoreError> {
    let statement = client.prepare_cached(sql::PAPERS_OWED).await?;
    let rows = client.query(&statement, &[&before]).await?;
    rows.iter()
        .map(|row| {
            Ok(OwedFee {
                fee_id: typed("fees.fee_id", row.try_get("fee_id")?)?,
                first_paid_at: row.try_get("first_paid_at")?,
                open: Fen::new(row.try_get("open_fen")?),
                lines: row.try_get::<_, Json<Vec<QuoteLine>>>("lines")?.0,
            })
        })
        .collect()
}

/// The remittances since a day of which no debit is known.
///
/// # Errors
/// When the database does not answer.
pub async fn wanted(client: &impl GenericClient, since: Date) -> Result<Vec<Remitted>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCE_DEBITS_WANTED).await?;
    let rows = client.query(&statement, &[&since]).await?;
    rows.iter()
        .map(|row| {
            Ok(Remitted {
                id: row.try_get("remittance_id")?,
                reference: row.try_get("reference")?,
                remitted_on: row.try_get("remitted_on")?,
                amount: Fen::new(row.try_get("amount_fen")?),
            })
        })
        .collect()
}

/// What left the bank since a day and is no remittance yet.
///
/// # Errors
/// When the database does not answer.
pub async fn debits(client: &impl GenericClient, since: Date) -> Result<Vec<Credit>, StoreError> {
    let statement = client.prepare_cached(sql::REMITTANCE_DEBITS_OPEN).await?;
    let rows = client.query(&statement, &[&since]).await?;
    rows.iter()
        .map(|row| {
            Ok(Credit {
                serial: row.try_get("bank_serial")?,
                value_date: row.try_get("value_date")?,
                amount: Fen::new(row.try_get("amount_fen")?),
                reference: row.try_get("reference")?,
                is_taken_back: false,
            })
        })
        .collect()
}

/// Writes which debit a remittance is.
///
/// # Errors
/// `a_remittance_leaves_once`, `a_debit_is_one_remittance`, `a_remittance_is_what_left_the_bank`.
pub async fn left(
    client: &impl GenericClient,
    remittance: &str,
    bank_serial: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::REMITTANCE_DEBITS_INSERT, &[&remittance, &bank_serial, &now]).await?;
    Ok(())
}
