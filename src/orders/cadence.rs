//! When an order is asked for next.

use domain::order::OrderState;
use jiff::{SignedDuration, Timestamp};

use crate::store::orders::OrderRecord;

/// How long after its expiry an order that its provider does not know may still turn out paid.
pub(super) const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// When a written order that never got an answer is picked up: longer than an answer may take.
pub(super) const PICK_UP: SignedDuration = SignedDuration::from_secs(30);
/// For how long after its creation an order is asked for often.
const YOUNG: SignedDuration = SignedDuration::from_mins(5);
const OFTEN: SignedDuration = SignedDuration::from_secs(10);
const SELDOM: SignedDuration = SignedDuration::from_secs(60);
/// The pauses of an order whose fate is unknown.
const UNKNOWN: [i64; 5] = [1, 2, 5, 10, 30];

/// Whether the provider said anything when it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It did.
    Answered,
    /// It did not, or refused to: whatever it would have said is still to be heard.
    Unanswered,
}

/// When `order` is asked for after one more `look` at `now`; `None`: never again. A code that was
/// superseded may be paid until its time is over, so only an answer from after that ends it.
pub(super) fn next(order: &OrderRecord, now: Timestamp, look: Look) -> Option<Timestamp> {
    let last = order.expires_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX);
    let superseded = order.status == OrderState::Closed && order.superseded_at.is_some();
    let over = superseded && now >= last && look == Look::Answered;
    if !(order.status.is_live() || superseded) || over {
        return None;
    }
    let queries = usize::try_from(order.queries).unwrap_or(usize::MAX);
    let pause = match (order.status, UNKNOWN.get(queries)) {
        (OrderState::Unknown | OrderState::Created, Some(seconds)) => {
            SignedDuration::from_secs(*seconds)
        }
        _ if now.duration_since(order.created_at) < YOUNG => OFTEN,
        _ => SELDOM,
    };
    let next = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
    // The expiry and the end of its grace are moments of their own.
    let moments = [order.expires_at, last];
    Some(moments.into_iter().filter(|moment| *moment > now).fold(next, Timestamp::min))
}
