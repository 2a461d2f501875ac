//! The writer of one merchant: takes what waits, records it in one transaction, answers each. A
//! callback that makes its transaction fail is found by halving, so that its neighbours are stored
//! and only it is not.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::{mpsc, oneshot};

use super::{Arrived, Held, NotStored};
use crate::hub::{Hub, Merchant};
use crate::record::{Arrival, RecordError, Verdict, record};

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
    sizes: Histogram,
) {
    let mut waiting = Vec::with_capacity(most);
    while queue.recv_many(&mut waiting, most).await > 0 {
        let batch = Batch::of(&merchant, waiting.drain(..));
        sizes.observe(u32::try_from(batch.arrivals.len()).map_or(f64::INFINITY, f64::from));
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

    fn fail(self) {
        for (answer, _held) in self.answers {
            let _gone = answer.send(Err(NotStored::Failed));
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
            Err(error) if error.is_of_one() && together > 1 => {
                tracing::warn!(merchant = %merchant.id, %error, together, "callbacks are recorded apart");
                let second = batch.halve();
                batches.extend([second, batch]);
            }
            Err(error) => {
                tracing::error!(merchant = %merchant.id, %error, together, "callbacks were not stored");
                batch.fail();
            }
        }
    }
}
