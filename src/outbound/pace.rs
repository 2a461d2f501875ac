//! Keeps the providers' own limits, for each merchant and sort of call: in no second do more calls
//! leave than are allowed. Whoever would have to wait too long is told so and comes again later.
//! Each process keeps its own count.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use adapters::provider::Rate;
use domain::ids::MerchantId;
use tokio::time::Instant;

use super::Silence;

/// The span in which calls are counted.
const SPAN: Duration = Duration::from_secs(1);
/// How long a call waits for its turn; it is not sent when that is not enough.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The calls that left of late, by merchant and sort.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<BTreeMap<(MerchantId, &'static str), VecDeque<Instant>>>);

impl Pace {
    /// Waits for the turn of a call.
    ///
    /// # Errors
    /// [`Silence::NotSent`] when too many wait already.
    pub(super) async fn turn(&self, merchant: &MerchantId, rate: Rate) -> Result<(), Silence> {
        let now = Instant::now();
        let turn = {
            let mut sorts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            reserve(sorts.entry((merchant.clone(), rate.sort)).or_default(), rate, now)
        };
        match turn {
            Some(at) if at > now => {
                tokio::time::sleep_until(at).await;
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(Silence::NotSent(format!(
                "more than {} calls a second ({}) wait for their turn",
                rate.per_second, rate.sort
            ))),
        }
    }
}

/// Takes the next free place among `sent`, which holds the last calls in order; `None` when that is
/// too far away.
fn reserve(sent: &mut VecDeque<Instant>, rate: Rate, now: Instant) -> Option<Instant> {
    let most = usize::try_from(rate.per_second).unwrap_or(usize::MAX).max(1);
    while sent.front().is_some_and(|at| now.saturating_duration_since(*at) >= SPAN) {
        sent.pop_front();
    }
    let before = sent.len().checked_sub(most).and_then(|index| sent.get(index));
    let at = match before {
        None => now,
        Some(before) => before.checked_add(SPAN)?.max(now),
    };
    if at.saturating_duration_since(now) > PATIENCE {
        return None;
    }
    sent.push_back(at);
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Rate = Rate { sort: "bill", per_second: 3 };

    #[test]
    fn in_no_second_leave_more_than_the_limit_and_nobody_waits_for_ever() {
        let now = Instant::now();
        let mut sent = VecDeque::new();
        let left: Vec<Instant> =
            std::iter::from_fn(|| reserve(&mut sent, THREE, now)).take(100).collect();
        assert_eq!(left.len(), 9, "three now, three in a second, three in two");
        for window in left.windows(4) {
            assert!(window[3] - window[0] >= SPAN, "{window:?}");
        }
        assert_eq!(reserve(&mut sent, THREE, now + SPAN), Some(now + 3 * SPAN));
    }

    #[test]
    fn a_place_that_nobody_took_is_not_saved_up() {
        let now = Instant::now();
        let mut sent = VecDeque::new();
        reserve(&mut sent, THREE, now);
        let later = now + 10 * SPAN;
        let left: Vec<Instant> = (0..4).filter_map(|_| reserve(&mut sent, THREE, later)).collect();
        assert_eq!(left, [later, later, later, later + SPAN]);
    }

    #[tokio::test]
    async fn one_merchant_does_not_use_up_the_turns_of_another() {
        let pace = Pace::default();
        let (one, other) = ("one".parse().unwrap(), "other".parse().unwrap());
        let rate = Rate { sort: "call", per_second: 1 };
        let began = Instant::now();
        assert!(pace.turn(&one, rate).await.is_ok());
        assert!(pace.turn(&other, rate).await.is_ok());
        assert!(pace.turn(&one, Rate { sort: "bill", ..rate }).await.is_ok());
        assert!(began.elapsed() < SPAN);
        assert!(pace.turn(&one, rate).await.is_ok());
        assert!(began.elapsed() >= SPAN);
    }
}
