//! The private PostgreSQL: a real server over a unix socket that the hub runs for itself when no
//! `database.url` is configured, so that `payhub demo` and a small office need no database of their own.
//!
//! It listens on no network, has no password, and lets in nobody but the hub's own account. It survives
//! a killed hub, and the next hub adopts it; several hubs share it, and the last one out stops it. It
//! never downloads anything, never deletes data, and never upgrades a data folder. The calls block: an
//! asynchronous caller wraps them in `spawn_blocking`. Why it is so: `docs/decisions/0002-private-postgresql.md`.

mod account;
mod binaries;
mod create;
mod error;
mod gate;
mod home;
mod launch;
mod log;
mod pid_file;
mod process;
mod server;

use std::path::Path;

use account::Account;
use gate::{Gate, Lease};
use home::Home;
use server::{Cluster, Running};

pub use binaries::Binaries;
pub use error::PostgresError;

/// The superuser of the cluster, as whom the hub connects.
const USER: &str = "payhub";

/// How the server came to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// The cluster is new and empty.
    Created,
    /// The cluster was there, its server was not.
    Restarted,
    /// The server was running already: another hub uses it, or the last one was killed.
    Adopted,
}

/// A private PostgreSQL in use by this hub. Dropping it, like [`Self::stop`], stops the server unless
/// another hub uses it.
#[derive(Debug)]
pub struct PrivatePostgres {
    home: Home,
    account: Account,
    running: Running,
    lease: Option<Lease>,
}

impl PrivatePostgres {
    /// Adopts, restarts or creates the cluster in `home` and returns once it takes connections.
    ///
    /// As root the server runs as `postgres`, else `nobody`, and every folder above `home` must let that
    /// account pass; `home` itself is made so if it is missing or empty.
    pub fn start(home: &Path, binaries: &Binaries) -> Result<Self, PostgresError> {
        let home = Home::open(home)?;
        let gate = Gate::pass(&home.start_lock())?;
        let account = Account::for_data(&home.data())?;
        let running = Cluster { home: &home, account: &account }.ensure_running(binaries)?;
        let lease = Lease::join(&home.users_lock())?;
        drop(gate);
        Ok(Self { home, account, running, lease: Some(lease) })
    }

    /// The folder of the socket, which is what a connection names as its host. The port is 5432.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.running.socket_dir
    }

    /// The database user, who owns everything. The database `postgres` exists; others are the caller's.
    #[must_use]
    pub fn user(&self) -> &str {
        USER
    }

    /// How the server came to run.
    #[must_use]
    pub fn started(&self) -> Started {
        self.running.started
    }

    /// One line for the operator: what runs, where, as whom.
    #[must_use]
    pub fn notice(&self) -> String {
        let done = match self.running.started {
            Started::Created => "created and started",
            Started::Restarted => "started",
            Started::Adopted => "found running",
        };
        let (version, home) = (&self.running.version, self.home.path().display());
        format!("private PostgreSQL {version} {done} in {home} as {}", self.account.name())
    }

    /// Leaves the server, and stops it if no other hub uses it.
    pub fn stop(mut self) -> Result<(), PostgresError> {
        self.leave()
    }

    fn leave(&mut self) -> Result<(), PostgresError> {
        let Some(lease) = self.lease.take() else { return Ok(()) };
        let _gate = Gate::pass(&self.home.start_lock())?;
        if lease.leave(&self.home.users_lock())? {
            Cluster { home: &self.home, account: &self.account }.stop()?;
        }
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            let home = self.home.path().display();
            tracing::warn!(%error, %home, "private PostgreSQL is left running");
        }
    }
}
