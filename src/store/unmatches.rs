//! Matches of credits that people take back (撤销匹配), and what later versions of runs expect of bill
//! days whose money has arrived.

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::ids::{MerchantId, RunId, SettlementMatchId};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::settlements::{NewSettlement, columns, rewrite, shares};
use super::{StoreError, change, sql, typed};
use crate::settlement::model::Figures;

/// The match of a credit that counts.
#[derive(Clone, Debug)]
pub struct StandingMatch {
    /// Its id.
    pub match_id: SettlementMatchId,
    /// When it was made.
    pub matched_at: Timestamp,
    /// Whether two people agreed to it.
    pub is_of_two: bool,
    /// The settlements that it is.
    pub days: Vec<String>,
}

/// The match of a credit that counts; none when it is not matched.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(
    client: &impl GenericClient,
    bank_serial: &str,
) -> Result<Option<StandingMatch>, StoreError> {
    let statement = client.prepare_cached(sql::SETTLEMENT_MATCHES_STANDING).await?;
    let row = client.query_opt(&statement, &[&bank_serial]).await?;
    row.map(|row| {
        Ok(StandingMatch {
            match_id: typed("settlement_matches.match_id", row.try_get("match_id")?)?,
            matched_at: row.try_get("matched_at")?,
            is_of_two: row.try_get("is_of_two")?,
            days: row.try_get("days")?,
        })
    })
    .transpose()
}

/// What of an arrival was posted as which merchant's.
///
/// # Errors
/// When the database does not answer.
pub async fn posted(
    client: &impl GenericClient,
    match_id: &SettlementMatchId,
) -> Result<Vec<(MerchantId, Fen)>, StoreError> {
    shares(client, sql::SETTLEMENT_MATCH_SHARES_READ, &[&match_id.as_str()]).await
}

/// Who asked to take a match back, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn claims(
    client: &impl GenericClient,
    match_id: &SettlementMatchId,
) -> Result<Vec<String>, StoreError> {
    let statement = client.prepare_cached(sql::UNMATCH_CLAIMS_LIST).await?;
    let rows = client.query(&statement, &[&match_id.as_str()]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Writes that a person asks to take a match back.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    match_id: &SettlementMatchId,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let parameters: [&(dyn ToSql + Sync); 4] = [&match_id.as_str(), &by, &reason, &now];
    change(client, sql::UNMATCH_CLAIMS_INSERT, &parameters).await?;
    Ok(())
}

/// Takes a match back, and lets each of its bill days be expected as the newest version of its run
/// says. The caller takes the arrival's entries back in the same transaction.
///
/// # Errors
/// `a_match_is_taken_back_once`; at the commit `what_two_agreed_to_is_taken_back_by_two`.
pub async fn undo(
    client: &impl GenericClient,
    found: &StandingMatch,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let parameters: [&(dyn ToSql + Sync); 4] = [&found.match_id.as_str(), &by, &reason, &now];
    change(client, sql::SETTLEMENT_UNMATCHES_INSERT, &parameters).await?;
    let statement = client.prepare_cached(sql::SETTLEMENT_REVISIONS_READ).await?;
    let rows = client.query(&statement, &[&found.days, &found.matched_at]).await?;
    for row in &rows {
        let figures = Figures {
            payments: Fen::new(row.try_get("payments_fen")?),
            refunds: Fen::new(row.try_get("refunds_fen")?),
            fee: Fen::new(row.try_get("fee_fen")?),
        };
        let run: RunId = typed("settlement_revisions.run_id", row.try_get("run_id")?)?;
        let merchants: Vec<String> = row.try_get("merchants")?;
        let nets: Vec<i64> = row.try_get("nets_fen")?;
        let shares = merchants.into_iter().zip(nets).map(|(merchant, net)| {
            Ok((typed("settlement_revisions.merchants", &merchant)?, Fen::new(net)))
        });
        let shares = shares.collect::<Result<Vec<_>, StoreError>>()?;
        let id: String = row.try_get("settlement_id")?;
        rewrite(client, (&id, run.as_str()), figures, &shares).await?;
    }
    Ok(())
}

/// Writes what a later version of a run expects of a bill day whose money has arrived.
///
/// # Errors
/// When the database does not answer.
pub async fn revise(
    client: &impl GenericClient,
    new: &NewSettlement<'_>,
) -> Result<(), StoreError> {
    let (merchants, nets) = columns(new.shares);
    let Figures { payments, refunds, fee } = new.figures;
    let parameters: [&(dyn ToSql + Sync); 9] = [
        &new.settlement_id.as_str(),
        &new.run_id.as_str(),
        &payments.get(),
        &refunds.get(),
        &fee.get(),
        &new.figures.net().get(),
        &merchants,
        &nets,
        &new.now,
    ];
    change(client, sql::SETTLEMENT_REVISIONS_INSERT, &parameters).await?;
    Ok(())
}
