//! Payers who pay by the month (月结户): their statements, and the transfers that pay them.

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::ids::{
    ApplicationId, FeeId, MerchantId, OrderId, OutTradeNo, PayerMatchId, PayerStatementId,
    ProviderTradeNo,
};
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::payer::{OwedStatement, PayerCandidate};
use serde_json::Value;
use tokio_postgres::types::{Json, ToSql};

use super::{StoreError, change, load, sql, typed};

/// A line of a statement: the fee, its kind (`charge`, `void`, `refund`), and how much.
pub type StatementLine = (FeeId, &'static str, Fen);

/// The statement of a month, to be written down.
#[derive(Debug)]
pub struct NewPayerStatement<'a> {
    /// Its id.
    pub statement_id: &'a PayerStatementId,
    /// Its number.
    pub number: &'a str,
    /// Whose it is.
    pub account: &'a str,
    /// The name on it.
    pub account_name: &'a str,
    /// Whose fees it charges.
    pub application_id: &'a ApplicationId,
    /// The first day of its month.
    pub period: Date,
    /// The sum of its charges.
    pub total: Fen,
    /// When it is due.
    pub due_on: Date,
    /// When it is made.
    pub now: Timestamp,
    /// What it says.
    pub lines: &'a [StatementLine],
}

/// Writes a statement down.
///
/// # Errors
/// `a_month_of_an_account_is_closed_once`, `a_fee_is_charged_on_one_payer_statement`.
pub async fn insert(
    client: &impl GenericClient,
    new: &NewPayerStatement<'_>,
) -> Result<(), StoreError> {
    let fees: Vec<&str> = new.lines.iter().map(|(fee, _, _)| fee.as_str()).collect();
    let kinds: Vec<&str> = new.lines.iter().map(|(_, kind, _)| *kind).collect();
    let amounts: Vec<i64> = new.lines.iter().map(|(_, _, amount)| amount.get()).collect();
    let parameters: [&(dyn ToSql + Sync); 12] = [
        &new.statement_id.as_str(),
        &new.number,
        &new.account,
        &new.account_name,
        &new.application_id.as_str(),
        &new.period,
        &new.total.get(),
        &new.due_on,
        &new.now,
        &fees,
        &kinds,
        &amounts,
    ];
    change(client, sql::PAYER_STATEMENTS_INSERT, &parameters).await?;
    Ok(())
}

/// Locks the fees of an account that are to be charged: issued before `until`, on no statement yet.
///
/// # Errors
/// When the database does not answer.
pub async fn to_charge(
    client: &impl GenericClient,
    account: &str,
    until: Timestamp,
    application: &ApplicationId,
) -> Result<Vec<StatementLine>, StoreError> {
    let statement = client.prepare_cached(sql::PAYER_FEES_TO_CHARGE).await?;
    let rows = client.query(&statement, &[&account, &until, &application.as_str()]).await?;
    rows.iter()
        .map(|row| {
            let fee = typed("fees.fee_id", row.try_get("fee_id")?)?;
            Ok((fee, "charge", Fen::new(row.try_get("total_fen")?)))
        })
        .collect()
}

/// What happened since to fees on earlier statements of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn corrections(
    client: &impl GenericClient,
    account: &str,
) -> Result<Vec<StatementLine>, StoreError> {
    let statement = client.prepare_cached(sql::PAYER_CORRECTIONS).await?;
    let rows = client.query(&statement, &[&account]).await?;
    rows.iter()
        .map(|row| {
            let kind = if row.try_get::<_, &str>("kind")? == "void" { "void" } else { "refund" };
            let fee = typed("fees.fee_id", row.try_get("fee_id")?)?;
            Ok((fee, kind, Fen::new(row.try_get("amount_fen")?)))
        })
        .collect()
}

/// How many statements a month has, and the account's own.
///
/// # Errors
/// When the database does not answer.
pub async fn taken(
    client: &impl GenericClient,
    period: Date,
    account: &str,
) -> Result<(i64, Option<PayerStatementId>), StoreError> {
    let statement = client.prepare_cached(sql::PAYER_STATEMENTS_TAKEN).await?;
    let row = client.query_one(&statement, &[&period, &account]).await?;
    let own: Option<&str> = row.try_get("statement_id")?;
    let own = own.map(|id| typed("payer_statements.statement_id", id)).transpose()?;
    Ok((row.try_get("taken")?, own))
}

/// What is owed of each statement of some accounts.
///
/// # Errors
/// When the database does not answer.
pub async fn owed(
    client: &impl GenericClient,
    accounts: &[&str],
) -> Result<Vec<OwedStatement>, StoreError> {
    let statement = client.prepare_cached(sql::PAYER_STATEMENTS_OWED).await?;
    let rows = client.query(&statement, &[&accounts]).await?;
    rows.iter()
        .map(|row| {
            Ok(OwedStatement {
                id: row.try_get("statement_id")?,
                number: row.try_get("number")?,
                account: row.try_get("account")?,
                open: Fen::new(row.try_get("open_fen")?),
                printed: Fen::new(row.try_get("total_fen")?),
                due_on: row.try_get("due_on")?,
                is_paid: row.try_get("is_paid")?,
            })
        })
        .collect()
}

/// Which statements are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhichStatements<'a> {
    /// Of an application.
    pub application: Option<&'a str>,
    /// Of an account.
    pub account: Option<&'a str>,
    /// Of the month that begins with this day.
    pub period: Option<Date>,
    /// One, with its lines.
    pub id: Option<&'a str>,
    /// Those behind this number.
    pub cursor: Option<&'a str>,
    /// The business day.
    pub today: Date,
}

/// Statements, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    which: &WhichStatements<'_>,
    limit: i64,
) -> Result<Vec<Value>, StoreError> {
    let WhichStatements { application, account, period, id, cursor, today } = which;
    let parameters: [&(dyn ToSql + Sync); 7] =
        [application, account, period, id, cursor, today, &limit];
    load(client, sql::PAYER_STATEMENTS_LIST, &parameters).await
}

/// A fee that a statement charges, as it stands.
#[derive(Clone, Debug)]
pub struct Charged {
    /// The fee.
    pub fee_id: FeeId,
    /// What it is.
    pub total: Fen,
    /// What was paid of it.
    pub paid: Fen,
    /// Whether it was withdrawn.
    pub void: bool,
}

/// Locks the fees that statements charge, in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_charges(
    client: &impl GenericClient,
    statements: &[&str],
) -> Result<Vec<Charged>, StoreError> {
    let statement = client.prepare_cached(sql::PAYER_CHARGES_LOCK).await?;
    let rows = client.query(&statement, &[&statements]).await?;
    rows.iter()
        .map(|row| {
            Ok(Charged {
                fee_id: typed("fees.fee_id", row.try_get("fee_id")?)?,
                total: Fen::new(row.try_get("total_fen")?),
                paid: Fen::new(row.try_get("paid_fen")?),
                void: row.try_get("void")?,
            })
        })
        .collect()
}

/// A transfer as the order that it is.
#[derive(Debug)]
pub struct NewTransfer<'a> {
    /// The order's id.
    pub order_id: &'a OrderId,
    /// Whose it is.
    pub application_id: &'a ApplicationId,
    /// In whose journal it is booked.
    pub journal: &'a MerchantId,
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
    /// What came.
    pub amount: Fen,
    /// What it is for.
    pub subject: &'a str,
    /// When it is written down.
    pub now: Timestamp,
    /// When the money came.
    pub paid_at: Timestamp,
    /// The bank's number.
    pub bank_serial: &'a ProviderTradeNo,
    /// What it brings for which fee.
    pub allocations: &'a [(FeeId, Fen)],
}

/// Writes a transfer down. The caller books its payment in the same transaction.
///
/// # Errors
/// `a_monthly_fee_is_paid_by_transfer_alone` at the commit.
pub async fn insert_order(
    client: &impl GenericClient,
    new: &NewTransfer<'_>,
) -> Result<(), StoreError> {
    let fees: Vec<&str> = new.allocations.iter().map(|(fee, _)| fee.as_str()).collect();
    let amounts: Vec<i64> = new.allocations.iter().map(|(_, amount)| amount.get()).collect();
    let parameters: [&(dyn ToSql + Sync); 11] = [
        &new.order_id.as_str(),
        &new.application_id.as_str(),
        &new.journal.as_str(),
        &new.out_trade_no.as_str(),
        &new.amount.get(),
        &new.subject,
        &new.now,
        &new.paid_at,
        &new.bank_serial.as_str(),
        &fees,
        &amounts,
    ];
    change(client, sql::PAYER_ORDERS_INSERT, &parameters).await?;
    Ok(())
}

/// Writes that credits, each with its order, pay statements.
///
/// # Errors
/// `a_transfer_pays_once`, `a_payer_statement_is_paid_once`; at the commit also
/// `a_payer_statement_is_paid_whole`.
pub async fn insert_match(
    client: &impl GenericClient,
    match_id: &PayerMatchId,
    (credits, orders, statements): (&[&str], &[OrderId], &[&str]),
    (claimed_by, reason): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let orders: Vec<&str> = orders.iter().map(OrderId::as_str).collect();
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&match_id.as_str(), &claimed_by, &reason, &now, &credits, &orders, &statements];
    change(client, sql::PAYER_MATCHES_INSERT, &parameters).await?;
    Ok(())
}

/// Writes what is proposed for credits, by serial.
///
/// # Errors
/// When the database does not answer.
pub async fn propose(
    client: &impl GenericClient,
    proposed: &[(String, Vec<PayerCandidate>)],
) -> Result<(), StoreError> {
    let row = |(serial, candidates): &(String, Vec<PayerCandidate>)| serde_json::json!({"bank_serial": serial, "candidates": candidates});
    let rows: Vec<Value> = proposed.iter().map(row).collect();
    change(client, sql::PAYER_PROPOSALS_WRITE, &[&Json(rows)]).await?;
    Ok(())
}

/// Who stands on the other side of bank lines, sealed.
///
/// # Errors
/// When the database does not answer.
pub async fn counters(
    client: &impl GenericClient,
    serials: &[&str],
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let statement = client.prepare_cached(sql::BANK_LINES_COUNTERS).await?;
    let rows = client.query(&statement, &[&serials]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Closes the incidents about statements and credits that belong together now.
///
/// # Errors
/// When the database does not answer.
pub async fn settled(
    client: &impl GenericClient,
    (statements, credits): (&[&str], &[&str]),
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::PAYER_INCIDENTS_SETTLED, &[&statements, &now, &by, &credits]).await?;
    Ok(())
}
