//! A hub at work in an office: its parts, its server, and the runtime that does its work. One with
//! a runtime of its own can be killed: whatever it had in hand ends in that moment, unanswered.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use domain::Clock;
use tokio::runtime::{Builder, Handle, Runtime};

use super::office::{OfficeError, told};
use crate::config::Config;
use crate::fault::Fault;
use crate::http::{self, HttpOptions};
use crate::hub::{self, Hub};
use crate::store::{Store, migrate};

/// How long the server of a killed hub may take to let its connections go.
const LETTING_GO: Duration = Duration::from_secs(5);

/// Where a hub finds its database, and whose runtime does its work.
pub(super) enum Ground {
    /// The caller's runtime; it ends with the caller.
    Shared(Store),
    /// A runtime of its own, on which it can be killed.
    Own(Box<tokio_postgres::Config>),
}

/// A hub at work.
pub(super) struct AtWork {
    /// Its parts.
    pub(super) hub: Arc<Hub>,
    /// Its server.
    pub(super) server: http::Running,
    runtime: Handle,
    own: Own,
}

/// A runtime that is left to itself when it is dropped: its tasks end where they stand.
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl AtWork {
    /// Starts a hub that listens on `socket`, on a current schema.
    ///
    /// # Errors
    /// The part that did not start.
    pub(super) async fn start(
        config: &Arc<Config>,
        ground: Ground,
        clock: Arc<dyn Clock>,
        socket: TcpListener,
    ) -> Result<Self, OfficeError> {
        let config = Arc::clone(config);
        match ground {
            Ground::Shared(store) => {
                let (hub, server) = begin(&config, store, clock, socket).await?;
                Ok(Self { hub, server, runtime: Handle::current(), own: Own(None) })
            }
            Ground::Own(settings) => {
                let runtime = Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .map_err(told)?;
                let handle = runtime.handle().clone();
                let own = Own(Some(runtime));
                let begun = async move {
                    let store = Store::new(*settings).map_err(told)?;
                    begin(&config, store, clock, socket).await
                };
                let (hub, server) = handle.spawn(begun).await.map_err(told)??;
                Ok(Self { hub, server, runtime: handle, own })
            }
        }
    }

    /// Has a worker do what is due, on the hub's runtime; how much that was.
    ///
    /// # Errors
    /// When the worker fails, or the hub is killed meanwhile.
    pub(super) async fn work<F>(
        &self,
        worker: impl FnOnce(Arc<Hub>) -> F,
    ) -> Result<usize, OfficeError>
    where
        F: Future<Output = Result<usize, Fault>> + Send + 'static,
    {
        let working = self.runtime.spawn(worker(Arc::clone(&self.hub)));
        Ok(working.await.map_err(told)??)
    }

    /// Lets the hub end what it has begun.
    pub(super) async fn stop(self) {
        self.server.stop().await;
        self.hub.store.close();
        drop(self.own);
    }

    /// Ends the hub where it stands: connections are cut, tasks are dropped. One that shares its
    /// runtime only loses its connections.
    pub(super) async fn kill(self) {
        if tokio::time::timeout(LETTING_GO, self.server.kill()).await.is_err() {
            tracing::warn!("the server of a killed hub did not end in time");
        }
        drop(self.own);
        self.hub.store.close();
    }
}

async fn begin(
    config: &Config,
    store: Store,
    clock: Arc<dyn Clock>,
    socket: TcpListener,
) -> Result<(Arc<Hub>, http::Running), OfficeError> {
    migrate::migrate(&store).await.map_err(told)?;
    let hub = Arc::new(hub::open(config, store, clock).await.map_err(told)?);
    hub::take_applications(&hub, config).await.map_err(told)?;
    let options = HttpOptions { api: true, works: true };
    let server = http::serve(Arc::clone(&hub), socket, options).map_err(told)?;
    Ok((hub, server))
}
