//! How a process is told to stop: SIGTERM, or SIGINT as Ctrl-C sends it.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears the signals from the moment that it is made, each once.
pub(crate) struct Told {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Told {
    /// Begins to listen.
    pub(crate) fn listen() -> Self {
        let hear = |kind, name| match signal(kind) {
            Ok(signal) => Some(signal),
            Err(error) => {
                tracing::warn!(%error, "{name} cannot be heard");
                None
            }
        };
        Self {
            terminate: hear(SignalKind::terminate(), "SIGTERM"),
            interrupt: hear(SignalKind::interrupt(), "SIGINT"),
        }
    }

    /// Waits for the next of them.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            () = next(&mut self.terminate) => {}
            () = next(&mut self.interrupt) => {}
        }
    }
}

async fn next(signal: &mut Option<Signal>) {
    let heard = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if heard.is_none() {
        pending::<()>().await;
    }
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn told_to_stop() {
    Told::listen().next().await;
}
