//! Processes that a benchmark starts, and what they use, read from `/proc`.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::given::Outcome;

/// How long a process may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process of ours. It ends with this value, with SIGTERM first.
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts it; what it says goes into `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Outcome<Self> {
        let log = File::create(log)?;
        let said = log.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::from(said))
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails when it is not running any more.
    pub fn must_run(&mut self) -> Outcome<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{} has ended: {status}", self.name).into()),
        }
    }

    /// Ends it and waits until it is gone.
    pub fn stop(mut self) -> Outcome<()> {
        self.end()
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn end(&mut self) -> Outcome<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        self.child.wait()?;
        Err(format!("{} did not stop in time", self.name).into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{}: {error}", self.name);
        }
    }
}

/// Seconds of processor that a process and all below it have used, those included that have ended
/// and were waited for: `utime + stime + cutime + cstime` of each living process of the tree.
pub fn processor_seconds(root: u32) -> f64 {
    seconds(tree(root).into_iter().filter_map(|id| used(id, 11..15)).sum())
}

/// Seconds of processor that a process has used itself, without those below it.
pub fn own_processor_seconds(id: u32) -> f64 {
    seconds(used(id, 11..13).unwrap_or_default())
}

fn seconds(ticks: u64) -> f64 {
    // Linux shows a hundred a second on every machine (USER_HZ, time(7)).
    ticks as f64 / 100.0
}

/// A process and all below it.
pub fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, fields(id)?.get(1)?.parse().ok()?)))
        .collect();
    let mut found = vec![root];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        at += 1;
    }
    found
}

/// The fields of `/proc/ID/stat` behind the name: state, parent, ….
fn fields(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, behind) = text.rsplit_once(") ")?;
    Some(behind.split(' ').map(str::to_owned).collect())
}

fn used(id: u32, which: std::ops::Range<usize>) -> Option<u64> {
    // proc(5): utime is field 14 of all, and the state, the first here, the third.
    let fields = fields(id)?;
    fields.get(which)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

/// Memory of one process, in KiB.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    /// What is in memory, shared pages counted in full.
    pub rss: u64,
    /// The same with each shared page divided by those who share it.
    pub pss: u64,
}

/// What a process holds; `smaps_rollup` of `/proc`.
pub fn memory(id: u32) -> Memory {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    Memory { rss: field("Rss:"), pss: field("Pss:") }
}

/// The PSS of a process and all below it, in KiB.
pub fn memory_of_tree(root: u32) -> u64 {
    tree(root).into_iter().map(|id| memory(id).pss).sum()
}
