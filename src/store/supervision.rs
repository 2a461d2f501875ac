//! Fees and cases as fee supervision examines them.

use deadpool_postgres::GenericClient;
use domain::case::CaseState;
use domain::fee::FeeFacts;
use domain::ids::ApplicationId;
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio_postgres::types::Json;

use super::{StoreError, sql, typed};

/// Which fees or cases are examined.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// Whose; `None`: everybody's.
    pub application: Option<&'a str>,
    /// Issued or accepted at this moment or later.
    pub from: Timestamp,
    /// And before this one.
    pub until: Timestamp,
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
    /// Whether who asked for it tells the hub of cases.
    pub tells_cases: bool,
}

/// Fees to be examined after one (empty: from the first), at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn fees(
    client: &impl GenericClient,
    which: &Which<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Charged>, StoreError> {
    let statement = client.prepare_cached(sql::SUPERVISION_FEES).await?;
    let Which { application, from, until } = which;
    let rows = client.query(&statement, &[&after, from, until, application, &limit]).await?;
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
                tells_cases: row.try_get("tells_cases")?,
            })
        })
        .collect()
}

/// A case with its fees, to be held against each other.
#[derive(Clone, Debug)]
pub struct CaseOfFees {
    /// Who told of it.
    pub application_id: ApplicationId,
    /// Its number.
    pub case_no: String,
    /// What kind of business it is.
    pub business_type: String,
    /// The department that works on it.
    pub department: Option<String>,
    /// Who works on it.
    pub handler: Option<String>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Where it stands.
    pub state: CaseState,
    /// Its fees with their ids.
    pub fees: Vec<(String, FeeFacts)>,
}

/// Cases to be examined after one (application and number; empty: from the first), at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn cases(
    client: &impl GenericClient,
    which: &Which<'_>,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<CaseOfFees>, StoreError> {
    let statement = client.prepare_cached(sql::SUPERVISION_CASES).await?;
    let Which { application, from, until } = which;
    let (after_application, after_case) = after;
    let rows = client
        .query(&statement, &[&after_application, &after_case, from, until, application, &limit])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(CaseOfFees {
                application_id: typed("cases.application_id", row.try_get("application_id")?)?,
                case_no: row.try_get("case_no")?,
                business_type: row.try_get("business_type")?,
                department: row.try_get("department")?,
                handler: row.try_get("handler")?,
                accepted_at: row.try_get("accepted_at")?,
                state: typed("cases.state", row.try_get("state")?)?,
                fees: fees_of(row)?,
            })
        })
        .collect()
}

fn fees_of(row: &tokio_postgres::Row) -> Result<Vec<(String, FeeFacts)>, StoreError> {
    let ids: Vec<String> = row.try_get("fee_ids")?;
    let [total, paid, refunding, refunded]: [Vec<i64>; 4] = [
        row.try_get("total_fen")?,
        row.try_get("paid_fen")?,
        row.try_get("refunding_fen")?,
        row.try_get("refunded_fen")?,
    ];
    let void: Vec<bool> = row.try_get("void")?;
    let amounts = total.into_iter().zip(paid).zip(refunding).zip(refunded).zip(void);
    let facts = amounts.map(|((((total, paid), refunding), refunded), void)| FeeFacts {
        total: Fen::new(total),
        paid: Fen::new(paid),
        refunding: Fen::new(refunding),
        refunded: Fen::new(refunded),
        void,
    });
    Ok(ids.into_iter().zip(facts).collect())
}
