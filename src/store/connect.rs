//! Opens connections on the runtime that built the pool. By default a connection would live on the
//! HTTP worker that first asked for it, and stall or die with that worker.

use std::future::Future;
use std::pin::Pin;

use deadpool_postgres::Connect;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

/// Remembers the main runtime.
pub(super) struct OnMainRuntime {
    runtime: Handle,
}

impl OnMainRuntime {
    /// The runtime of the caller.
    pub(super) fn here() -> Self {
        Self { runtime: Handle::current() }
    }
}

type Opened = Result<(Client, JoinHandle<()>), Error>;

impl Connect for OnMainRuntime {
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Opened> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(NoTls).await?;
            let task = self.runtime.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "a database connection ended");
                }
            });
            Ok((client, task))
        })
    }
}
