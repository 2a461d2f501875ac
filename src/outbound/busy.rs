//! Keeps some questions under way at once, without waiting for the slowest: whoever is answered
//! makes room for what is due next.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, timeout};

use crate::fault::Fault;

/// For how long one run goes on claiming; then it ends what it has, so that a hub can stop.
const CLAIMING: Duration = Duration::from_secs(10);
/// How often what comes due is looked for while answers are awaited.
const LOOK: Duration = Duration::from_millis(250);

/// Claims what is due, at most `most` at once, and works on each, until nothing is due; how many
/// there were. `claim` is given the room that is left.
///
/// # Errors
/// When nothing could be claimed. What goes wrong with one does not stop the others.
pub(crate) async fn keep_busy<I, C, W>(
    most: usize,
    claim: impl Fn(i64) -> C,
    work: impl Fn(I) -> W,
) -> Result<usize, Fault>
where
    C: Future<Output = Result<Vec<I>, Fault>>,
    W: Future<Output = ()>,
{
    let begun = Instant::now();
    let mut under_way = FuturesUnordered::new();
    let mut taken: usize = 0;
    loop {
        let room = most.saturating_sub(under_way.len());
        if room > 0 && begun.elapsed() < CLAIMING {
            match claim(i64::try_from(room).unwrap_or(i64::MAX)).await {
                Ok(found) => {
                    taken = taken.saturating_add(found.len());
                    found.into_iter().for_each(|item| under_way.push(work(item)));
                }
                Err(fault) if under_way.is_empty() => return Err(fault),
                Err(fault) => tracing::warn!(fault = fault.detail, "nothing more is claimed"),
            }
        }
        if under_way.is_empty() {
            return Ok(taken);
        }
        // Either one is done, or it is time to look for more.
        let _done_or_not_yet = timeout(LOOK, under_way.next()).await;
        while let Some(Some(())) = under_way.next().now_or_never() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn one_that_hangs_holds_up_no_other_and_there_are_never_more_than_allowed() {
        let due = RefCell::new((0..20).collect::<Vec<u32>>());
        let (hangs, at_once, most) = (Notify::new(), Cell::new(0_u32), Cell::new(0));
        let claim = |room: i64| {
            let mut due = due.borrow_mut();
            let kept = due.len().saturating_sub(usize::try_from(room).unwrap());
            let found = due.split_off(kept);
            async move { Ok(found) }
        };
        let work = |number: u32| {
            let (hangs, at_once, most, due) = (&hangs, &at_once, &most, &due);
            async move {
                at_once.set(at_once.get() + 1);
                most.set(most.get().max(at_once.get()));
                match number {
                    19 => hangs.notified().await,
                    0 => hangs.notify_one(),
                    _ => tokio::task::yield_now().await,
                }
                assert!(number != 19 || due.borrow().is_empty());
                at_once.set(at_once.get() - 1);
            }
        };
        assert_eq!(keep_busy(3, claim, work).await.map_err(|fault| fault.detail), Ok(20));
        assert_eq!(most.get(), 3);
    }

    #[tokio::test]
    async fn what_cannot_be_claimed_at_first_is_told() {
        let claim = |_room: i64| async { Err::<Vec<u32>, _>(Fault::unavailable("away")) };
        assert!(keep_busy(3, claim, |_number| async {}).await.is_err());
    }
}
