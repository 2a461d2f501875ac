//! Fees as fee supervision examines them.

use deadpool_postgres::GenericClient;
use domain::ids::ApplicationId;
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio_postgres::types::Json;

use super::{StoreError, sql, typed};

/// Which fees are examined.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// Whose; `None`: everybody's.
    pub application: Option<&'a str>,
    /// Issued at this moment or later.
    pub from: Timestamp,
    /// And before this one.
    pub until: Timestamp,
    /// After this fee; empty: from the first.
    pub after: &'a str,
}

/// A fee to be examined.
#[derive(Clone, Debug)]
pub struct Charged {
    /// Its id.
    pub fee_id: String,
    /// Who asked for it.
    pub application_id: ApplicationId,
    /// For which case.
    pub case_no: String,
    /// The department that issued it.
    pub department: Option<String>,
    /// The acceptance date that priced it.
    pub accepted_on: Date,
    /// What was charged.
    pub total: Fen,
    /// What of it was given back.
    pub refunded: Fen,
    /// The priced lines as frozen.
    pub quote: serde_json::Value,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When its case was accepted, where the hub knows it.
    pub case_accepted_at: Option<Timestamp>,
}

/// Fees to be examined, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn fees(
    client: &impl GenericClient,
    which: &Which<'_>,
    limit: i64,
) -> Result<Vec<Charged>, StoreError> {
    let statement = client.prepare_cached(sql::SUPERVISION_FEES).await?;
    let Which { application, from, until, after } = which;
    let rows = client.query(&statement, &[after, from, until, application, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Charged {
                fee_id: row.try_get("fee_id")?,
                application_id: typed("fees.application_id", row.try_get("application_id")?)?,
                case_no: row.try_get("case_no")?,
                department: row.try_get("department")?,
                accepted_on: row.try_get("accepted_on")?,
                total: Fen::new(row.try_get("total_fen")?),
                refunded: Fen::new(row.try_get("refunded_fen")?),
                quote: row.try_get::<_, Json<serde_json::Value>>("quote")?.0,
                issued_at: row.try_get("issued_at")?,
                case_accepted_at: row.try_get("accepted_at")?,
            })
        })
        .collect()
}
