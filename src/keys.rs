//! Renews the providers' verification keys: at the start, every hour, and at once when a notice or
//! an answer names a key that the hub does not have. However many ask, one call goes out, and for
//! a while none after it: an invented serial costs nothing. What is known stays in use when a
//! renewal fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters::provider::{Learned, RenewedKeys};
use adapters::wire::Outcome;
use domain::ids::MerchantId;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::outbound::ask_for_keys;

/// How often keys are renewed; WeChat Pay wants it at least every 12 hours.
const HOURLY: SignedDuration = SignedDuration::from_hours(1);
/// When a renewal that failed is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// When a provider without such keys is asked again: a merchant changes its mode once in its life.
const NONE_THERE: SignedDuration = SignedDuration::from_hours(12);
/// For how long after a call unknown keys are simply unknown.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// How long a notice waits for a renewal: its provider waits 5 seconds for the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many notices of one merchant may wait at once, each with its body.
const MOST_WAITING: usize = 64;

/// What is known of each merchant's renewals, in this process.
#[derive(Debug, Default)]
pub struct Renewals(BTreeMap<MerchantId, Renewal>);

#[derive(Debug)]
struct Renewal {
    /// Held while a call is out.
    turn: tokio::sync::Mutex<()>,
    /// One permit for each notice for whose sake a renewal is waited for.
    waiting: Arc<Semaphore>,
    state: Mutex<State>,
}

impl Default for Renewal {
    fn default() -> Self {
        let waiting = Arc::new(Semaphore::new(MOST_WAITING));
        Self { turn: tokio::sync::Mutex::default(), waiting, state: Mutex::default() }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How many calls have ended.
    done: u64,
    /// When the last one ended.
    tried_at: Option<Timestamp>,
    /// When the next one is due; `None`: now.
    due_at: Option<Timestamp>,
}

impl Renewals {
    /// No call has been made yet for any of these.
    pub fn of<'a>(merchants: impl IntoIterator<Item = &'a MerchantId>) -> Self {
        Self(merchants.into_iter().map(|id| (id.clone(), Renewal::default())).collect())
    }
}

impl Renewal {
    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_again(&self, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.due_at = Some(now.saturating_add(HOURLY).unwrap_or(Timestamp::MAX));
    }

    fn ended(&self, now: Timestamp, next: SignedDuration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done = state.done.wrapping_add(1);
        state.tried_at = Some(now);
        state.due_at = Some(now.saturating_add(next).unwrap_or(Timestamp::MAX));
    }
}

/// Renews the keys of every merchant whose time has come; how many there were.
///
/// # Errors
/// None; the type is that of all workers.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    let mut renewed: usize = 0;
    for merchant in hub.merchants.values() {
        let (Some(keys), Some(renewal)) =
            (merchant.provider.renewed_keys(), hub.renewals.0.get(&merchant.id))
        else {
            continue;
        };
        let _turn = renewal.turn.lock().await;
        if renewal.state().due_at.is_none_or(|due| due <= hub.clock.now()) {
            renew(hub, merchant, keys, renewal).await;
            renewed = renewed.saturating_add(1);
        }
    }
    Ok(renewed)
}

/// Renews the keys of a merchant if something named one that is not there; whether it is worth
/// looking again.
pub async fn renew_if_missing(hub: &Hub, merchant: &Merchant) -> bool {
    match merchant.provider.renewed_keys() {
        Some(keys) if keys.is_key_missing() => renew_at_once(hub, merchant, keys).await,
        Some(_) | None => false,
    }
}

/// Renews the keys of a merchant now, unless that was done a moment ago; whether a call has ended
/// since this was asked for, by whomever it was made.
///
/// It waits for a short time only, and for so many notices at once only: then the key is unknown
/// for this time, and its provider sends the notice again. The renewal itself goes on.
pub async fn renew_for_a_notice(hub: &Arc<Hub>, merchant: &Merchant) -> bool {
    if merchant.provider.renewed_keys().is_none() {
        return false;
    }
    let Some(renewal) = hub.renewals.0.get(&merchant.id) else { return false };
    let Ok(permit) = Arc::clone(&renewal.waiting).try_acquire_owned() else {
        tracing::warn!(merchant = %merchant.id, "too many notices wait for new keys");
        return false;
    };
    let (hub, merchant) = (Arc::clone(hub), merchant.clone());
    let renewal = tokio::spawn(async move {
        let _permit = permit;
        match merchant.provider.renewed_keys() {
            Some(keys) => renew_at_once(&hub, &merchant, keys).await,
            None => false,
        }
    });
    // A panic in it is a renewal that brought nothing.
    matches!(tokio::time::timeout(PATIENCE, renewal).await, Ok(Ok(true)))
}

async fn renew_at_once(hub: &Hub, merchant: &Merchant, keys: &dyn RenewedKeys) -> bool {
    let Some(renewal) = hub.renewals.0.get(&merchant.id) else { return false };
    let before = renewal.state().done;
    let _turn = renewal.turn.lock().await;
    let state = renewal.state();
    if state.done != before {
        return true;
    }
    let pausing = state.tried_at.is_some_and(|tried_at| {
        let since = hub.clock.now().duration_since(tried_at);
        !since.is_negative() && since < PAUSE
    });
    if pausing {
        return false;
    }
    renew(hub, merchant, keys, renewal).await;
    true
}

/// What a renewal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// Keys, the last of which is good until then; `None`: without end.
    Good(Option<Timestamp>),
    /// The provider has none for this merchant: it signs with its public key alone.
    NoneThere,
    /// Nothing; the old keys stay.
    Failed(String),
}

/// Renews the keys of a merchant whatever was done before; `None` where its provider has none that
/// change.
pub async fn renew_now(hub: &Hub, merchant: &Merchant) -> Option<Renewed> {
    let keys = merchant.provider.renewed_keys()?;
    let renewal = hub.renewals.0.get(&merchant.id)?;
    let _turn = renewal.turn.lock().await;
    Some(renew(hub, merchant, keys, renewal).await)
}

/// One call, while the turn is held.
async fn renew(
    hub: &Hub,
    merchant: &Merchant,
    keys: &dyn RenewedKeys,
    renewal: &Renewal,
) -> Renewed {
    let Some(call) = keys.ask_keys() else {
        // Nothing is missing: no call was made, and the next one may be made at once.
        renewal.look_again(hub.clock.now());
        return Renewed::Good(keys.keys_expire_at());
    };
    let learned =
        ask_for_keys(hub, merchant, &call, |answer, stamp| keys.learn_keys(answer, stamp.now));
    let renewed = match learned.await {
        Outcome::Accepted(Learned::New(count)) => {
            tracing::info!(merchant = %merchant.id, count, "new keys of the provider");
            Renewed::Good(keys.keys_expire_at())
        }
        Outcome::Accepted(Learned::NoneThere) => Renewed::NoneThere,
        Outcome::Refused(refusal) => Renewed::Failed(refusal.code),
        Outcome::Unknown(why) => Renewed::Failed(why),
    };
    let next = match &renewed {
        Renewed::Good(_) => HOURLY,
        Renewed::NoneThere => NONE_THERE,
        Renewed::Failed(why) => {
            tracing::warn!(merchant = %merchant.id, why, "keys were not renewed; the old ones stay");
            AGAIN
        }
    };
    renewal.ended(hub.clock.now(), next);
    renewed
}
