//! Refused callbacks are kept for people to look at, bounded in number, in length and in what they
//! cost: one task writes them, one after the other, and no answer waits for it. What comes faster
//! is counted only.

use std::sync::Arc;

use adapters::wire::Headers;
use domain::ids::MerchantId;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::window::Window;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::replay::Kept;
use crate::store::callbacks::{Refused, refuse};

/// How much of a refused body is kept.
const KEPT_BODY: usize = 8 * 1024;
/// How many headers of a refused callback are kept, and how much of each.
const KEPT_HEADERS: (usize, usize) = (64, 1024);
/// How many wait to be written; together at most five million bytes.
const MOST_WAITING: usize = 64;

/// A refused callback, cut to what is kept of it.
struct Rejected {
    merchant_id: MerchantId,
    received_at: Timestamp,
    fault: &'static str,
    detail: String,
    kept: Kept,
}

/// Where refused callbacks go.
pub(in crate::http) struct Refusals {
    window: Window,
    queue: mpsc::Sender<Rejected>,
}

impl Refusals {
    /// Starts the task that writes them.
    pub(in crate::http) fn start(hub: &Arc<Hub>, runtime: &Handle) -> Self {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        runtime.spawn(write(Arc::clone(hub), waiting));
        Self { window: Window::default(), queue }
    }

    /// Keeps a refused callback if there is room; whether it will be.
    pub(super) fn keep(
        &self,
        merchant_id: &MerchantId,
        received_at: Timestamp,
        (headers, body): (&Headers, &[u8]),
        (fault, detail): (&'static str, &str),
    ) -> bool {
        if !self.window.admits(merchant_id) {
            return false;
        }
        let Ok(place) = self.queue.try_reserve() else { return false };
        tracing::warn!(merchant = %merchant_id, fault, detail, "callback refused");
        let (most, longest) = KEPT_HEADERS;
        let some = headers.0.iter().take(most);
        let short = |text: &String| text.chars().take(longest).collect::<String>();
        let headers = Headers(some.map(|(name, value)| (short(name), short(value))).collect());
        place.send(Rejected {
            merchant_id: merchant_id.clone(),
            received_at,
            fault,
            detail: detail.to_owned(),
            kept: Kept::cut(&headers, body, KEPT_BODY),
        });
        true
    }
}

async fn write(hub: Arc<Hub>, mut waiting: mpsc::Receiver<Rejected>) {
    while let Some(rejected) = waiting.recv().await {
        if let Err(fault) = write_one(&hub, &rejected).await {
            let merchant = &rejected.merchant_id;
            tracing::warn!(%merchant, detail = fault.detail, "a refused callback was not kept");
        }
    }
}

async fn write_one(hub: &Hub, rejected: &Rejected) -> Result<(), Fault> {
    let context = format!("refused_callbacks:{}", rejected.merchant_id);
    let sealed = rejected.kept.seal(hub, &context)?;
    let client = hub.store.client().await?;
    let refused = Refused {
        received_at: rejected.received_at,
        merchant_id: &rejected.merchant_id,
        fault: rejected.fault,
        detail: &rejected.detail,
        sealed: &sealed,
    };
    refuse(&client, &refused).await?;
    Ok(())
}
