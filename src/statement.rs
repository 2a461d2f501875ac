//! A month's statement, from the newest runs of its days and what they left open.

use deadpool_postgres::GenericClient;
use domain::time::business_day;
use jiff::civil::{Date, date};

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::reconcile;
use crate::report::{self, AccountMonth, Month, MonthDay, found};
use crate::settlement::{SettlementDay, told_until};
use crate::store::{settlements, statements};

/// Before any bill: what is underway at the bank may be of whatever day.
const FIRST_DAY: Date = date(1990, 1, 1);

/// The years that a month can be of.
const YEARS: std::ops::Range<i16> = 1990..2200;

/// Reads a month as it is written, `YYYY-MM`; its first day.
///
/// # Errors
/// 422 `month_invalid`.
pub fn first_day(text: &str) -> Result<Date, Fault> {
    let is_written = text.len() == 7 && text.is_ascii();
    let first = is_written.then(|| format!("{text}-01").parse::<Date>().ok()).flatten();
    first
        .filter(|first| YEARS.contains(&first.year()))
        .ok_or_else(|| Fault::invalid("month_invalid", "month must be a month as YYYY-MM"))
}

/// The statement of a month, of one merchant's account or of all.
///
/// # Errors
/// 422 `merchant_unknown`, and `month_not_begun` for a month of which no day is over.
pub async fn month(hub: &Hub, first: Date, merchant: Option<&str>) -> Result<Month, Fault> {
    let now = hub.clock.now();
    let yesterday = business_day(now).yesterday().unwrap_or(first);
    let last = first.last_of_month().min(yesterday);
    if last < first {
        let detail = format!("no day of {} is over yet", first.strftime("%Y-%m"));
        return Err(Fault::invalid("month_not_begun", detail));
    }
    let mut month =
        Month { office: hub.office.clone(), first, last, made_at: now, accounts: Vec::new() };
    for one in accounts(hub, merchant)? {
        month.accounts.push(account(hub, &month, one).await?);
    }
    Ok(month)
}

/// The first merchant of each account, or of the one that was asked for.
fn accounts<'h>(hub: &'h Hub, merchant: Option<&str>) -> Result<Vec<&'h Merchant>, Fault> {
    let first =
        |merchant: &'h Merchant| hub.of_one_account(merchant).first().copied().unwrap_or(merchant);
    if let Some(id) = merchant {
        let known = hub.merchant(id).ok_or_else(|| {
            Fault::invalid("merchant_unknown", format!("{id} is not configured here"))
        })?;
        return Ok(vec![first(known)]);
    }
    Ok(hub.merchants.values().filter(|merchant| first(merchant).id == merchant.id).collect())
}

async fn account(hub: &Hub, month: &Month, merchant: &Merchant) -> Result<AccountMonth, Fault> {
    let ids: Vec<&str> = hub.of_one_account(merchant).iter().map(|one| one.id.as_str()).collect();
    let span = (month.first, month.last.tomorrow().unwrap_or(Date::MAX));
    let client = hub.store.client().await?;
    let runs = statements::runs(&client, &ids, span).await?;
    let doubts = statements::doubts(&client, &ids, span).await?;
    let differences = statements::differences(&client, &ids, span).await?;
    let bank = bank(&client, hub, merchant, month.last).await?;
    drop(client);
    let mut days = Vec::new();
    let each = month.first.series(jiff::Span::new().days(1)).take_while(|day| *day <= month.last);
    for day in each {
        let run = runs.iter().find(|(of, _)| *of == day);
        let found = match run {
            Some((_, run_id)) => {
                let run = reconcile::load(hub, run_id).await?;
                found(&reconcile::report(hub, &[run_id]).await?, &run.sign_off)
            }
            None => None,
        };
        days.push(MonthDay { day, found });
    }
    Ok(AccountMonth {
        merchant: merchant.id.to_string(),
        provider: merchant.provider.provider(),
        days,
        doubts,
        differences,
        bank,
    })
}

/// What an account's bill days until a day let expect at the bank, and what has arrived. The reason of a
/// match is free text in which a name may stand, and is not taken over.
async fn bank(
    client: &impl GenericClient,
    hub: &Hub,
    merchant: &Merchant,
    last: Date,
) -> Result<Vec<SettlementDay>, Fault> {
    let account = merchant.provider.account().payee.as_str();
    let account = format!("{}:{account}", merchant.provider.provider());
    let late_since = told_until(client, hub).await?;
    let mut found = settlements::between(client, (FIRST_DAY, last), late_since).await?;
    found.retain(|day| day.account == account);
    for arrival in found.iter_mut().filter_map(|day| day.arrival.as_mut()) {
        arrival.reason = None;
    }
    Ok(found)
}

/// The forms of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// A workbook.
    Workbook,
    /// A page.
    Page,
    /// For machines.
    Json,
}

/// A statement in a form.
///
/// # Errors
/// When it cannot be written.
pub fn write(month: &Month, paper: Paper) -> Result<Vec<u8>, Fault> {
    match paper {
        Paper::Workbook => report::month_workbook(month).map_err(|error| Fault::internal(&error)),
        Paper::Page => report::month_page(month)
            .map(String::into_bytes)
            .map_err(|error| Fault::internal(&error)),
        Paper::Json => Ok(format!("{:#}\n", report::month_json(month)).into_bytes()),
    }
}
