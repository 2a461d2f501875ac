//! Which credits are which settlements: what is clear is written and posted in one transaction, the
//! rest is proposed.

use domain::Fen;
use domain::ids::{MerchantId, SettlementMatchId};
use domain::time::day_start;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use reconciliation::settlement::{CARRY, Candidate, Credit, Proposed, Settled, WINDOW, split};
use uuid::Uuid;

use super::foresee::{Coming, Foreseen, decide, standing};
use super::remitted::match_debits;
use super::{Told, amount, tell, tell_late};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::payers::match_transfers;
use crate::record::Effects;
use crate::store::settlements::{self, NewMatch};
use crate::store::{StoreError, Transaction, bank, incidents};

/// For how many days before the last that the bank told of a line is tried again by itself.
pub(super) const TRIED_FOR: i32 = 120;
/// How many days of settlements lie before the oldest credit that is tried: the window of bank days,
/// with holidays between.
pub(super) const BEFORE: i32 = 45;
/// In whose name the hub closes what has resolved itself.
const HUB: &str = "payhub";

/// Who says that a credit is some settlements, and why.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct By<'a> {
    /// Who said so first; `None`: it was clear by itself.
    pub(crate) claimed: Option<&'a str>,
    /// Who confirmed it, where it differs.
    pub(crate) confirmed: Option<&'a str>,
    /// Why.
    pub(crate) reason: Option<&'a str>,
}

/// Matches every open credit that is clear, and writes what is proposed for the others: as it was
/// foreseen, where everything still stands so. The caller holds the bank's turn and commits the effects.
///
/// # Errors
/// When the database does not answer, or a sum does not fit.
pub(crate) async fn match_open(
    tx: &Transaction<'_>,
    hub: &Hub,
    effects: &mut Effects,
    foreseen: Option<Foreseen>,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(mut found) = standing(tx, hub, Coming::default()).await? else { return Ok(()) };
    let since = days_before(found.reach, TRIED_FOR);
    due_anew(tx, hub, since).await?;
    // What is a payer's, or may be, is no provider's, and none of its proposals stand.
    let all = std::mem::take(&mut found.credits);
    let mut proposed: Vec<(String, Proposed)> = Vec::new();
    let (others, payers) = match_transfers(tx, hub, effects, (all, found.reach), now).await?;
    found.credits = others;
    proposed.extend(payers.into_iter().map(|serial| (serial, Proposed::default())));
    let Foreseen { on, mut settled } = match foreseen {
        Some(foreseen) if foreseen.on == found => foreseen,
        // Somebody else was first, or a payer sent some of it.
        Some(_) | None => decide(hub, found).await?,
    };
    for credit in &on.credits {
        match settled.remove(&credit.serial) {
            Some(Settled::Matched(candidate)) => {
                arrived(tx, effects, credit, &candidate, By::default(), now).await?;
            }
            Some(Settled::Proposed(it)) => {
                tell_difference(tx, credit, &it, now).await?;
                proposed.push((credit.serial.clone(), it));
            }
            None => {}
        }
    }
    bank::propose(tx, &proposed).await?;
    match_debits(tx, hub, since, now).await?;
    let until = hub.bank.before(on.reach, CARRY);
    tell_late(tx, (days_before(until, TRIED_FOR), until), now).await?;
    Ok(())
}

/// Sets anew when money is due whose calendar was announced meanwhile.
async fn due_anew(tx: &Transaction<'_>, hub: &Hub, since: Date) -> Result<(), StoreError> {
    let expected = settlements::expected(tx, since).await?;
    let moved = expected.iter().filter(|day| day.is_open && day.due_on != hub.bank.due_on(day.day));
    let moved: Vec<(&str, Date)> =
        moved.map(|day| (day.id.as_str(), hub.bank.due_on(day.day))).collect();
    settlements::due(tx, &moved).await
}

/// Writes that a credit is the settlement of some days, and posts it in each merchant's journal. What
/// came more or less than was expected is each merchant's in proportion to what was to come for it.
///
/// # Errors
/// When the database does not answer, or a sum does not fit.
pub(crate) async fn arrived(
    tx: &Transaction<'_>,
    effects: &mut Effects,
    credit: &Credit,
    candidate: &Candidate,
    by: By<'_>,
    now: Timestamp,
) -> Result<SettlementMatchId, Fault> {
    let days: Vec<&str> = candidate.settlements.iter().map(String::as_str).collect();
    let mut shares = settlements::shares_of(tx, &days).await?;
    let nets: Vec<Fen> = shares.iter().map(|(_, net)| *net).collect();
    let parts = split(&nets, candidate.difference_fen).ok_or_else(too_large)?;
    for ((_, share), part) in shares.iter_mut().zip(parts) {
        *share = share.plus(part).ok_or_else(too_large)?;
    }
    shares.retain(|(_, share)| *share != Fen::ZERO);
    let match_id = SettlementMatchId::new(Uuid::now_v7());
    let new = NewMatch {
        match_id: &match_id,
        bank_serial: &credit.serial,
        amount: credit.amount,
        candidate,
        claimed_by: by.claimed,
        confirmed_by: by.confirmed,
        reason: by.reason,
        shares: &shares,
        now,
    };
    settlements::arrive(tx, &new).await?;
    for (merchant, share) in &shares {
        effects.arrive(merchant, &match_id, *share, day_start(credit.value_date))?;
    }
    incidents::arrived(tx, (&days, &credit.serial), HUB, now).await?;
    Ok(match_id)
}

/// Tells of a credit that is proposed with a difference: two people decide about it.
async fn tell_difference(
    tx: &Transaction<'_>,
    credit: &Credit,
    proposed: &Proposed,
    now: Timestamp,
) -> Result<(), StoreError> {
    let [candidate] = proposed.candidates.as_slice() else { return Ok(()) };
    let Some(cause) = candidate.cause else { return Ok(()) };
    let Some(first) = candidate.settlements.first() else { return Ok(()) };
    let shares = settlements::shares_of(tx, &[first.as_str()]).await?;
    let Some(merchant) = shares.first().map(|(merchant, _): &(MerchantId, Fen)| merchant) else {
        return Ok(());
    };
    let days: Vec<String> = candidate.days.iter().map(Date::to_string).collect();
    let told = Told {
        kind: cause.as_str(),
        merchant,
        cause: credit.serial.clone(),
        detail: format!(
            "{}: bank line {} of {} brought {}, for {} {} were expected, difference {}",
            candidate.account,
            credit.serial,
            credit.value_date,
            amount(credit.amount),
            days.join(", "),
            amount(candidate.expected_fen),
            amount(candidate.difference_fen)
        ),
    };
    tell(tx, &told, now).await
}

pub(super) fn days_before(day: Date, days: i32) -> Date {
    day.checked_sub(Span::new().days(days)).unwrap_or(day)
}

fn too_large() -> Fault {
    Fault::internal(&"a sum does not fit into the books")
}

const _: () = assert!(WINDOW < 30, "a window of bank days must lie within the days that are read");
