//! A person says which settlements a credit is. One is enough where it fits to the fen; where it
//! closes a difference, or takes a day whose money was due long before, another says the same.

use domain::Fen;
use domain::ids::SettlementId;
use domain::user::{UserAct, folded};
use jiff::civil::Date;
use reconciliation::settlement::{Candidate, Credit, Expected, SettlementCause, WINDOW};
use serde_json::json;

use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, RecordError, commit_acts};
use crate::settlement::{By, Coming, arrived, foresee, match_open};
use crate::store::{StoreError, Transaction, bank, settlements};
use crate::users;

/// Before the first day of any bank statement.
const EVER: Date = Date::constant(2000, 1, 1);

/// What a person says of a credit.
#[derive(Clone, Copy, Debug)]
pub struct Confirming<'a> {
    /// The bank's number of the credit.
    pub serial: &'a str,
    /// Of which settlements it is the money.
    pub settlements: &'a [SettlementId],
    /// Who says so.
    pub by: &'a str,
    /// Why, where it closes a difference.
    pub reason: Option<&'a str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The credit is matched and posted.
    Matched {
        /// What came more than was expected; less, where it is negative.
        difference: Fen,
    },
    /// It closes this difference, or takes a day of long before: another person must say the same.
    Waits {
        /// The difference.
        difference: Fen,
    },
}

/// Takes a person's word for a credit.
///
/// # Errors
/// 404 no such credit or settlement; 409 one of them is matched, or the same person said so before;
/// 422 settlements of several accounts, a name or reason that is none.
pub async fn confirm(hub: &Hub, asked: &Confirming<'_>) -> Result<Confirmed, Fault> {
    check(asked)?;
    let now = hub.clock.now();
    let mut ids: Vec<&str> = asked.settlements.iter().map(SettlementId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    let coming = Coming { matched: Some((asked.serial, &ids)), ..Coming::default() };
    let foreseen = foresee(hub, coming).await?;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    bank::in_turn(&tx).await?;
    let credit = credit(&tx, asked.serial).await?;
    let (candidate, is_old) = candidate(&tx, hub, &credit, &ids).await?;
    let difference = candidate.difference_fen;
    let before = settlements::claims(&tx, asked.serial, &ids, difference).await?;
    let by = users::permit(&tx, asked.by, UserAct::ConfirmSettlement).await?;
    let by = by.as_str();
    let reason = asked.reason.map(str::trim);
    let other = before.iter().find(|(name, _)| folded(name) != folded(by));
    let needs_two = difference != Fen::ZERO || is_old;
    if needs_two && reason.is_none() {
        let what = match is_old {
            true => "it was due long before".to_owned(),
            false => format!("it closes a difference of {} yuan", difference.yuan()),
        };
        let detail = format!("{what}: say why, and another must say the same");
        return Err(Fault::invalid("reason_missing", detail));
    }
    if needs_two && other.is_none() && !before.is_empty() {
        let detail = format!("{by} has said so already; another must be the second");
        return Err(Fault::conflict("same_person", detail));
    }
    settlements::claim(&tx, (asked.serial, &ids, difference), (by, reason), now).await?;
    let data = json!({
        "settlements": ids, "difference_fen": difference,
        "reason": audit::stands_for(&hub.sealer, reason),
    });
    let act = Act::of(by, "settlement.confirmed", asked.serial, data);
    if needs_two && other.is_none() {
        audit::write_down(&tx, &hub.sealer, &[act], now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        return Ok(Confirmed::Waits { difference });
    }
    let first = other.filter(|_| needs_two);
    let by = By {
        claimed: Some(first.map_or(by, |(name, _)| name.as_str())),
        confirmed: needs_two.then_some(by),
        reason,
    };
    let mut effects = Effects::new(now);
    arrived(&tx, &mut effects, &credit, &candidate, by, now).await?;
    // What was proposed for others may have lost its days.
    match_open(&tx, hub, &mut effects, foreseen, now).await?;
    commit_acts(hub, tx, effects, &[act]).await.map_err(alone)?;
    Ok(Confirmed::Matched { difference })
}

/// What the database says when it knows better.
fn alone(error: RecordError) -> Fault {
    let is_alone = match &error {
        RecordError::Store(error) => matches!(
            error.constraint(),
            Some("nobody_closes_a_difference_alone" | "nobody_takes_an_old_day_alone")
        ),
        RecordError::Seal(_) | RecordError::TooLarge | RecordError::Defect => false,
    };
    if is_alone {
        return Fault::conflict("same_person", "another must be the second");
    }
    error.into()
}

/// A credit that is not matched.
async fn credit(tx: &Transaction<'_>, serial: &str) -> Result<Credit, Fault> {
    let open = bank::open(tx, EVER).await?;
    if let Some(credit) = open.into_iter().find(|credit| credit.serial == serial) {
        return Ok(credit);
    }
    match bank::known(tx, &[serial]).await?.is_empty() {
        true => Err(Fault::not_found("bank line")),
        false => {
            let detail =
                format!("bank line {serial} is matched already, or is no money that came in");
            Err(Fault::conflict("bank_line_matched", detail))
        }
    }
}

/// The settlements that are named, against the credit; and whether one of them was due so long before
/// that nobody would look for it there.
async fn candidate(
    tx: &Transaction<'_>,
    hub: &Hub,
    credit: &Credit,
    ids: &[&str],
) -> Result<(Candidate, bool), Fault> {
    let all = settlements::expected(tx, EVER).await?;
    let mut days: Vec<&Expected> = Vec::new();
    for id in ids {
        let day = all.iter().find(|day| day.id == *id);
        let day = day.ok_or_else(|| Fault::not_found("settlement").with("settlement_id", *id))?;
        if !day.is_open {
            let detail = format!("money has arrived for settlement {id}");
            return Err(Fault::conflict("settlement_arrived", detail));
        }
        if day.day >= credit.value_date {
            let detail = format!(
                "settlement {id} is of {}, and the money came on {}: it comes after its day",
                day.day, credit.value_date
            );
            return Err(Fault::invalid("settlements_invalid", detail));
        }
        days.push(day);
    }
    let looked_at = hub.bank.before(credit.value_date, WINDOW);
    let is_old = days.iter().any(|day| day.net > Fen::ZERO && day.due_on < looked_at);
    days.sort_by_key(|day| day.day);
    let account = days.first().map(|day| day.account.clone()).unwrap_or_default();
    if days.is_empty() || days.iter().any(|day| day.account != account) {
        let detail = "name settlements of one account: a provider settles each by itself";
        return Err(Fault::invalid("settlements_invalid", detail));
    }
    let sum = |of: fn(&Expected) -> Fen| Fen::sum(days.iter().map(|day| of(day)));
    let (Some(expected), Some(fee)) = (sum(|day| day.net), sum(|day| day.fee)) else {
        return Err(Fault::invalid("settlements_invalid", "their sum does not fit"));
    };
    let difference = credit.amount.minus(expected);
    let difference = difference
        .ok_or_else(|| Fault::invalid("settlements_invalid", "their sum does not fit"))?;
    let candidate = Candidate {
        settlements: ids.iter().map(|id| (*id).to_owned()).collect(),
        account,
        days: days.iter().map(|day| day.day).collect(),
        expected_fen: expected,
        difference_fen: difference,
        cause: SettlementCause::of(credit.amount, expected, fee),
    };
    Ok((candidate, is_old))
}

fn check(asked: &Confirming<'_>) -> Result<(), Fault> {
    users::named("by", asked.by)?;
    asked.reason.map_or(Ok(()), |reason| users::reasoned(reason).map(drop))
}
