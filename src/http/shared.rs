//! What every HTTP worker has in common.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::Instrument as _;

use super::HttpOptions;
use super::callbacks::Window;
use super::metrics::Metrics;
use crate::fault::Fault;
use crate::hub::Hub;

/// The hub, the runtime that does its work, and what is counted.
pub(super) struct Shared {
    /// The hub.
    pub(super) hub: Arc<Hub>,
    /// What is counted.
    pub(super) metrics: Metrics,
    /// How many refused callbacks are kept a second.
    pub(super) refusals: Window,
    /// Whether this process runs the background workers.
    pub(super) works: bool,
    runtime: Handle,
}

impl Shared {
    /// Around a hub whose work runs on `runtime`.
    pub(super) fn new(hub: Arc<Hub>, runtime: Handle, options: HttpOptions) -> Self {
        Self {
            hub,
            metrics: Metrics::new(),
            refusals: Window::default(),
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
