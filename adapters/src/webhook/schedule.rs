//! When a webhook is tried again: the schedule that Standard Webhooks gives as its example, over
//! 75 h in all, with up to 20 % added so that receivers that come back are not hit all at once.

use jiff::SignedDuration;

/// The wait before each attempt, counted from the one before; the first goes at once.
pub const RETRY_DELAYS: [SignedDuration; 10] = [
    SignedDuration::ZERO,
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];

/// How many attempts there are before a message is a dead letter.
pub const ATTEMPTS: usize = RETRY_DELAYS.len();

/// How much chance may add to a wait, in thousandths of it.
pub const JITTER_PERMILLE_MAX: i32 = 200;

/// The longest wait that a receiver can ask for.
const ASKED_MAX: SignedDuration = super::THROTTLE_MAX;

/// How long to wait before the next attempt, when `attempts_made` failed; `None`: it is a dead
/// letter, visible and re-sent by hand.
///
/// `retry_after` is what the receiver asked for: it lengthens a wait, up to 24 h, and never
/// shortens it. `jitter` is a random number of 0 to 1000: 0 adds nothing, 1000 adds a fifth.
#[must_use]
pub fn next_attempt(
    attempts_made: usize,
    retry_after: Option<SignedDuration>,
    jitter: u16,
) -> Option<SignedDuration> {
    let planned = RETRY_DELAYS.get(attempts_made).copied()?;
    let asked = retry_after.unwrap_or(SignedDuration::ZERO).min(ASKED_MAX);
    let wait = planned.max(asked);
    let permille =
        i32::from(jitter.min(1000)).checked_mul(JITTER_PERMILLE_MAX)?.checked_div(1000)?;
    let extra = wait.checked_mul(permille)?.checked_div(1000)?;
    wait.checked_add(extra)
}
