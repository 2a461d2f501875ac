//! Closes a combined order: at the provider first, all parts or none, so that what is closed here
//! cannot be paid there.

use adapters::provider::{Closing, CombinedKey, PartKey};
use domain::ids::CombinedId;
use domain::order::OrderState;

use super::follow::{Standing, book, standing};
use super::write::{Step, reschedule, write};
use super::{asker, load};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::orders::cadence::{self, Look};
use crate::orders::{Closed, Why, decided, next_query};
use crate::outbound::{Kind, Question, ask};
use crate::store::combined::{self, CombinedRecord};

/// Closes a combined order.
///
/// # Errors
/// When the database does not answer.
pub async fn close(hub: &Hub, combined_id: &CombinedId, why: Why) -> Result<Closed, Fault> {
    let whole = load(hub, combined_id).await?;
    close_whole(hub, &whole, why).await
}

pub(super) async fn close_whole(
    hub: &Hub,
    whole: &CombinedRecord,
    why: Why,
) -> Result<Closed, Fault> {
    let (merchant, provider) = asker(hub, whole)?;
    let parts: Vec<PartKey<'_>> = whole
        .parts
        .iter()
        .filter_map(|part| {
            let payee = part.combined.as_ref()?.payee.as_str();
            Some(PartKey { payee, out_trade_no: &part.out_trade_no })
        })
        .collect();
    let key = CombinedKey { out_trade_no: &whole.out_trade_no, parts: &parts };
    let call = provider.close_combined(&key);
    let question = Question { operation: "close", subject: whole.id.as_str(), kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        provider.read_combined_closed(answer, stamp.now)
    })
    .await;
    match decided(outcome) {
        Some(Closing::Closed) => {
            write(hub, whole, &Step::give_up(false)).await?;
            settled(hub, whole).await
        }
        Some(Closing::Paid) => paid(hub, whole, why).await,
        Some(Closing::NotThere) => not_there(hub, whole, why).await,
        None => unsaid(hub, whole, why).await,
    }
}

/// The provider says that it is paid, or cannot be closed any more: a query tells which, and brings
/// the payments.
async fn paid(hub: &Hub, whole: &CombinedRecord, why: Why) -> Result<Closed, Fault> {
    match standing(hub, whole).await? {
        Some(Standing::Paid(facts)) => {
            book(hub, whole, facts).await?;
            settled(hub, whole).await
        }
        Some(Standing::Closed) => {
            write(hub, whole, &Step::give_up(false)).await?;
            settled(hub, whole).await
        }
        Some(Standing::Unpaid | Standing::Absent) | None => unsaid(hub, whole, why).await,
    }
}

/// The provider does not know it. One more query, because a placing whose answer was lost may have
/// come there meanwhile. On expiry it waits out its grace; otherwise it is superseded: closed for
/// the office, and watched as long as it may be paid.
async fn not_there(hub: &Hub, whole: &CombinedRecord, why: Why) -> Result<Closed, Fault> {
    match standing(hub, whole).await? {
        Some(Standing::Paid(facts)) => {
            book(hub, whole, facts).await?;
            return settled(hub, whole).await;
        }
        Some(Standing::Absent | Standing::Closed) => {}
        // It came there meanwhile, or no answer: whoever asked must ask again.
        Some(Standing::Unpaid) | None => return unsaid(hub, whole, why).await,
    }
    let over =
        whole.expires_at.saturating_add(cadence::GRACE).is_ok_and(|end| hub.clock.now() >= end);
    match why {
        Why::Expired if !over => reschedule(hub, whole, Look::Answered).await?,
        Why::Expired => write(hub, whole, &Step::give_up(false)).await?,
        Why::Asked | Why::Superseded => write(hub, whole, &Step::give_up(true)).await?,
    }
    settled(hub, whole).await
}

/// Nobody said anything on which one could act. Who wanted it closed before its time is over is
/// remembered: it is asked about and closed again until the provider has said that it is.
async fn unsaid(hub: &Hub, whole: &CombinedRecord, why: Why) -> Result<Closed, Fault> {
    let now = hub.clock.now();
    let wanted_at = match why {
        Why::Asked | Why::Superseded => Some(now),
        Why::Expired => None,
    };
    let next = next_query(now, cadence::after_silent_close(whole, now), whole.queries);
    let client = hub.store.client().await?;
    combined::close_unsaid(&client, &whole.id, wanted_at, &next).await?;
    Ok(Closed::Unknown)
}

/// How the parts stand after all that. One that is paid keeps the whole from being closed.
async fn settled(hub: &Hub, whole: &CombinedRecord) -> Result<Closed, Fault> {
    let then = load(hub, &whole.id).await?;
    Ok(if then.is_live() {
        Closed::Unknown
    } else if then.parts.iter().any(|part| part.status == OrderState::Paid) {
        Closed::Paid
    } else {
        Closed::Yes
    })
}
