//! Group commit: callbacks that arrive together are recorded in one transaction, and each is
//! answered once that transaction is durable.
//!
//! One writer a merchant takes whatever waits, without a timer, and hands it to
//! [`record`](crate::record::record), the one way into the books. So two merchants never wait for
//! each other, and a writer is never behind another of its own journal. What waits is bounded in
//! number and in bytes; what does not fit is told so at once, so that its provider comes again.

mod arriving;
mod room;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callbacks::Claim;
use domain::ids::MerchantId;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::hub::Hub;
use crate::record::{Evidence, Verdict};

pub use arriving::Arriving;
pub use room::{Full, Held, Room};
use writer::Waiting;

/// How long a callback waits for its commit: its provider waits five to fifteen seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// `[callbacks]`: how many callbacks are taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most callbacks in one transaction; 1 gives each its own.
    pub per_commit: usize,
    /// The most callbacks of one merchant that wait for their transaction.
    pub most_waiting: usize,
    /// The most bytes of callbacks in hand, of all merchants together; a quarter of them is for bodies
    /// that are not whole yet.
    pub most_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_commit: 128, most_waiting: 1024, most_bytes: 32 * 1024 * 1024 }
    }
}

/// An authentic callback with what it states.
#[derive(Debug)]
pub struct Arrived {
    /// The merchant whose order it is about.
    pub owner: MerchantId,
    /// What it says; none for a message that concerns nobody here.
    pub claims: Vec<Claim>,
    /// Its evidence.
    pub evidence: Evidence,
}

/// Learns how many callbacks each transaction took.
pub type Sizes = Arc<dyn Fn(usize) + Send + Sync>;

/// Why a callback was not stored; its provider shall come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotStored {
    /// Too much waits already.
    Full,
    /// Its transaction did not end in time. It may yet be stored; then it is known when it comes
    /// again.
    Late,
    /// The database did not take it.
    Failed,
}

/// The writers of all merchants.
#[derive(Debug)]
pub struct Intake {
    queues: BTreeMap<MerchantId, mpsc::Sender<Waiting>>,
    arriving: Arriving,
    room: Room,
}

impl Intake {
    /// Starts a writer for each merchant of `hub` on `runtime`. They end when this is dropped and
    /// nothing waits any more. `sizes` learns how many callbacks each transaction took.
    #[must_use]
    pub fn start(hub: &Arc<Hub>, runtime: &Handle, sizes: &Sizes) -> Self {
        let limits = hub.intake;
        let queues = hub.merchants.values().map(|merchant| {
            let (queue, waiting) = mpsc::channel(limits.most_waiting.max(1));
            let most = limits.per_commit.max(1);
            let writer =
                writer::run(Arc::clone(hub), merchant.clone(), waiting, most, Arc::clone(sizes));
            runtime.spawn(writer);
            (merchant.id.clone(), queue)
        });
        let arriving = limits.most_bytes / 4;
        Self {
            queues: queues.collect(),
            arriving: Arriving::new(arriving),
            room: Room::new(limits.most_bytes.saturating_sub(arriving)),
        }
    }

    /// The room for bodies that are not whole yet.
    #[must_use]
    pub const fn arriving(&self) -> &Arriving {
        &self.arriving
    }

    /// The room for the bytes of callbacks that are.
    #[must_use]
    pub const fn room(&self) -> &Room {
        &self.room
    }

    /// How many callbacks of each merchant wait for their transaction.
    pub fn waiting(&self) -> impl Iterator<Item = (&MerchantId, usize)> {
        self.queues.iter().map(|(merchant, queue)| {
            (merchant, queue.max_capacity().saturating_sub(queue.capacity()))
        })
    }

    /// Records a callback and waits until it is durable. `held` is its room, given back then.
    ///
    /// # Errors
    /// When it is not known to be durable.
    pub async fn record(&self, arrived: Arrived, held: Held) -> Result<Verdict, NotStored> {
        // A merchant without a queue is none of this hub's; it is not reached.
        let queue = self.queues.get(&arrived.owner).ok_or(NotStored::Failed)?;
        let (answer, verdict) = oneshot::channel();
        let waiting = Waiting::new(arrived, held, answer);
        queue.try_send(waiting).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_waiting) => NotStored::Full,
            mpsc::error::TrySendError::Closed(_waiting) => NotStored::Failed,
        })?;
        match tokio::time::timeout(PATIENCE, verdict).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_writer_gone)) => Err(NotStored::Failed),
            Err(_elapsed) => Err(NotStored::Late),
        }
    }
}
