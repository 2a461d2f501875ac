//! Which credits at the bank are payers' transfers: what is in no doubt is booked, the rest is
//! proposed, and what is wrong is told once.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{IncidentId, MerchantId};
use domain::personal::Personal;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::covering::MOST_STEPS_IN_ALL;
use reconciliation::payer::{OwedStatement, PayerCandidate, Paying, Transfer, paying};
use reconciliation::settlement::Credit;
use uuid::Uuid;

use super::settle::{Said, serial, settle};
use crate::bank::counter_of;
use crate::config::{PayerAccount, plain_account};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::Effects;
use crate::store::incidents::{self, NewIncident};
use crate::store::payers;
use crate::store::{StoreError, Transaction};

/// Matches credits with payers' statements, and gives those back that are no payer's, in their order,
/// and the serials of those that are, or may be. The caller holds the bank's turn and commits the
/// effects. `reach` is the last day of which the bank has told.
///
/// # Errors
/// When the database does not answer, or what is sealed was changed.
pub(crate) async fn match_transfers(
    tx: &Transaction<'_>,
    hub: &Hub,
    effects: &mut Effects,
    (credits, reach): (Vec<Credit>, Date),
    now: Timestamp,
) -> Result<(Vec<Credit>, BTreeSet<String>), Fault> {
    if hub.payers.is_empty() {
        return Ok((credits, BTreeSet::new()));
    }
    let ids: Vec<&str> = hub.payers.iter().map(|account| account.id.as_str()).collect();
    let mut statements = payers::owed(tx, &ids).await?;
    if statements.is_empty() {
        return Ok((credits, BTreeSet::new()));
    }
    let mut senders: BTreeMap<String, String> = senders(tx, hub, &credits).await?;
    let (mut taken, mut proposed) = (BTreeSet::new(), Vec::new());
    let mut steps = MOST_STEPS_IN_ALL;
    // What came first pays first.
    let mut in_turn: Vec<&Credit> = credits.iter().collect();
    in_turn.sort_by_key(|credit| (credit.value_date, &credit.serial));
    for credit in in_turn {
        let sender = senders.remove(&credit.serial);
        let transfer = Transfer {
            amount: credit.amount,
            reference: &credit.reference,
            sender: sender.as_deref(),
            hinted: hinted(hub, &credit.reference),
        };
        let found = match paying(&transfer, &statements, &mut steps) {
            // Of a match that people took back only people say what it is.
            Paying::Pays(found) if !credit.is_taken_back && serial(credit).is_ok() => {
                match pay(tx, hub, effects, (credit, &found), &mut statements, now).await? {
                    true => Vec::new(),
                    // A fee was withdrawn in this moment: the next look says what it is.
                    false => vec![found],
                }
            }
            Paying::Pays(found) => vec![found],
            Paying::Proposed(found) => {
                tell_candidate(tx, credit, &found, now).await?;
                found
            }
            // It may have been somebody's before.
            Paying::Nobodys => {
                proposed.push((credit.serial.clone(), Vec::new()));
                continue;
            }
        };
        taken.insert(credit.serial.clone());
        proposed.push((credit.serial.clone(), found));
    }
    payers::propose(tx, &proposed).await?;
    tell_overdue(tx, &statements, reach, now).await?;
    let others = credits.into_iter().filter(|credit| !taken.contains(&credit.serial));
    Ok((others.collect(), taken))
}

/// Pays what is in no doubt; whether it still was, once it was locked.
async fn pay(
    tx: &Transaction<'_>,
    hub: &Hub,
    effects: &mut Effects,
    (credit, found): (&Credit, &PayerCandidate),
    statements: &mut [OwedStatement],
    now: Timestamp,
) -> Result<bool, Fault> {
    let account = hub.payers.iter().find(|account| account.id.as_str() == found.account);
    let account = account.ok_or_else(|| Fault::internal(&"a payer that is not configured"))?;
    let named: Vec<&OwedStatement> =
        statements.iter().filter(|it| found.statements.contains(&it.id)).collect();
    match settle(tx, effects, account, (&[credit], &named), Said::default(), now).await {
        Err(fault) if fault.code == "transfer_differs" => return Ok(false),
        done => done?,
    };
    for statement in statements.iter_mut().filter(|it| found.statements.contains(&it.id)) {
        statement.is_paid = true;
        statement.open = domain::Fen::ZERO;
    }
    Ok(true)
}

/// Whose bank account a credit came from, by its serial; not those of nobody's.
async fn senders(
    tx: &Transaction<'_>,
    hub: &Hub,
    credits: &[Credit],
) -> Result<BTreeMap<String, String>, Fault> {
    let serials: Vec<&str> = credits.iter().map(|credit| credit.serial.as_str()).collect();
    let mut found = BTreeMap::new();
    for (serial, sealed) in payers::counters(tx, &serials).await? {
        let (_, account) = counter_of(hub, &serial, &sealed)?;
        if let Some(payer) = sender(hub, &account) {
            found.insert(serial, payer.id.to_string());
        }
    }
    Ok(found)
}

fn sender<'h>(hub: &'h Hub, account: &Personal) -> Option<&'h PayerAccount> {
    let number = plain_account(account.clear());
    let is_it = |own: &Personal| !number.is_empty() && own.clear() == number;
    hub.payers.iter().find(|payer| payer.bank_accounts.iter().any(is_it))
}

/// The one account of which a word stands in the reference.
fn hinted<'h>(hub: &'h Hub, reference: &str) -> Option<&'h str> {
    let hints =
        |payer: &&PayerAccount| payer.reference.iter().any(|word| reference.contains(word.trim()));
    let mut found = hub.payers.iter().filter(hints);
    let only = found.next()?;
    found.next().is_none().then(|| only.id.as_str())
}

/// Tells of a transfer that is in doubt for a reason, once.
async fn tell_candidate(
    tx: &Transaction<'_>,
    credit: &Credit,
    found: &[PayerCandidate],
    now: Timestamp,
) -> Result<(), Fault> {
    let [one] = found else { return Ok(()) };
    let Some(cause) = one.cause else { return Ok(()) };
    let detail = format!(
        "{}: bank line {} of {} brought {} yuan, of {} {} yuan are owed, difference {}; {}",
        one.account,
        credit.serial,
        credit.value_date,
        credit.amount.yuan(),
        one.numbers.join(", "),
        one.open_fen.yuan(),
        one.difference_fen.yuan(),
        one.proposed_action
    );
    tell(tx, cause.as_str(), &one.account, &credit.serial, &detail, now).await
}

/// Tells of statements that were due before the last day of which the bank has told, once each.
async fn tell_overdue(
    tx: &Transaction<'_>,
    statements: &[OwedStatement],
    reach: Date,
    now: Timestamp,
) -> Result<(), Fault> {
    let is_late =
        |it: &&OwedStatement| !it.is_paid && it.open > domain::Fen::ZERO && it.due_on < reach;
    for late in statements.iter().filter(is_late) {
        let detail = format!(
            "{}: statement {} of {} yuan was due on {} and is not paid; remind the payer",
            late.account,
            late.number,
            late.open.yuan(),
            late.due_on
        );
        tell(tx, "payer_statement_overdue", &late.account, &late.id, &detail, now).await?;
    }
    Ok(())
}

async fn tell(
    tx: &Transaction<'_>,
    kind: &str,
    account: &str,
    cause: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let journal: MerchantId = account.parse().map_err(|error| Fault::internal(&error))?;
    let new = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &journal,
        kind,
        detail,
        dedupe_key: &format!("{kind}:{cause}"),
        order_id: None,
        refund_id: None,
        now,
    };
    incidents::open(tx, &new).await.map_err(|error: StoreError| error.into()).map(drop)
}
