//! Makes sure that the cluster's server runs: adopts the one that is there, or creates the cluster and
//! starts one. Everything here happens behind the [gate](super::gate).

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use nix::{sys::signal::Signal, unistd::Pid};

use super::{
    Started,
    account::Account,
    binaries::{self, Binaries},
    error::{During, PostgresError},
    home::Home,
    log,
    pid_file::{self, PidFile},
    process::{self, Standing, standing},
};

pub(super) const POLL: Duration = Duration::from_millis(5);
/// Crash recovery of as much WAL as the settings allow takes a part of this on a slow disk.
pub(super) const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How long a lock file may stay without a number in it before it is taken for a power cut's.
const WRITING_LIMIT: Duration = Duration::from_secs(1);
/// How long processes of a killed server may take to notice and let go of the data.
const ORPHANS_LIMIT: Duration = Duration::from_secs(10);

/// A server that takes connections.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) started: Started,
    pub(super) socket_dir: PathBuf,
    /// Its version, and the folder of its programs where we chose it.
    pub(super) version: String,
}

/// One cluster and what it takes to run it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cluster<'a> {
    pub(super) home: &'a Home,
    pub(super) account: &'a Account,
}

impl Cluster<'_> {
    /// Adopts or starts the server.
    pub(super) fn ensure_running(self, binaries: &Binaries) -> Result<Running, PostgresError> {
        if let Some(running) = self.adopt()? {
            return Ok(running);
        }
        let data = self.home.data();
        let made_by = binaries::made_by(&data)?;
        let programs = binaries.choose(self.account, &data, made_by)?;
        let started = if made_by.is_some() { Started::Restarted } else { Started::Created };
        if started == Started::Created {
            self.home.admit(self.account)?;
            self.create(&programs)?;
        }
        let begun = Instant::now();
        while let Err(error) = self.launch(&programs) {
            // A killed server's last processes may still hold its memory; and one that a killed hub
            // had just spawned may win the race for the lock file.
            if !lost_to_another(&error) || begun.elapsed() > ORPHANS_LIMIT {
                return Err(error);
            }
            thread::sleep(POLL);
            if let Some(running) = self.adopt()? {
                return Ok(running);
            }
        }
        let socket_dir = self.home.socket_dir(self.account)?;
        let version = format!("{} ({})", programs.version, programs.bin.display());
        Ok(Running { started, socket_dir, version })
    }

    /// Waits for a server that is there already, and clears away the traces of one that is not.
    fn adopt(self) -> Result<Option<Running>, PostgresError> {
        let data = self.home.data();
        let begun = Instant::now();
        loop {
            let Some(file) = PidFile::read(&data)? else { return Ok(None) };
            match file.pid.map(|pid| standing(pid, &data, self.account.uid())) {
                Some(Standing::Running) if begun.elapsed() > START_LIMIT => {
                    return Err(self.failed("did not get ready in time; it is left running", 0));
                }
                Some(Standing::Running) if file.ready && file.socket_answers() => {
                    let version = binaries::made_by(&data)?.unwrap_or_default().to_string();
                    let socket_dir = file.socket_dir.unwrap_or_default();
                    return Ok(Some(Running { started: Started::Adopted, socket_dir, version }));
                }
                Some(Standing::Running) => {}
                None if begun.elapsed() < WRITING_LIMIT => {}
                // Its process is not to be seen, but it answers.
                _ if file.socket_answers() => return Err(PostgresError::Elsewhere(data)),
                // PostgreSQL itself sees that the process is gone, and checks its shared memory.
                Some(Standing::Gone) => return Ok(None),
                Some(Standing::Misleading) | None => {
                    tracing::warn!(data = %data.display(), "removing the lock file of a dead server");
                    pid_file::remove(&data)?;
                    return Ok(None);
                }
            }
            thread::sleep(POLL);
        }
    }

    /// Asks the server to disconnect everybody and shut down cleanly, and waits until it has.
    pub(super) fn stop(self) -> Result<(), PostgresError> {
        let data = self.home.data();
        let Some(pid) = PidFile::read(&data)?.and_then(|file| file.pid) else { return Ok(()) };
        if !self.runs(pid) {
            return Ok(());
        }
        process::send(pid, Signal::SIGINT).during("stop the server of", &data)?;
        let begun = Instant::now();
        while self.runs(pid) {
            if begun.elapsed() > STOP_LIMIT {
                return Err(self.failed("did not stop in time; it is left to itself", 0));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn runs(self, pid: Pid) -> bool {
        standing(pid, &self.home.data(), self.account.uid()) == Standing::Running
    }

    /// The failure of the server that has logged from `log_start` on.
    pub(super) fn failed(self, how: &str, log_start: u64) -> PostgresError {
        let log = self.home.log();
        let lines = log::last_lines_of(&log, log_start);
        PostgresError::Failed { program: "postgres", how: how.to_owned(), log, lines }
    }
}

/// Whether a start failed because another server still has, or just got, the data folder.
fn lost_to_another(error: &PostgresError) -> bool {
    let PostgresError::Failed { lines, .. } = error else { return false };
    lines.iter().any(|line| line.contains("lock file") || line.contains("is still in use"))
}
