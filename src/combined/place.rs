//! Places all parts by one call, for the first time or again: always the stored call, byte for
//! byte, under the same numbers.

use adapters::provider::Placed;
use adapters::wire::{Call, Outcome};
use domain::order::{OrderState, OrderTransition};
use domain::provider::UnknownWord;

use super::write::{Step, write};
use super::{asker, call_context};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::orders::terms::{is_open, is_stale};
use crate::orders::{Meaning, meaning, next_query};
use crate::outbound::{Kind, Question, ask};
use crate::seal::Purpose;
use crate::store::combined::{self, CombinedRecord};

/// Places `whole`, which is created or unknown, and writes what came of it.
///
/// # Errors
/// When the stored call cannot be read, or the answer cannot be written: the parts stay as they
/// were and are picked up again.
pub(super) async fn place(hub: &Hub, whole: &CombinedRecord) -> Result<(), Fault> {
    let outcome = ask_to_place(hub, whole).await?;
    let mut step = Step {
        transition: OrderTransition::LoseTrack,
        pay: None,
        refused: None,
        superseded: false,
        queries: whole.queries.saturating_add(1),
    };
    let pay;
    let refusal;
    match meaning(outcome) {
        Meaning::Offered(given) => {
            pay = serde_json::to_value(&given).map_err(|error| Fault::internal(&error))?;
            step.transition = OrderTransition::Place;
            step.pay = Some(&pay);
            step.queries = 0;
        }
        Meaning::Open => {}
        Meaning::Refused(found) => {
            refusal = found;
            step.transition = OrderTransition::Refuse;
            step.refused =
                Some((refusal.reason.as_str(), refusal.code.as_str(), refusal.message.as_str()));
        }
    }
    write(hub, whole, &step).await?;
    hub.signals.wake_follow();
    Ok(())
}

/// Gives a payer who comes again a code that is good now: one that is too old is asked for again,
/// with the same bytes. When that brings nothing, the order keeps what it has.
///
/// # Errors
/// When the stored call cannot be read, or the database does not answer.
pub(super) async fn renew(hub: &Hub, whole: &CombinedRecord) -> Result<(), Fault> {
    let product = whole.product.parse().map_err(|error: UnknownWord| Fault::internal(&error))?;
    let now = hub.clock.now();
    let given_at = whole.placed_at.unwrap_or(whole.created_at);
    if whole.status() != OrderState::Pending || !is_stale(product, given_at, now) {
        return Ok(());
    }
    match ask_to_place(hub, whole).await? {
        Outcome::Accepted(Placed::Offered(pay)) => {
            let pay = serde_json::to_value(&pay).map_err(|error| Fault::internal(&error))?;
            let client = hub.store.client().await?;
            combined::offered(&client, &whole.id, &pay, hub.clock.now()).await?;
        }
        // Paid or closed there meanwhile, or nobody knows: a worker asks at once.
        outcome if is_open(&outcome) => {
            let client = hub.store.client().await?;
            let next = next_query(now, Some(now), whole.queries);
            combined::reschedule(&client, &whole.id, &next).await?;
            hub.signals.wake_follow();
        }
        // No combined payment is taken in the same breath.
        Outcome::Accepted(Placed::Paid(_)) | Outcome::Refused(_) | Outcome::Unknown(_) => {}
    }
    Ok(())
}

async fn ask_to_place(hub: &Hub, whole: &CombinedRecord) -> Result<Outcome<Placed>, Fault> {
    let (merchant, provider) = asker(hub, whole)?;
    let client = hub.store.client().await?;
    let sealed = combined::place_call(&client, &whole.id).await?;
    drop(client);
    let sealed = sealed.ok_or_else(|| Fault::not_found("combined order"))?;
    let opened = hub.sealer.open(Purpose::Call, &sealed, call_context(&whole.id).as_bytes())?;
    let call: Call = serde_json::from_slice(&opened).map_err(|error| Fault::internal(&error))?;
    let question = Question { operation: "place", subject: whole.id.as_str(), kind: Kind::Call };
    Ok(ask(hub, merchant, question, &call, |answer, stamp| {
        provider.read_combined_placed(&call, answer, stamp)
    })
    .await)
}
