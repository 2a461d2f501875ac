//! Keeps some questions under way at once, without waiting for the slowest: whoever is answered
//! makes room for what is due next. Whatever else it waits for, it waits beside them, so that none
//! stands still while it holds what others need.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, timeout};

use crate::fault::Fault;
use crate::hub::Shift;
use crate::store;

/// How often the leases of what is under way are renewed.
pub(crate) const RENEWAL: Duration = Duration::from_secs(5);
/// The usual rhythm.
const RHYTHM: Rhythm = Rhythm { look: Duration::from_millis(250), renewal: RENEWAL };

/// How often something is done while answers are awaited.
#[derive(Clone, Copy, Debug)]
struct Rhythm {
    /// What comes due is looked for.
    look: Duration,
    /// The leases of what is under way are renewed.
    renewal: Duration,
}

/// Claims what is due, at most `most` at once, and works on each, until nothing is due and nothing
/// under way, or the shift is over; how many there were. `claim` is given the room that is left,
/// `renew` renews the leases of what is under way. All of it uses the connections that are set apart
/// for such work.
///
/// # Errors
/// When nothing could be claimed. What goes wrong with one does not stop the others.
pub(crate) async fn keep_busy<I, C, H, W>(
    most: usize,
    shift: &Shift,
    claim: impl Fn(i64) -> C,
    renew: impl Fn(Vec<I>) -> H,
    work: impl Fn(I) -> W,
) -> Result<usize, Fault>
where
    I: Clone + PartialEq,
    C: Future<Output = Result<Vec<I>, Fault>>,
    H: Future<Output = Result<(), Fault>>,
    W: Future<Output = ()>,
{
    store::apart(keep(RHYTHM, most, shift, claim, renew, work)).await
}

async fn keep<I, C, H, W>(
    rhythm: Rhythm,
    most: usize,
    shift: &Shift,
    claim: impl Fn(i64) -> C,
    renew: impl Fn(Vec<I>) -> H,
    work: impl Fn(I) -> W,
) -> Result<usize, Fault>
where
    I: Clone + PartialEq,
    C: Future<Output = Result<Vec<I>, Fault>>,
    H: Future<Output = Result<(), Fault>>,
    W: Future<Output = ()>,
{
    let mut busy = UnderWay { futures: FuturesUnordered::new(), items: Vec::new() };
    let mut taken: usize = 0;
    let mut renewed = Instant::now();
    loop {
        let room = most.saturating_sub(busy.items.len());
        if room > 0 && !shift.is_over() {
            let claiming = claim(i64::try_from(room).unwrap_or(i64::MAX));
            match busy.beside(claiming).await {
                Ok(found) => {
                    taken = taken.saturating_add(found.len());
                    for item in found {
                        let about = item.clone();
                        busy.begin(item.clone(), work(item).map(move |()| about));
                    }
                }
                Err(fault) if busy.items.is_empty() => return Err(fault),
                Err(fault) => tracing::warn!(fault = fault.detail, "nothing more is claimed"),
            }
        }
        shift.goes_on();
        if busy.items.is_empty() {
            return Ok(taken);
        }
        if renewed.elapsed() >= rhythm.renewal {
            renewed = Instant::now();
            let renewing = renew(busy.items.clone());
            if let Err(fault) = busy.beside(renewing).await {
                tracing::warn!(fault = fault.detail, "leases could not be renewed");
            }
        }
        busy.one_ends(rhythm.look).await;
    }
}

/// Work under way, and on what. Each ends with what it was about.
struct UnderWay<I, F> {
    futures: FuturesUnordered<F>,
    items: Vec<I>,
}

impl<I: PartialEq, F: Future<Output = I>> UnderWay<I, F> {
    fn begin(&mut self, item: I, work: F) {
        self.items.push(item);
        self.futures.push(work);
    }

    /// Waits for something else, while what is under way goes on.
    async fn beside<T>(&mut self, wanted: impl Future<Output = T>) -> T {
        let mut wanted = pin!(wanted);
        loop {
            tokio::select! {
                done = &mut wanted => return done,
                Some(item) = self.futures.next(), if !self.futures.is_empty() => self.end(&item),
            }
        }
    }

    /// Waits until one is done, or it is time to look for more; whoever is done then has left.
    async fn one_ends(&mut self, look: Duration) {
        if let Ok(Some(item)) = timeout(look, self.futures.next()).await {
            self.end(&item);
        }
        while let Some(Some(item)) = self.futures.next().now_or_never() {
            self.end(&item);
        }
    }

    fn end(&mut self, item: &I) {
        self.items.retain(|other| other != item);
    }
}

#[cfg(test)]
mod tests;
