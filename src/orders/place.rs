//! Places an order at its provider, for the first time or again: always the stored call, byte for
//! byte, under the same number.

use adapters::provider::{Pay, Placed};
use adapters::wire::{Call, Outcome, Refusal};
use callbacks::Claim;
use domain::fact::{PaymentFact, ProviderFact, Source};
use domain::order::{OrderState, OrderTransition};
use jiff::Timestamp;

use super::cadence::{self, Look};
use super::follow::{ask_at, next_query, reschedule};
use super::terms::{has_moved, is_open, is_stale};
use super::turn::take_to_place;
use super::{call_context, load, merchant_of, product_of};
use crate::answering::Answering;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::outbound::{Evidence, Kind, Question, ask, ask_and_tell};
use crate::record::{Arrival, record};
use crate::seal::Purpose;
use crate::store::orders::{self, Answered, OrderRecord};

/// Whether an order's call goes out for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    /// It was just written.
    First,
    /// It went out before, or may have: its answer is not known.
    Again,
}

/// An order as an answer left it, and whether who asked for it is answered under his key.
type Left = (OrderRecord, bool);

/// Places `order` for the first time, by the `call` that was just written down with it, and writes
/// what came of it. That it leaves was written too.
///
/// # Errors
/// When the answer cannot be written: the order stays as it was and is picked up again.
pub(super) async fn place_first(
    hub: &Hub,
    order: &OrderRecord,
    call: &Call,
    answering: Option<&Answering<'_, OrderRecord>>,
) -> Result<Left, Fault> {
    let merchant = merchant_of(hub, order)?;
    match send(hub, merchant, order, (call, Sending::First), answering).await? {
        Some(left) => Ok(left),
        None => Ok((load(hub, &order.id).await?, false)),
    }
}

/// Places `order`, which is created or unknown, by its stored call, and writes what came of it.
///
/// # Errors
/// When the stored call cannot be read, or the answer cannot be written: the order stays as it was
/// and is picked up again.
pub(super) async fn place_again(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let merchant = merchant_of(hub, order)?;
    let call = stored(hub, order).await?;
    if !take_to_place(hub, order).await? {
        return passed_over(hub, order).await;
    }
    send(hub, merchant, order, (&call, Sending::Again), None).await?;
    Ok(())
}

/// Sends the call and writes what came of it. `None`: the order moved meanwhile, or was paid in the
/// same breath, so that it must be read to tell how it stands.
async fn send(
    hub: &Hub,
    merchant: &Merchant,
    order: &OrderRecord,
    (call, sending): (&Call, Sending),
    answering: Option<&Answering<'_, OrderRecord>>,
) -> Result<Option<Left>, Fault> {
    let (outcome, evidence) = offer_or_ask(hub, merchant, order, call).await?;
    let (outcome, fact) = match outcome {
        // Paid in the same breath: it is placed, and then the payment is booked.
        Outcome::Accepted(Placed::Paid(fact)) => {
            (Outcome::Accepted(Placed::Offered(Pay::None)), Some(fact))
        }
        outcome @ (Outcome::Accepted(Placed::Offered(_))
        | Outcome::Refused(_)
        | Outcome::Unknown(_)) => (outcome, None),
    };
    let meaning = match meaning(outcome) {
        // At the counter the first sending may have paid all the same, whatever a repeat is told:
        // queries follow it, and at its expiry it is taken back.
        Meaning::Refused(refusal)
            if sending == Sending::Again && product_of(order)?.is_at_counter() =>
        {
            tracing::warn!(order = %order.id, code = refusal.code, "a repeat at the counter is refused");
            Meaning::Open
        }
        meaning @ (Meaning::Offered(_) | Meaning::Open | Meaning::Refused(_)) => meaning,
    };
    // Who has paid is answered when that is booked.
    let answering = answering.filter(|_| fact.is_none());
    let mut left = write(hub, order, meaning, evidence.as_ref(), answering).await?;
    if let Some(fact) = fact {
        book(hub, merchant, fact).await?;
        left = None;
    }
    hub.signals.wake_follow();
    Ok(left)
}

/// It is not this order's turn any more. While it is live somebody asks for it again.
async fn passed_over(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let then = load(hub, &order.id).await?;
    if then.status.is_live() {
        reschedule(hub, &then, Look::Answered).await?;
    }
    Ok(())
}

/// The provider has the barcode of an order whose answer was lost, and waits for its payer: the
/// order is pending, and is asked for until it is paid or its time is over.
///
/// # Errors
/// When that cannot be written.
pub(super) async fn found_unpaid(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    write(hub, order, Meaning::Offered(Pay::None), None, None).await?;
    Ok(())
}

/// Gives a payer who comes again what is good now: what the provider's own page needs is signed
/// anew, and a code that is too old is asked for again, with the same bytes. When that brings
/// nothing, the order keeps what it has.
///
/// # Errors
/// When the stored call cannot be read, or the database does not answer.
pub(super) async fn renew(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let product = product_of(order)?;
    if order.status != OrderState::Pending || product.is_at_counter() {
        return Ok(());
    }
    let merchant = merchant_of(hub, order)?;
    let call = stored(hub, order).await?;
    let stamp = hub.stamp()?;
    let given_at = order.placed_at.unwrap_or(order.created_at);
    let outcome = match merchant.provider.offer(&call, &stamp) {
        Ok(Some(pay)) => Outcome::Accepted(Placed::Offered(pay)),
        Ok(None) if is_stale(product, given_at, stamp.now) => {
            ask(hub, merchant, question(order), &call, |answer, stamp| {
                merchant.provider.read_placed(&call, answer, stamp)
            })
            .await
        }
        Ok(None) => return Ok(()),
        Err(error) => return Err(Fault::internal(&error)),
    };
    match outcome {
        Outcome::Accepted(Placed::Offered(pay)) => {
            let pay = serde_json::to_value(&pay).map_err(|error| Fault::internal(&error))?;
            let client = hub.store.client().await?;
            orders::offered(&client, &order.id, &pay, hub.clock.now()).await?;
        }
        Outcome::Accepted(Placed::Paid(fact)) => book(hub, merchant, fact).await?,
        // Paid or closed there meanwhile, or nobody knows: a worker asks at once.
        outcome if is_open(&outcome) => {
            ask_at(hub, order, Some(stamp.now)).await?;
            hub.signals.wake_follow();
        }
        Outcome::Refused(_) | Outcome::Unknown(_) => {}
    }
    Ok(())
}

/// The stored call that places an order.
async fn stored(hub: &Hub, order: &OrderRecord) -> Result<Call, Fault> {
    let client = hub.store.client().await?;
    let sealed = orders::place_call(&client, &order.id).await?;
    drop(client);
    let sealed = sealed.ok_or_else(|| Fault::not_found("order"))?;
    let opened = hub.sealer.open(Purpose::Call, &sealed, call_context(&order.id).as_bytes())?;
    serde_json::from_slice(&opened).map_err(|error| Fault::internal(&error))
}

/// What the payer needs: made here where the payer carries it to the provider, else asked for, with
/// the evidence of that.
async fn offer_or_ask(
    hub: &Hub,
    merchant: &Merchant,
    order: &OrderRecord,
    call: &Call,
) -> Result<(Outcome<Placed>, Option<Evidence>), Fault> {
    let stamp = hub.stamp()?;
    match merchant.provider.offer(call, &stamp) {
        Ok(Some(pay)) => Ok((Outcome::Accepted(Placed::Offered(pay)), None)),
        Ok(None) => Ok(ask_and_tell(hub, merchant, question(order), call, |answer, stamp| {
            merchant.provider.read_placed(call, answer, stamp)
        })
        .await),
        Err(error) => Err(Fault::internal(&error)),
    }
}

fn question(order: &OrderRecord) -> Question<'_> {
    Question { operation: "place", subject: order.id.as_str(), kind: Kind::Call }
}

/// Books a payment that an answer brought.
async fn book(hub: &Hub, merchant: &Merchant, fact: PaymentFact) -> Result<(), Fault> {
    let claim = Claim { fact: ProviderFact::Payment(fact), source: Source::Query };
    record(hub, &[Arrival { merchant, claims: vec![claim], evidence: None }]).await?;
    Ok(())
}

/// Writes what an answer to placing changes, with the evidence of it and what who asked for the
/// order is answered; the order as it stands then. `None`: it moved meanwhile, and only the
/// evidence is written.
async fn write(
    hub: &Hub,
    order: &OrderRecord,
    meaning: Meaning,
    evidence: Option<&Evidence>,
    answering: Option<&Answering<'_, OrderRecord>>,
) -> Result<Option<Left>, Fault> {
    let now = hub.clock.now();
    let mut then = order.clone();
    then.queries = order.queries.saturating_add(1);
    (then.refused_reason, then.refused_code, then.refused_message) = (None, None, None);
    match meaning {
        Meaning::Offered(given) => {
            then.pay = Some(serde_json::to_value(&given).map_err(|error| Fault::internal(&error))?);
            (then.status, then.placed_at) = (after(order, OrderTransition::Place)?, Some(now));
            then.queries = 0;
        }
        Meaning::Open => then.status = after(order, OrderTransition::LoseTrack)?,
        Meaning::Refused(refusal) => {
            then.status = after(order, OrderTransition::Refuse)?;
            then.refused_reason = Some(refusal.reason.as_str().to_owned());
            then.refused_code = Some(refusal.code);
            then.refused_message = Some(refusal.message);
        }
    }
    let told = answering.map(|answering| (answering.key, (answering.answer)(&then)));
    let told = told.as_ref().map(|(key, (status, body))| (*key, *status, body.as_slice()));
    let call = evidence.map(Evidence::row);
    let answer = answered(order, &then, now);
    let written =
        async { orders::placed(&hub.store.client().await?, &answer, call.as_ref(), told).await };
    match written.await {
        Ok(placed) => Ok(placed.order.then_some((then, placed.key))),
        Err(error) => {
            // What is known of the call must not be lost with what was to be made of it; where nobody
            // knows whether it was written, it may stand twice.
            if let Some(evidence) = evidence {
                evidence.keep(hub).await;
            }
            Err(error.into())
        }
    }
}

/// What is to be written for `order` to stand as `then`.
fn answered<'a>(order: &'a OrderRecord, then: &'a OrderRecord, now: Timestamp) -> Answered<'a> {
    let is_given = then.status == OrderState::Pending;
    let refused = match (&then.refused_reason, &then.refused_code, &then.refused_message) {
        (Some(reason), Some(code), Some(message)) => {
            Some((reason.as_str(), code.as_str(), message.as_str()))
        }
        _ => None,
    };
    Answered {
        order_id: &order.id,
        before: order.status,
        after: then.status,
        pay: then.pay.as_ref().filter(|_| is_given).map(|pay| (pay, now)),
        refused,
        closed_at: None,
        superseded_at: None,
        next: next_query(now, cadence::next(then, now, Look::Answered), then.queries),
    }
}

/// What an answer to placing means, for one order or for several that are placed as one.
pub(crate) enum Meaning {
    /// The payer can pay.
    Offered(Pay),
    /// Only a query can tell.
    Open,
    /// It is refused for good.
    Refused(Refusal),
}

/// Reads an answer to placing.
pub(crate) fn meaning(outcome: Outcome<Placed>) -> Meaning {
    match outcome {
        Outcome::Accepted(Placed::Offered(given)) => Meaning::Offered(given),
        // Paid in the same breath: a query brings the payment.
        Outcome::Accepted(Placed::Paid(_)) | Outcome::Unknown(_) => Meaning::Open,
        // The number is known there in a way that only a query can tell.
        Outcome::Refused(found) if has_moved(found.reason) => Meaning::Open,
        Outcome::Refused(found) => Meaning::Refused(found),
    }
}

fn after(order: &OrderRecord, transition: OrderTransition) -> Result<OrderState, Fault> {
    order
        .status
        .after(transition)
        .map_err(|error| Fault::conflict("order_moved", error.to_string()))
}
