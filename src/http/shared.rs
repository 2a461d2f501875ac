//! What every HTTP worker has in common.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::Instrument as _;

use super::HttpOptions;
use super::callbacks::{Refusals, Turns};
use super::metrics::Metrics;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::intake::Intake;

/// The hub, the runtime that does its work, and what is counted.
pub(super) struct Shared {
    /// The hub.
    pub(super) hub: Arc<Hub>,
    /// What is counted.
    pub(super) metrics: Metrics,
    /// Where authentic callbacks go.
    pub(super) intake: Intake,
    /// Where refused callbacks go.
    pub(super) refusals: Refusals,
    /// When which callback is proved.
    pub(super) turns: Turns,
    /// Whether this process runs the background workers.
    pub(super) works: bool,
    runtime: Handle,
}

impl Shared {
    /// Around a hub whose work runs on `runtime`.
    pub(super) fn new(hub: Arc<Hub>, runtime: Handle, options: HttpOptions) -> Self {
        let metrics = Metrics::new();
        Self {
            intake: Intake::start(&hub, &runtime, &metrics.callbacks_per_commit()),
            refusals: Refusals::start(&hub, &runtime),
            turns: Turns::of(hub.merchants.keys()),
            hub,
            metrics,
            works: options.works,
            runtime,
        }
    }

    /// Does work on the main runtime: it goes on when the client hangs up, and a panic in it is
    /// one failed request.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Fault> {
        self.runtime
            .spawn(work.instrument(tracing::Span::current()))
            .await
            .map_err(|error| Fault::internal(&error))
    }
}
