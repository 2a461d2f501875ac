//! Who signed which run, and the papers that they signed.

use deadpool_postgres::GenericClient;
use domain::sign_off::{SignOff, SignOffStep};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{StoreError, change, sql};
use crate::report::SignaturePaper;

/// Locks all runs of an account's day for the rest of the transaction, so that none is begun or
/// signed beside.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_day(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(sql::RUNS_HOLD_DAY).await?;
    client.query(&statement, &[&account, &day]).await?;
    Ok(())
}

/// A run that is locked to be signed.
#[derive(Clone, Debug)]
pub struct ToSign {
    /// How far it is signed.
    pub sign_off: SignOff,
    /// Its state's word.
    pub status: String,
    /// The digest of what its papers are made of; none before it has ended.
    pub report_sha256: Option<Vec<u8>>,
    /// Whether its journal still has the head that its papers name.
    pub has_head: bool,
    /// Whether its day has a later version.
    pub is_overtaken: bool,
}

/// Locks a run to be signed; `account`: all merchants whose day it may be.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    client: &impl GenericClient,
    run_id: &str,
    account: &[&str],
) -> Result<Option<ToSign>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_TO_SIGN).await?;
    let Some(row) = client.query_opt(&statement, &[&run_id, &account]).await? else {
        return Ok(None);
    };
    let word: &str = row.try_get("sign_off")?;
    let sign_off = SignOff::ALL.into_iter().find(|it| it.as_str() == word);
    Ok(Some(ToSign {
        sign_off: sign_off.ok_or_else(|| StoreError::Data {
            what: "runs.sign_off",
            detail: format!("{word:?} is no sign-off"),
        })?,
        status: row.try_get("status")?,
        report_sha256: row.try_get("report_sha256")?,
        has_head: row.try_get("has_head")?,
        is_overtaken: row.try_get("is_overtaken")?,
    }))
}

/// A signature.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The step's word.
    pub event: String,
    /// Who took it.
    pub by: String,
    /// Why, where that must be said.
    pub reason: Option<String>,
    /// The digest of what the papers were made of.
    pub report_sha256: Vec<u8>,
    /// When.
    pub signed_at: Timestamp,
}

impl Signature {
    /// The signature as a paper shows it.
    #[must_use]
    pub fn paper(self, run_id: &str) -> SignaturePaper {
        let Self { event, by, signed_at, .. } = self;
        SignaturePaper { run_id: run_id.to_owned(), event, by, signed_at }
    }
}

/// Signs a run that is as far as `from` says; false when it is not, or its day has a later version.
///
/// # Errors
/// `nobody_reviews_what_he_prepared`, `nobody_reopens_a_run_alone`.
pub async fn sign(
    client: &impl GenericClient,
    (run_id, account): (&str, &[&str]),
    (from, to, step): (SignOff, SignOff, SignOffStep),
    signature: &Signature,
) -> Result<bool, StoreError> {
    let Signature { event: _, by, reason, report_sha256, signed_at } = signature;
    let (from, to, step) = (from.as_str(), to.as_str(), step.as_str());
    change(
        client,
        sql::RUNS_SIGN,
        &[&run_id, &from, &to, &step, by, reason, report_sha256, signed_at, &account],
    )
    .await
}

/// Who signed a run, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &impl GenericClient, run_id: &str) -> Result<Vec<Signature>, StoreError> {
    let statement = client.prepare_cached(sql::RUN_SIGNATURES_LIST).await?;
    let rows = client.query(&statement, &[&run_id]).await?;
    rows.iter()
        .map(|row| {
            Ok(Signature {
                event: row.try_get("event")?,
                by: row.try_get("by")?,
                reason: row.try_get("reason")?,
                report_sha256: row.try_get("report_sha256")?,
                signed_at: row.try_get("signed_at")?,
            })
        })
        .collect()
}

/// Keeps the papers of a run: form and bytes.
///
/// # Errors
/// When they are kept already.
pub async fn keep(
    client: &impl GenericClient,
    run_id: &str,
    papers: &[(&str, Vec<u8>)],
) -> Result<(), StoreError> {
    let (forms, contents): (Vec<&str>, Vec<&[u8]>) =
        papers.iter().map(|(form, content)| (*form, content.as_slice())).unzip();
    let statement = client.prepare_cached(sql::SIGNED_PAPERS_INSERT).await?;
    client.query(&statement, &[&run_id, &forms, &contents]).await?;
    Ok(())
}

/// A paper as it was signed.
///
/// # Errors
/// When the database does not answer.
pub async fn paper(
    client: &impl GenericClient,
    run_id: &str,
    form: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let statement = client.prepare_cached(sql::SIGNED_PAPERS_READ).await?;
    let row = client.query_opt(&statement, &[&run_id, &form]).await?;
    Ok(row.map(|row| row.try_get("content")).transpose()?)
}
