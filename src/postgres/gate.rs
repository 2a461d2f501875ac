//! Two lock files between the hubs that share one cluster: `start.lock` lets one at a time start or
//! stop it, `users.lock` is held, shared, by each that uses it. The kernel drops both when a process
//! dies, so neither can go stale.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::error::{During, PostgresError};

/// Longer than a first start, a crash recovery or a stop takes.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(5);

/// The right to start or stop the cluster, for as long as it lives.
#[derive(Debug)]
pub(super) struct Gate(File);

impl Gate {
    /// Waits until no other hub is starting or stopping the cluster.
    pub(super) fn pass(lock: &Path) -> Result<Self, PostgresError> {
        let file = open(lock)?;
        let begun = Instant::now();
        while !try_exclusive(&file, lock)? {
            if begun.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(PostgresError::Busy { lock: lock.to_owned(), seconds });
            }
            thread::sleep(POLL);
        }
        Ok(Self(file))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        release(&self.0);
    }
}

/// One hub's use of the cluster.
#[derive(Debug)]
pub(super) struct Lease(File);

impl Lease {
    /// Joins the users. Only behind the [`Gate`], so nobody can find the cluster unused meanwhile.
    pub(super) fn join(lock: &Path) -> Result<Self, PostgresError> {
        let file = open(lock)?;
        file.lock_shared().during("lock", lock)?;
        Ok(Self(file))
    }

    /// Leaves, and says whether this was the last user. Only behind the [`Gate`].
    pub(super) fn leave(self, lock: &Path) -> Result<bool, PostgresError> {
        release(&self.0);
        try_exclusive(&self.0, lock)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        release(&self.0);
    }
}

fn open(lock: &Path) -> Result<File, PostgresError> {
    let mut how = OpenOptions::new();
    how.read(true).write(true).create(true).truncate(false).mode(0o600);
    how.open(lock).during("open", lock)
}

fn try_exclusive(file: &File, lock: &Path) -> Result<bool, PostgresError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).during("lock", lock),
    }
}

/// Unlocks by name rather than by closing: between fork and exec another thread's child may hold the
/// same open file, and would keep the lock a moment longer. A failure here means that it was not held.
fn release(file: &File) {
    let _ = file.unlock();
}
