//! The journal's heads and entries.

use deadpool_postgres::{GenericClient, Object, Transaction};
use domain::ids::MerchantId;
use jiff::Timestamp;
use serde::Deserialize;
use tokio_postgres::types::Json;
use tokio_postgres::{IsolationLevel, Row};

use super::unit::{Sent, Statements};
use super::{StoreError, sql, typed};

/// The end of a merchant's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose journal.
    pub merchant_id: MerchantId,
    /// The last entry's number; 0 before the first.
    pub seq: i64,
    /// The last entry's link; empty before the first.
    pub mac: Vec<u8>,
}

/// An entry as stored.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub seq: i64,
    /// What it is about.
    pub kind: String,
    /// The payment or refund.
    pub subject_id: String,
    /// When that happened.
    pub occurred_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// Its link.
    pub mac: Vec<u8>,
    /// What the payment that it is about says and no line does; empty where it is about something else.
    pub fact: Vec<String>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A line as stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// The account that receives.
    pub debit: String,
    /// The account that gives.
    pub credit: String,
    /// How much.
    pub amount_fen: i64,
    /// The fee that it is about.
    pub fee_id: Option<String>,
}

/// A head that is locked for the rest of the transaction.
#[derive(Clone, Debug)]
pub(crate) struct LockedHead {
    head: Head,
    /// The last entry's number.
    last: i64,
}

impl LockedHead {
    /// Whose journal it is.
    pub(crate) const fn merchant_id(&self) -> &MerchantId {
        &self.head.merchant_id
    }

    /// The head, to be written behind.
    ///
    /// # Errors
    /// When its journal has entries behind it: whoever wrote on would write over what is missing.
    pub(crate) fn sound(&self) -> Result<Head, StoreError> {
        let (head, last) = (&self.head, self.last);
        if last > head.seq {
            let merchant_id = head.merchant_id.clone();
            return Err(StoreError::Journal { merchant_id, head: head.seq, last });
        }
        Ok(head.clone())
    }
}

/// Reads what locked heads.
pub(crate) fn locked(rows: &[Row]) -> Result<Vec<LockedHead>, StoreError> {
    rows.iter()
        .map(|row| Ok(LockedHead { head: head(row)?, last: row.try_get("last_seq")? }))
        .collect()
}

/// Locks the heads of merchants' journals; the last of all locks in a transaction.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn lock_heads(
    unit: &mut impl Statements,
    merchants: &[&str],
) -> Result<Vec<LockedHead>, StoreError> {
    let lock = Sent::of(sql::JOURNAL_HEADS_LOCK, vec![&merchants]);
    locked(&unit.send(vec![lock]).await?.next().unwrap_or_default())
}

/// Every merchant with a journal, in order, whether its head is there or not.
///
/// # Errors
/// When the database does not answer.
pub async fn merchants(client: &impl GenericClient) -> Result<Vec<MerchantId>, StoreError> {
    let statement = client.prepare_cached(sql::JOURNAL_MERCHANTS).await?;
    let rows = client.query(&statement, &[]).await?;
    rows.iter().map(|row| typed("journal_entries.merchant_id", row.try_get(0)?)).collect()
}

/// Every journal's head.
///
/// # Errors
/// When the database does not answer.
pub async fn heads(client: &impl GenericClient) -> Result<Vec<Head>, StoreError> {
    let statement = client.prepare_cached(sql::JOURNAL_HEADS_READ).await?;
    client.query(&statement, &[]).await?.iter().map(head).collect()
}

/// Entries after a number, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn entries(
    client: &impl GenericClient,
    merchant: &MerchantId,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let statement = client.prepare_cached(sql::JOURNAL_ENTRIES_READ).await?;
    let rows = client.query(&statement, &[&merchant.as_str(), &after, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                seq: row.try_get("seq")?,
                kind: row.try_get("kind")?,
                subject_id: row.try_get("subject_id")?,
                occurred_at: row.try_get("occurred_at")?,
                recorded_at: row.try_get("recorded_at")?,
                mac: row.try_get("mac")?,
                fact: row.try_get("fact")?,
                lines: row.try_get::<_, Json<Vec<Line>>>("lines")?.0,
            })
        })
        .collect()
}

/// Where the books disagree with themselves, a sentence each.
///
/// # Errors
/// When the database does not answer.
pub async fn breaks(client: &impl GenericClient) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for statement in [
        sql::BREAKS_OF_ORDERS,
        sql::BREAKS_OF_PAYMENTS,
        sql::BREAKS_OF_FEES,
        sql::BREAKS_OF_REFUNDS,
        sql::BREAKS_OF_TREASURY,
        sql::BREAKS_OF_SETTLEMENTS,
        sql::BREAKS_OF_PAYERS,
        sql::BREAKS_OF_JOURNAL,
        sql::BREAKS_OF_PEOPLE,
    ] {
        let statement = client.prepare_cached(statement).await?;
        for row in client.query(&statement, &[]).await? {
            found.push(row.try_get(0)?);
        }
    }
    Ok(found)
}

/// The books as they are when they are first read, however long that takes and whatever is written
/// meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn snapshot(client: &mut Object) -> Result<Transaction<'_>, StoreError> {
    let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let books = snapshot.read_only(true).start().await?;
    books.batch_execute(sql::PROOF_BEGIN).await?;
    Ok(books)
}

fn head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head {
        merchant_id: typed("journal_heads.merchant_id", row.try_get("merchant_id")?)?,
        seq: row.try_get("seq")?,
        mac: row.try_get("mac")?,
    })
}
