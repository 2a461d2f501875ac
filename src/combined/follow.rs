//! Follows combined orders: one query under the number of the whole says how every part stands, and
//! lets the answer decide. The same path for a lost callback, a lost answer, an expiry and a crash.

use adapters::wire::{Outcome, Reason};
use callbacks::Claim;
use domain::fact::{OrderStanding, PaymentFact, ProviderFact, Source};
use domain::ids::{CombinedId, MerchantId, OutTradeNo};
use domain::order::OrderState;

use super::close::close_whole;
use super::place::place;
use super::write::{Step, reschedule, write};
use super::{asker, load};
use crate::fault::Fault;
use crate::hub::{Hub, Shift};
use crate::orders::Why;
use crate::orders::cadence::{self, Look};
use crate::outbound::{Asker, Kind, Question, ask, keep_busy, may_ask};
use crate::record::{Arrival, record};
use crate::store::combined::{self, CombinedRecord};

/// Follows combined orders of one merchant whose time has come, within its budget of queries, until
/// none is due or the shift is over; how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn run_of(hub: &Hub, merchant: &MerchantId, shift: &Shift) -> Result<usize, Fault> {
    let Some(of) = hub.merchants.get(merchant) else { return Ok(0) };
    let claim = |room| async move {
        let client = hub.store.client().await?;
        let now = hub.clock.now();
        let share = of.queries.share(Asker::Followers, now);
        Ok(combined::claim(&client, merchant, now, room, &share).await?)
    };
    let renew = |held: Vec<CombinedId>| async move {
        let client = hub.store.client().await?;
        Ok(combined::renew(&client, &held).await?)
    };
    keep_busy(of.queries.at_once(), shift, claim, renew, |whole: CombinedId| async move {
        if let Err(fault) = follow_counted(hub, &whole).await {
            tracing::warn!(combined = %whole, fault = fault.detail, "a combined order could not be followed");
        }
    })
    .await
}

/// Asks how a combined order stands and acts on the answer; the order as it is then. Where the
/// queries of this second are spent nobody is asked, and it is as it was.
///
/// # Errors
/// When the database does not answer.
pub async fn follow(hub: &Hub, combined_id: &CombinedId) -> Result<CombinedRecord, Fault> {
    let whole = load(hub, combined_id).await?;
    let (merchant, _) = asker(hub, &whole)?;
    if !may_ask(hub, merchant, Asker::Others).await? {
        return Ok(whole);
    }
    follow_counted(hub, combined_id).await
}

/// The same, its query being counted already.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn follow_counted(
    hub: &Hub,
    combined_id: &CombinedId,
) -> Result<CombinedRecord, Fault> {
    let whole = load(hub, combined_id).await?;
    if whole.parts.iter().all(|part| matches!(part.status, OrderState::Paid | OrderState::Failed)) {
        reschedule(hub, &whole, Look::Answered).await?;
        return Ok(whole);
    }
    match asked(hub, &whole).await? {
        Some(Standing::Paid(facts)) => {
            book(hub, &whole, facts).await?;
            let then = load(hub, combined_id).await?;
            reschedule(hub, &then, Look::Answered).await?;
        }
        Some(Standing::Closed) => write(hub, &whole, &Step::give_up(false)).await?,
        Some(Standing::Unpaid) => unpaid(hub, &whole).await?,
        Some(Standing::Absent) => absent(hub, &whole).await?,
        None => reschedule(hub, &whole, Look::Unanswered).await?,
    }
    load(hub, combined_id).await
}

/// How the whole stands at its provider.
pub(super) enum Standing {
    /// Money was taken for these parts: all of them, as the provider promises.
    Paid(Vec<PaymentFact>),
    /// It waits for the payer.
    Unpaid,
    /// It was closed there without a payment.
    Closed,
    /// The provider does not know it.
    Absent,
}

/// Asks how the whole stands, for whoever closes it, within the budget of queries; `None`: the
/// provider gave no answer that says.
pub(super) async fn standing(hub: &Hub, whole: &CombinedRecord) -> Result<Option<Standing>, Fault> {
    let (merchant, _) = asker(hub, whole)?;
    if !may_ask(hub, merchant, Asker::Closing).await? {
        return Ok(None);
    }
    asked(hub, whole).await
}

async fn asked(hub: &Hub, whole: &CombinedRecord) -> Result<Option<Standing>, Fault> {
    let parts = match query(hub, whole).await? {
        Outcome::Accepted(parts) => parts,
        Outcome::Refused(refusal) if refusal.reason == Reason::NotFound => Vec::new(),
        Outcome::Refused(_) | Outcome::Unknown(_) => return Ok(None),
    };
    let (mut paid, mut unpaid, mut closed) = (Vec::new(), false, false);
    for (_, standing) in parts {
        match standing {
            OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact) => paid.push(fact),
            OrderStanding::Unpaid => unpaid = true,
            OrderStanding::Closed => closed = true,
            OrderStanding::Absent => {}
        }
    }
    Ok(Some(match (paid.is_empty(), unpaid, closed) {
        (false, _, _) => Standing::Paid(paid),
        (true, true, _) => Standing::Unpaid,
        (true, false, true) => Standing::Closed,
        (true, false, false) => Standing::Absent,
    }))
}

async fn query(
    hub: &Hub,
    whole: &CombinedRecord,
) -> Result<Outcome<Vec<(OutTradeNo, OrderStanding)>>, Fault> {
    let (merchant, provider) = asker(hub, whole)?;
    let call = provider.query_combined(&whole.out_trade_no);
    let question = Question { operation: "query", subject: whole.id.as_str(), kind: Kind::Call };
    Ok(ask(hub, merchant, question, &call, |answer, stamp| {
        match provider.read_combined(&whole.out_trade_no, answer, stamp.now) {
            Outcome::Accepted(parts) => Outcome::Accepted(
                parts.into_iter().map(|part| (part.out_trade_no, part.standing)).collect(),
            ),
            Outcome::Refused(refusal) => Outcome::Refused(refusal),
            Outcome::Unknown(why) => Outcome::Unknown(why),
        }
    })
    .await)
}

/// How one part stands at its provider, asked for as the provider wants it: through the whole. Its
/// query is counted already.
///
/// # Errors
/// When the database does not answer.
pub async fn part_standing(
    hub: &Hub,
    combined_id: &CombinedId,
    number: &OutTradeNo,
) -> Result<Outcome<OrderStanding>, Fault> {
    let whole = load(hub, combined_id).await?;
    Ok(match query(hub, &whole).await? {
        Outcome::Accepted(parts) => Outcome::Accepted(
            parts
                .into_iter()
                .find(|(part, _)| part == number)
                .map_or(OrderStanding::Absent, |(_, standing)| standing),
        ),
        Outcome::Refused(refusal) => Outcome::Refused(refusal),
        Outcome::Unknown(why) => Outcome::Unknown(why),
    })
}

/// Records what a query says was paid, all parts at once.
pub(super) async fn book(
    hub: &Hub,
    whole: &CombinedRecord,
    facts: Vec<PaymentFact>,
) -> Result<(), Fault> {
    let (merchant, _) = asker(hub, whole)?;
    let claims = facts
        .into_iter()
        .map(|fact| Claim { fact: ProviderFact::Payment(fact), source: Source::Query })
        .collect();
    record(hub, &[Arrival { merchant, claims, evidence: None }]).await?;
    Ok(())
}

/// The provider waits for the payer.
async fn unpaid(hub: &Hub, whole: &CombinedRecord) -> Result<(), Fault> {
    let expired = hub.clock.now() >= whole.expires_at;
    match whole.status() {
        // Given up before it came there: now it can be closed there.
        OrderState::Closed | OrderState::Failed => superseded(hub, whole).await,
        _ if expired => close_whole(hub, whole, Why::Expired).await.map(|_closed| ()),
        OrderState::Created | OrderState::Pending | OrderState::Unknown
            if whole.is_to_be_closed() =>
        {
            superseded(hub, whole).await
        }
        OrderState::Created | OrderState::Unknown => place(hub, whole).await,
        OrderState::Pending | OrderState::Paid => reschedule(hub, whole, Look::Answered).await,
    }
}

/// The provider does not know it: it never came there.
async fn absent(hub: &Hub, whole: &CombinedRecord) -> Result<(), Fault> {
    let now = hub.clock.now();
    let over = whole.expires_at.saturating_add(cadence::GRACE).is_ok_and(|end| now >= end);
    match whole.status() {
        OrderState::Created | OrderState::Unknown | OrderState::Pending
            if !over && whole.is_to_be_closed() =>
        {
            superseded(hub, whole).await
        }
        OrderState::Created | OrderState::Unknown if now < whole.expires_at => {
            place(hub, whole).await
        }
        OrderState::Created | OrderState::Unknown | OrderState::Pending if over => {
            write(hub, whole, &Step::give_up(false)).await
        }
        OrderState::Created
        | OrderState::Unknown
        | OrderState::Pending
        | OrderState::Closed
        | OrderState::Paid
        | OrderState::Failed => reschedule(hub, whole, Look::Answered).await,
    }
}

async fn superseded(hub: &Hub, whole: &CombinedRecord) -> Result<(), Fault> {
    close_whole(hub, whole, Why::Superseded).await.map(|_closed| ())
}
