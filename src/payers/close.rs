//! Closing a payer's month: one statement of what accrued, numbered, for ever. What happened since to
//! fees on earlier statements is told on it and is no part of its total.

use domain::Fen;
use domain::calendar::Calendar;
use domain::ids::{ApplicationId, PayerStatementId};
use domain::time::{business_day, day_start};
use jiff::Span;
use jiff::civil::Date;
use reconciliation::payer::NUMBER_PREFIX;
use uuid::Uuid;

use crate::audit::Act;
use crate::config::PayerAccount;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, commit_acts};
use crate::settlement::match_again;
use crate::store::payers::{self, NewPayerStatement, StatementLine};
use crate::store::{StoreError, bank};

/// In whose name months are closed that nobody closes by hand.
const HUB: &str = "payhub";
/// The most statements of a month: their number has four digits for it.
const MOST: i64 = 9999;

/// Closes last month for every account, from the month's first working day on; how many statements
/// that made. What is closed stays closed.
///
/// # Errors
/// When the database does not answer.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    if hub.payers.is_empty() {
        return Ok(0);
    }
    let today = business_day(hub.clock.now());
    let calendar = Calendar::built_in().map_err(|error| Fault::internal(error))?;
    let first = today.first_of_month();
    let begins = first.yesterday().map_or(first, |before| calendar.next_working_day(before));
    let Some(last_month) = first.yesterday().ok().filter(|_| today >= begins) else { return Ok(0) };
    let made = close(hub, last_month.first_of_month(), HUB).await?;
    Ok(made.len())
}

/// Closes a month for every account; the ids of the statements that this made.
///
/// # Errors
/// 422 `month_not_over`; when the database does not answer.
pub async fn close(hub: &Hub, month: Date, by: &str) -> Result<Vec<PayerStatementId>, Fault> {
    let period = month.first_of_month();
    let ends = period.last_of_month().tomorrow().unwrap_or(Date::MAX);
    let today = business_day(hub.clock.now());
    if today < ends {
        let detail = format!("{} ends on {}", period.strftime("%Y-%m"), period.last_of_month());
        return Err(Fault::invalid("month_not_over", detail));
    }
    let mut made = Vec::new();
    for account in &hub.payers {
        made.extend(of_account(hub, account, (period, ends, today), by).await?);
    }
    // Money may have come before its statement.
    if !made.is_empty() {
        match_again(hub).await?;
    }
    Ok(made)
}

async fn of_account(
    hub: &Hub,
    account: &PayerAccount,
    (period, ends, today): (Date, Date, Date),
    by: &str,
) -> Result<Option<PayerStatementId>, Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    // Most looks find the month closed, and wait for nobody.
    if payers::taken(&client, period, account.id.as_str()).await?.1.is_some() {
        return Ok(None);
    }
    let tx = client.transaction().await.map_err(StoreError::from)?;
    bank::in_turn(&tx).await?;
    let (taken, own) = payers::taken(&tx, period, account.id.as_str()).await?;
    if own.is_some() {
        return Ok(None);
    }
    let application: &ApplicationId = &account.application;
    let id = account.id.as_str();
    let mut lines = payers::to_charge(&tx, id, day_start(ends), application).await?;
    let total = Fen::sum(lines.iter().map(|(_, _, amount)| *amount)).filter(|sum| {
        let most = domain::Fen::new(10_000_000_000);
        *sum <= most
    });
    let total = total.ok_or_else(|| {
        let detail = format!("account {id} owes more than one transfer can bring");
        Fault::invalid("statement_too_large", detail)
    })?;
    let corrections: Vec<StatementLine> = payers::corrections(&tx, id).await?;
    lines.extend(corrections);
    if lines.is_empty() {
        return Ok(None);
    }
    let place = taken.saturating_add(1);
    if place > MOST {
        return Err(Fault::internal(&"a month has more statements than numbers"));
    }
    let number = format!("{NUMBER_PREFIX}{}{place:04}", period.strftime("%Y%m"));
    let statement_id = PayerStatementId::new(Uuid::now_v7());
    let due_on = today.checked_add(Span::new().days(account.credit_days)).unwrap_or(Date::MAX);
    let new = NewPayerStatement {
        statement_id: &statement_id,
        number: &number,
        account: id,
        account_name: &account.name,
        application_id: application,
        period,
        total,
        due_on,
        now,
        lines: &lines,
    };
    payers::insert(&tx, &new).await?;
    let data = serde_json::json!({
        "number": number, "account": id, "total_fen": total, "lines": lines.len(),
        "month": period.strftime("%Y-%m").to_string(),
    });
    let act = Act::of(by, "payer_statement.made", statement_id.as_str(), data);
    commit_acts(hub, tx, Effects::new(now), &[act]).await?;
    Ok(Some(statement_id))
}
