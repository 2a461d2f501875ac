//! The writer of one merchant: takes what waits, records it in one transaction, answers each. A
//! callback that makes its transaction fail is found by halving, so that its neighbours are stored
//! and only it is not.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use super::{Arrived, Held, NotStored, Sizes};
use crate::hub::{Hub, Merchant};
use crate::record::{Arrival, RecordError, Verdict, held, keep_unbooked, record};

type Answer = oneshot::Sender<Result<Verdict, NotStored>>;

/// A callback that waits for its transaction.
#[derive(Debug)]
pub(super) struct Waiting {
    arrived: Arrived,
    held: Held,
    answer: Answer,
}

impl Waiting {
    /// To be answered through `answer`.
    pub(super) const fn new(arrived: Arrived, held: Held, answer: Answer) -> Self {
        Self { arrived, held, answer }
    }
}

/// Callbacks of one transaction, and who waits for each.
struct Batch<'a> {
    arrivals: Vec<Arrival<'a>>,
    answers: Vec<(Answer, Held)>,
}

/// Records what comes through `queue`, at most `most` in a transaction, until nobody sends any more.
pub(super) async fn run(
    hub: Arc<Hub>,
    merchant: Merchant,
    mut queue: mpsc::Receiver<Waiting>,
    most: usize,
    sizes: Sizes,
) {
    let mut waiting = Vec::with_capacity(most);
    while queue.recv_many(&mut waiting, most).await > 0 {
        let batch = Batch::of(&merchant, waiting.drain(..));
        sizes(batch.arrivals.len());
        settle(&hub, &merchant, batch).await;
    }
}

impl<'a> Batch<'a> {
    /// Whoever no longer waits was told that it is not stored, and comes again.
    fn of(merchant: &'a Merchant, waiting: impl Iterator<Item = Waiting>) -> Self {
        let (arrivals, answers) = waiting
            .filter(|waiting| !waiting.answer.is_closed())
            .map(|Waiting { arrived: Arrived { claims, evidence, .. }, held, answer }| {
                (Arrival { merchant, claims, evidence: Some(evidence) }, (answer, held))
            })
            .unzip();
        Self { arrivals, answers }
    }

    /// The second half; the first stays here.
    fn halve(&mut self) -> Self {
        let middle = self.arrivals.len() / 2;
        Self { arrivals: self.arrivals.split_off(middle), answers: self.answers.split_off(middle) }
    }

    fn answer(self, verdicts: Vec<Verdict>) {
        for ((answer, _held), verdict) in self.answers.into_iter().zip(verdicts) {
            // Who does not wait any more was told to come again, and hears then that it is known.
            let _gone = answer.send(Ok(verdict));
        }
    }

    /// Those with these indices, and the others.
    fn part(self, indices: &BTreeSet<usize>) -> (Self, Self) {
        let members = self.arrivals.into_iter().zip(self.answers).enumerate();
        let (these, others): (Vec<_>, Vec<_>) =
            members.partition(|(index, _)| indices.contains(index));
        let together = |members: Vec<(usize, _)>| {
            let (arrivals, answers) = members.into_iter().map(|(_, member)| member).unzip();
            Self { arrivals, answers }
        };
        (together(these), together(others))
    }

    fn fail(self, why: NotStored) {
        for (answer, _held) in self.answers {
            let _gone = answer.send(Err(why));
        }
    }
}

/// Records a batch; where one of it may be the reason that it is not recorded, its halves.
async fn settle(hub: &Hub, merchant: &Merchant, batch: Batch<'_>) {
    let mut batches = vec![batch];
    while let Some(mut batch) = batches.pop() {
        // A defect that panics must not take the writer away from all that come after.
        let recorded = AssertUnwindSafe(record(hub, &batch.arrivals)).catch_unwind().await;
        let together = batch.arrivals.len();
        match recorded.unwrap_or_else(|_panic| Err(RecordError::Defect)) {
            Ok(verdicts) => batch.answer(verdicts),
            Err(error) if error.is_held() => {
                tracing::warn!(merchant = %merchant.id, %error, together, "callbacks wait for what somebody holds");
                batches.extend(without_held(hub, batch).await);
            }
            Err(error) if error.is_of_one() && together > 1 => {
                tracing::warn!(merchant = %merchant.id, %error, together, "callbacks are recorded apart");
                let second = batch.halve();
                batches.extend([second, batch]);
            }
            Err(error) => {
                tracing::error!(merchant = %merchant.id, %error, together, "callbacks were not stored");
                keep_apart(hub, &batch, &error).await;
                batch.fail(NotStored::Failed);
            }
        }
    }
}

/// Tells those to come again whose orders somebody holds, and gives the others. Where nobody holds
/// an order, something is held that all of them need.
async fn without_held<'a>(hub: &Hub, batch: Batch<'a>) -> Option<Batch<'a>> {
    let held = held(hub, &batch.arrivals).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "nobody knows what is held");
        BTreeSet::new()
    });
    if held.is_empty() {
        batch.fail(NotStored::Late);
        return None;
    }
    let (held, free) = batch.part(&held);
    held.fail(NotStored::Late);
    Some(free).filter(|free| !free.arrivals.is_empty())
}

/// Keeps the callback of which the books take nothing for a reason of its own. Its provider is told
/// to come again all the same: the reason may be mended by then.
async fn keep_apart(hub: &Hub, batch: &Batch<'_>, why: &RecordError) {
    let [arrival] = batch.arrivals.as_slice() else { return };
    if !why.is_of_one() {
        return;
    }
    if let Err(error) = keep_unbooked(hub, arrival, &why.to_string()).await {
        tracing::error!(%error, "a callback that cannot be booked could not be kept either");
    }
}
