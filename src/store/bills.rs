//! Bills as fetched, sealed. Each content of a day is stored once and never changed.

use deadpool_postgres::GenericClient;
use domain::ids::{MerchantId, RunId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;

use super::{StoreError, load, sql, typed};
use crate::seal::{Purpose, SealError, Sealer};

/// Which file it is: what it is sealed for.
#[derive(Clone, Debug)]
pub struct Which {
    /// Whose bill.
    pub merchant: MerchantId,
    /// Of which day.
    pub day: Date,
    /// The SHA-256 of the file as fetched.
    pub sha256: Vec<u8>,
}

impl Which {
    /// This file.
    #[must_use]
    pub fn of(merchant: &MerchantId, day: Date, file: &[u8]) -> Self {
        Self { merchant: merchant.clone(), day, sha256: Sha256::digest(file).to_vec() }
    }

    /// Seals the file.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn seal(&self, sealer: &Sealer, file: &[u8]) -> Result<Vec<u8>, SealError> {
        sealer.seal(Purpose::Bill, file, &self.context())
    }

    fn context(&self) -> Vec<u8> {
        let place = format!("bill {} {} ", self.merchant, self.day);
        [place.as_bytes(), &self.sha256].concat()
    }
}

/// A bill as stored.
#[derive(Clone)]
pub struct Stored {
    /// Which file it is.
    pub which: Which,
    content: Vec<u8>,
    is_sealed: bool,
}

impl Stored {
    /// The file as it was fetched.
    ///
    /// # Errors
    /// When it was sealed under another master key, or changed since.
    pub fn open(self, sealer: &Sealer) -> Result<Vec<u8>, SealError> {
        if !self.is_sealed {
            return Ok(self.content);
        }
        sealer.open(Purpose::Bill, &self.content, &self.which.context())
    }

    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        let which = Which {
            merchant: typed("bill_files.merchant_id", row.try_get("merchant_id")?)?,
            day: row.try_get("bill_date")?,
            sha256: row.try_get("sha256")?,
        };
        let (content, is_sealed) = (row.try_get("content")?, row.try_get("is_sealed")?);
        Ok(Self { which, content, is_sealed })
    }
}

/// A file that a provider gave as a day's bill.
#[derive(Clone, Debug, Deserialize)]
pub struct Given {
    /// Whether it was refused.
    pub damaged: bool,
    /// Whether it is a fund flow bill that was taken.
    pub fund_flow: bool,
    /// Its number among trade bills, among fund flow bills, or among those that were refused.
    pub number: i64,
    /// When it came.
    pub fetched_at: Timestamp,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// Why it was refused.
    pub why: Option<String>,
    /// The runs that have read it.
    pub runs: Vec<RunId>,
}

/// Stores a sealed bill, once a content; its number.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    client: &impl GenericClient,
    which: &Which,
    sealed: &[u8],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(sql::BILL_FILES_INSERT).await?;
    let Which { merchant, day, sha256 } = which;
    let row =
        client.query_one(&statement, &[&merchant.as_str(), day, sha256, &sealed, &now]).await?;
    Ok(row.try_get(0)?)
}

/// Keeps a file that was refused, once a content.
///
/// # Errors
/// When the database refuses.
pub async fn keep_damaged(
    client: &impl GenericClient,
    which: &Which,
    sealed: &[u8],
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(sql::DAMAGED_BILLS_INSERT).await?;
    let Which { merchant, day, sha256 } = which;
    client.query_opt(&statement, &[&merchant.as_str(), day, sha256, &sealed, &why, &now]).await?;
    Ok(())
}

/// The file that the newest ended run of an account's day has read; `None`: none has ended, or the
/// day was empty.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Option<Stored>, StoreError> {
    let statement = client.prepare_cached(sql::BILL_FILES_NEWEST).await?;
    let row = client.query_opt(&statement, &[&account, &day]).await?;
    row.as_ref().map(Stored::of).transpose()
}

/// The files that providers gave as bills of an account's day, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn given(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Vec<Given>, StoreError> {
    load(client, sql::BILL_FILES_LIST, &[&account, &day]).await
}

/// Among which files a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Trade bills that were taken.
    Trade,
    /// Fund flow bills that were taken.
    FundFlow,
    /// Files of either kind that were refused.
    Refused,
}

/// A file by its number.
///
/// # Errors
/// When the database does not answer.
pub async fn read(
    client: &impl GenericClient,
    number: i64,
    shelf: Shelf,
) -> Result<Option<Stored>, StoreError> {
    let text = match shelf {
        Shelf::Trade => sql::BILL_FILES_READ,
        Shelf::FundFlow => sql::FUND_BILL_FILES_READ,
        Shelf::Refused => sql::DAMAGED_BILLS_READ,
    };
    let statement = client.prepare_cached(text).await?;
    let row = client.query_opt(&statement, &[&number]).await?;
    row.as_ref().map(Stored::of).transpose()
}

/// The hash of the file that was stored of an account's day before this one; `None`: this is the
/// first, or it is stored already.
///
/// # Errors
/// When the database does not answer.
pub async fn other(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
    sha256: &[u8],
) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(sql::BILL_FILES_OTHER).await?;
    let row = client.query_opt(&statement, &[&account, &day, &sha256]).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Whether an order of an account could have been paid between two moments, although none is known
/// to be.
///
/// # Errors
/// When the database does not answer.
pub async fn may_exist(
    client: &impl GenericClient,
    account: &[&str],
    from: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_OPEN_ON).await?;
    Ok(client.query_one(&statement, &[&account, &from, &until]).await?.try_get(0)?)
}
