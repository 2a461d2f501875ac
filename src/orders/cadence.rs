//! When an order is asked for next.

use adapters::provider::Product;
use domain::order::OrderState;
use jiff::{SignedDuration, Timestamp};

use crate::store::combined::CombinedRecord;
use crate::store::orders::OrderRecord;

/// How long after its expiry an order that its provider does not know may still turn out paid.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// When a written order that never got an answer is picked up: longer than an answer may take.
pub(crate) const PICK_UP: SignedDuration = SignedDuration::from_secs(30);
/// For how long after its creation an order is asked for often.
const YOUNG: SignedDuration = SignedDuration::from_mins(5);
const OFTEN: SignedDuration = SignedDuration::from_secs(10);
const SELDOM: SignedDuration = SignedDuration::from_secs(60);
/// Between queries while somebody stands at the counter.
const AT_COUNTER: SignedDuration = SignedDuration::from_secs(5);
/// The pauses of an order whose fate is unknown.
const UNKNOWN: [i64; 5] = [1, 2, 5, 10, 30];

/// Whether the provider said anything when it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It did.
    Answered,
    /// It did not, or refused to: whatever it would have said is still to be heard.
    Unanswered,
}

/// What decides when an order, or a whole of several, is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    /// Where it stands.
    pub(crate) status: OrderState,
    /// Whether a code was superseded that its provider could not close.
    pub(crate) superseded: bool,
    /// When it was written.
    pub(crate) created_at: Timestamp,
    /// When it can no longer be paid.
    pub(crate) expires_at: Timestamp,
    /// How often it was asked for since it last moved.
    pub(crate) queries: i32,
    /// Whether somebody stands at the counter and waits.
    pub(crate) at_counter: bool,
}

impl From<&OrderRecord> for Watched {
    fn from(order: &OrderRecord) -> Self {
        Self {
            status: order.status,
            superseded: order.superseded_at.is_some(),
            created_at: order.created_at,
            expires_at: order.expires_at,
            queries: order.queries,
            at_counter: order.product.parse().is_ok_and(Product::is_at_counter),
        }
    }
}

impl From<&CombinedRecord> for Watched {
    fn from(whole: &CombinedRecord) -> Self {
        Self {
            status: whole.status(),
            superseded: whole.is_superseded(),
            created_at: whole.created_at,
            expires_at: whole.expires_at,
            queries: whole.queries,
            at_counter: false,
        }
    }
}

/// When `order` is asked for after one more `look` at `now`; `None`: never again. A code that was
/// superseded may be paid until its time is over, so only an answer from after that ends it. One that
/// was taken back at the counter is looked at once more, until somebody answers.
pub(crate) fn next(order: impl Into<Watched>, now: Timestamp, look: Look) -> Option<Timestamp> {
    let order = order.into();
    let last = order.expires_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX);
    let superseded = order.status == OrderState::Closed && order.superseded;
    let over = superseded && now >= last && look == Look::Answered;
    let taken_back = order.status == OrderState::Closed && order.at_counter && now < last;
    let unheard = taken_back && look == Look::Unanswered;
    if !(order.status.is_live() || superseded || unheard) || over {
        return None;
    }
    let queries = usize::try_from(order.queries).unwrap_or(usize::MAX);
    let pause = match (order.status, UNKNOWN.get(queries)) {
        (OrderState::Unknown | OrderState::Created, Some(seconds)) => {
            SignedDuration::from_secs(*seconds)
        }
        _ if order.at_counter && now < last => AT_COUNTER,
        _ if now.duration_since(order.created_at) < YOUNG => OFTEN,
        _ => SELDOM,
    };
    let next = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
    // The expiry and the end of its grace are moments of their own.
    let moments = [order.expires_at, last];
    Some(moments.into_iter().filter(|moment| *moment > now).fold(next, Timestamp::min))
}
