//! What providers are expected to settle (应到账), and what of it has arrived.

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::ids::{MerchantId, RunId, SettlementId, SettlementMatchId};
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::settlement::{Candidate, Expected};
use tokio_postgres::types::ToSql;

use super::{StoreError, change, load, sql, typed};
use crate::settlement::model::{Figures, SettlementDay};

/// What is expected of a bill day, to be written down.
#[derive(Debug)]
pub struct NewSettlement<'a> {
    /// Its id.
    pub settlement_id: &'a SettlementId,
    /// Of which account at which provider.
    pub account: &'a str,
    /// The numbers by which a bank's text may name it.
    pub numbers: &'a [&'a str],
    /// The bill's day.
    pub day: Date,
    /// When its money is due.
    pub due_on: Date,
    /// The run that reconciled it.
    pub run_id: &'a RunId,
    /// How much.
    pub figures: Figures,
    /// What of it is which merchant's; the account's first merchant first.
    pub shares: &'a [(MerchantId, Fen)],
    /// When it is written.
    pub now: Timestamp,
}

/// What is on record of a bill day.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id.
    pub settlement_id: SettlementId,
    /// How much.
    pub figures: Figures,
    /// Whether money has arrived for it.
    pub has_arrived: bool,
}

/// What of a bill's rows is which merchant's: rows by order number with their signed amounts; what is
/// none of the account's merchants' is the first one's.
///
/// # Errors
/// When the database does not answer.
pub async fn by_merchant(
    client: &impl GenericClient,
    (numbers, amounts): (&[&str], &[i64]),
    account: &[&str],
) -> Result<Vec<(MerchantId, Fen)>, StoreError> {
    shares(client, sql::SETTLEMENTS_BY_MERCHANT, &[&numbers, &amounts, &account]).await
}

/// What of some settlements is which merchant's, together; the account's first merchant first.
///
/// # Errors
/// When the database does not answer.
pub async fn shares_of(
    client: &impl GenericClient,
    settlements: &[&str],
) -> Result<Vec<(MerchantId, Fen)>, StoreError> {
    shares(client, sql::SETTLEMENT_SHARES_READ, &[&settlements]).await
}

pub(super) async fn shares(
    client: &impl GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<(MerchantId, Fen)>, StoreError> {
    let statement = client.prepare_cached(statement).await?;
    let rows = client.query(&statement, parameters).await?;
    rows.iter()
        .map(|row| {
            let merchant = typed("settlement_shares.merchant_id", row.try_get("merchant_id")?)?;
            Ok((merchant, Fen::new(row.try_get("net_fen")?)))
        })
        .collect()
}

/// What is on record of an account's bill day.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    client: &impl GenericClient,
    account: &str,
    day: Date,
) -> Result<Option<Known>, StoreError> {
    let statement = client.prepare_cached(sql::SETTLEMENTS_FIND).await?;
    let row = client.query_opt(&statement, &[&account, &day]).await?;
    row.map(|row| {
        Ok(Known {
            settlement_id: typed("settlements.settlement_id", row.try_get("settlement_id")?)?,
            figures: Figures {
                payments: Fen::new(row.try_get("payments_fen")?),
                refunds: Fen::new(row.try_get("refunds_fen")?),
                fee: Fen::new(row.try_get("fee_fen")?),
            },
            has_arrived: row.try_get("has_arrived")?,
        })
    })
    .transpose()
}

/// Writes what is expected of a bill day.
///
/// # Errors
/// `a_bill_day_is_settled_once` when it is on record.
pub async fn insert(
    client: &impl GenericClient,
    new: &NewSettlement<'_>,
) -> Result<(), StoreError> {
    let (merchants, nets) = columns(new.shares);
    let Figures { payments, refunds, fee } = new.figures;
    let parameters: [&(dyn ToSql + Sync); 13] = [
        &new.settlement_id.as_str(),
        &new.account,
        &new.numbers,
        &new.day,
        &new.run_id.as_str(),
        &payments.get(),
        &refunds.get(),
        &fee.get(),
        &new.figures.net().get(),
        &new.due_on,
        &new.now,
        &merchants,
        &nets,
    ];
    change(client, sql::SETTLEMENTS_INSERT, &parameters).await?;
    Ok(())
}

/// Changes what is expected of a bill day for which nothing has arrived.
///
/// # Errors
/// `what_arrived_stays_as_it_was_expected`.
pub async fn rewrite(
    client: &impl GenericClient,
    (id, run_id): (&str, &str),
    figures: Figures,
    shares: &[(MerchantId, Fen)],
) -> Result<(), StoreError> {
    let (merchants, nets) = columns(shares);
    let Figures { payments, refunds, fee } = figures;
    let net = figures.net().get();
    change(client, sql::SETTLEMENT_SHARES_DROP, &[&id]).await?;
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&id, &run_id, &payments.get(), &refunds.get(), &fee.get(), &net];
    change(client, sql::SETTLEMENTS_REWRITE, &parameters).await?;
    change(client, sql::SETTLEMENT_SHARES_INSERT, &[&id, &merchants, &nets]).await?;
    Ok(())
}

/// Sets anew when money is due that has not arrived.
///
/// # Errors
/// When the database does not answer.
pub async fn due(client: &impl GenericClient, days: &[(&str, Date)]) -> Result<(), StoreError> {
    if days.is_empty() {
        return Ok(());
    }
    let (ids, dates): (Vec<&str>, Vec<Date>) = days.iter().copied().unzip();
    change(client, sql::SETTLEMENTS_DUE, &[&ids, &dates]).await?;
    Ok(())
}

pub(super) fn columns(shares: &[(MerchantId, Fen)]) -> (Vec<&str>, Vec<i64>) {
    shares.iter().map(|(merchant, net)| (merchant.as_str(), net.get())).unzip()
}

/// What is expected of the bill days since a day, arrived or not.
///
/// # Errors
/// When the database does not answer.
pub async fn expected(
    client: &impl GenericClient,
    since: Date,
) -> Result<Vec<Expected>, StoreError> {
    let statement = client.prepare_cached(sql::SETTLEMENTS_EXPECTED).await?;
    let rows = client.query(&statement, &[&since]).await?;
    rows.iter()
        .map(|row| {
            Ok(Expected {
                id: row.try_get("settlement_id")?,
                account: row.try_get("account")?,
                numbers: row.try_get("numbers")?,
                day: row.try_get("bill_date")?,
                due_on: row.try_get("due_on")?,
                net: Fen::new(row.try_get("net_fen")?),
                fee: Fen::new(row.try_get("fee_fen")?),
                is_open: row.try_get("is_open")?,
            })
        })
        .collect()
}

/// A settlement of which nothing has arrived in time.
#[derive(Clone, Debug)]
pub struct Late {
    /// The settlement.
    pub settlement_id: String,
    /// Of which account.
    pub account: String,
    /// The account's first merchant.
    pub merchant_id: MerchantId,
    /// The bill's day.
    pub day: Date,
    /// When it was due.
    pub due_on: Date,
    /// How much.
    pub net: Fen,
}

/// What was due in some days and has not arrived.
///
/// # Errors
/// When the database does not answer.
pub async fn late(
    client: &impl GenericClient,
    (first, last): (Date, Date),
) -> Result<Vec<Late>, StoreError> {
    let statement = client.prepare_cached(sql::SETTLEMENTS_LATE).await?;
    let rows = client.query(&statement, &[&first, &last]).await?;
    rows.iter()
        .map(|row| {
            Ok(Late {
                settlement_id: row.try_get("settlement_id")?,
                account: row.try_get("account")?,
                merchant_id: typed("settlement_shares.merchant_id", row.try_get("merchant_id")?)?,
                day: row.try_get("bill_date")?,
                due_on: row.try_get("due_on")?,
                net: Fen::new(row.try_get("net_fen")?),
            })
        })
        .collect()
}

/// What is expected of the bill days from `from` to `until`, with what has arrived of it: for papers
/// and lists, in the order of days. What was due by `late_since` and has not arrived is late.
///
/// # Errors
/// When the database does not answer.
pub async fn between(
    client: &impl GenericClient,
    (from, until): (Date, Date),
    late_since: Option<Date>,
) -> Result<Vec<SettlementDay>, StoreError> {
    page(client, (from, until), late_since, (None, i64::MAX)).await
}

/// The same, behind a settlement and at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn page(
    client: &impl GenericClient,
    (from, until): (Date, Date),
    late_since: Option<Date>,
    (after, limit): (Option<&str>, i64),
) -> Result<Vec<SettlementDay>, StoreError> {
    load(client, sql::SETTLEMENTS_LIST, &[&from, &until, &after, &late_since, &limit]).await
}

/// That a credit is the settlement of some bill days, to be written down.
#[derive(Debug)]
pub struct NewMatch<'a> {
    /// Its id.
    pub match_id: &'a SettlementMatchId,
    /// The credit.
    pub bank_serial: &'a str,
    /// What came.
    pub amount: Fen,
    /// What of which days was expected, and why it differs.
    pub candidate: &'a Candidate,
    /// Who said so first; `None`: nobody had to.
    pub claimed_by: Option<&'a str>,
    /// Who confirmed it, where it differs.
    pub confirmed_by: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// What of what came is which merchant's.
    pub shares: &'a [(MerchantId, Fen)],
    /// When.
    pub now: Timestamp,
}

/// Writes a match down. The caller posts it in the same transaction.
///
/// # Errors
/// `a_credit_is_matched_once`, `a_settlement_arrives_once`; at the commit also
/// `a_match_adds_up_on_both_sides` and `nobody_closes_a_difference_alone`.
pub async fn arrive(client: &impl GenericClient, new: &NewMatch<'_>) -> Result<(), StoreError> {
    let (merchants, amounts) = columns(new.shares);
    let cause = new.candidate.cause.map(|cause| cause.as_str());
    let parameters: [&(dyn ToSql + Sync); 12] = [
        &new.match_id.as_str(),
        &new.bank_serial,
        &new.amount.get(),
        &new.candidate.expected_fen.get(),
        &cause,
        &new.claimed_by,
        &new.confirmed_by,
        &new.reason,
        &new.now,
        &new.candidate.settlements,
        &merchants,
        &amounts,
    ];
    change(client, sql::SETTLEMENT_MATCHES_INSERT, &parameters).await?;
    Ok(())
}

/// Writes that a person says which settlements a credit is.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    (bank_serial, settlements, difference): (&str, &[&str], Fen),
    (by, reason): (&str, Option<&str>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let difference = difference.get();
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&bank_serial, &settlements, &by, &reason, &now, &difference];
    change(client, sql::SETTLEMENT_CLAIMS_INSERT, &parameters).await?;
    Ok(())
}

/// Who said that a credit is just these settlements with this difference, in order, each with his
/// reason.
///
/// # Errors
/// When the database does not answer.
pub async fn claims(
    client: &impl GenericClient,
    bank_serial: &str,
    settlements: &[&str],
    difference: Fen,
) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let statement = client.prepare_cached(sql::SETTLEMENT_CLAIMS_LIST).await?;
    let rows = client.query(&statement, &[&bank_serial, &settlements, &difference.get()]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
