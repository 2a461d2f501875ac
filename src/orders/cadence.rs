//! When an order is asked for next: the schedules, and what chooses between them. A payment of which
//! nobody tells is found within 10 seconds when it was made in the order's first 5 minutes or while
//! somebody has its page open, and within 60 seconds otherwise. The pauses are shorter than that by
//! what a worker's sleep and a slow answer may take.

use adapters::provider::Product;
use domain::order::OrderState;
use jiff::{SignedDuration, Timestamp};

use crate::store::combined::CombinedRecord;
use crate::store::orders::OrderRecord;

/// How long after its expiry an order that its provider does not know may still turn out paid.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// When a written order that never got an answer is picked up: longer than an answer may take.
pub(crate) const PICK_UP: SignedDuration = SignedDuration::from_secs(30);
/// For how long after its creation an order is asked for often: 5 minutes, and what the longest
/// call may take, because the pause is chosen when the answer is there.
const YOUNG: SignedDuration = SignedDuration::from_secs(320);
/// Between queries of an order that is young or whose page is open.
pub(crate) const OFTEN: SignedDuration = SignedDuration::from_secs(7);
/// Between queries of any other.
const SELDOM: SignedDuration = SignedDuration::from_secs(45);
/// Between queries while somebody stands at the counter.
const AT_COUNTER: SignedDuration = SignedDuration::from_secs(5);
/// Between queries of an order that can no longer be paid and about which its provider has long
/// said nothing.
const LATER: SignedDuration = SignedDuration::from_mins(10);
/// For how long after the end of its grace that is not long.
const LONG: SignedDuration = SignedDuration::from_hours(1);
/// The pauses of an order whose fate is unknown, in seconds; then it is asked for like any other.
const UNKNOWN: [i64; 5] = [1, 2, 3, 5, 7];
/// The pauses after closes that got no answer, in seconds; the last one repeats.
const CLOSING: [i64; 6] = [1, 2, 5, 10, 20, 45];

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
    /// How many closes of it got no answer.
    pub(crate) closes: i32,
    /// Until when somebody has its page open.
    pub(crate) watched_until: Option<Timestamp>,
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
            closes: order.closes,
            watched_until: order.watched_until,
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
            closes: whole.closes,
            watched_until: whole.watched_until,
            at_counter: false,
        }
    }
}

impl Watched {
    /// The last moment at which it may turn out paid by itself.
    fn last(&self) -> Timestamp {
        self.expires_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX)
    }

    /// How long to wait before the next query.
    fn pause(&self, now: Timestamp) -> SignedDuration {
        if let Some(seconds) = self.first() {
            return SignedDuration::from_secs(seconds);
        }
        let last = self.last();
        let is_watched = self.watched_until.is_some_and(|until| now < until);
        if now >= last.saturating_add(LONG).unwrap_or(Timestamp::MAX) {
            LATER
        } else if self.at_counter && now < last {
            AT_COUNTER
        } else if is_watched || now.duration_since(self.created_at) < YOUNG {
            OFTEN
        } else {
            SELDOM
        }
    }

    /// The pause while an answer to placing or closing is missing: seconds first, then longer.
    fn first(&self) -> Option<i64> {
        let number = usize::try_from(self.queries).unwrap_or(usize::MAX);
        if self.status.is_live() && self.closes > 0 {
            return CLOSING.get(number).or(CLOSING.last()).copied();
        }
        let is_open = matches!(self.status, OrderState::Unknown | OrderState::Created);
        UNKNOWN.get(number).copied().filter(|_| is_open)
    }
}

/// When an order is asked for whose close, which left now, got no answer.
pub(crate) fn after_silent_close(order: impl Into<Watched>, now: Timestamp) -> Option<Timestamp> {
    let order = order.into();
    let queries = if order.closes == 0 { 0 } else { order.queries.saturating_add(1) };
    let closes = order.closes.saturating_add(1);
    next(Watched { closes, queries, ..order }, now, Look::Unanswered)
}

/// When `order` is asked for after one more `look` at `now`; `None`: never again. A code that was
/// superseded may be paid until its time is over, so only an answer from after that ends it. One that
/// was taken back at the counter is looked at once more, until somebody answers.
pub(crate) fn next(order: impl Into<Watched>, now: Timestamp, look: Look) -> Option<Timestamp> {
    let order = order.into();
    let last = order.last();
    let superseded = order.status == OrderState::Closed && order.superseded;
    let over = superseded && now >= last && look == Look::Answered;
    let taken_back = order.status == OrderState::Closed && order.at_counter && now < last;
    let unheard = taken_back && look == Look::Unanswered;
    if !(order.status.is_live() || superseded || unheard) || over {
        return None;
    }
    let next = now.saturating_add(order.pause(now)).unwrap_or(Timestamp::MAX);
    // The expiry and the end of its grace are moments of their own.
    let moments = [order.expires_at, last];
    Some(moments.into_iter().filter(|moment| *moment > now).fold(next, Timestamp::min))
}

#[cfg(test)]
mod tests;
