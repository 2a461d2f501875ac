//! Is the process that a lock file names really our postmaster? PostgreSQL asks only whether the
//! number is in use, and so takes a killed postmaster that nobody has reaped, or a stranger that was
//! given its number, for a running server. Here a stranger needs proof: in doubt it is the postmaster.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{self, Signal},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::{Pid, Uid},
};

/// What stands behind a number in a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The postmaster of this data folder.
    Running,
    /// No process has the number; PostgreSQL sees that by itself.
    Gone,
    /// A dead process not yet reaped, or somebody else's: PostgreSQL would be misled by it.
    Misleading,
}

/// Looks at the process `pid` that claims `data`, run by `owner`.
pub(super) fn standing(pid: Pid, data: &Path, owner: Uid) -> Standing {
    let reachable = signal::kill(pid, None);
    if reachable == Err(Errno::ESRCH) {
        return Standing::Gone;
    }
    if !Path::new("/proc/self/stat").exists() {
        // No such file system here: the number is all there is to go by. Our server's account is
        // one that we may signal.
        return if reachable.is_ok() { Standing::Running } else { Standing::Misleading };
    }
    let Some(state) = state(pid) else { return Standing::Gone };
    if state == 'Z' || state == 'X' {
        return if reap(pid) { Standing::Gone } else { Standing::Misleading };
    }
    if works_in(pid, data).unwrap_or_else(|_| was_called_with(pid, data, owner)) {
        Standing::Running
    } else {
        Standing::Misleading
    }
}

/// Sends `signal`; a process that is gone already is no error.
pub(super) fn send(pid: Pid, signal: Signal) -> io::Result<()> {
    match signal::kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The kernel's letter for the process's state: the word behind its name, which is in parentheses and
/// may itself hold anything.
fn state(pid: Pid) -> Option<char> {
    let stat = fs::read(proc(pid, "stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.trim_start().chars().next()
}

/// Takes the exit status of a dead child of this process, which frees its number.
fn reap(pid: Pid) -> bool {
    waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_ok()
}

/// A postmaster's working folder is its data folder.
fn works_in(pid: Pid, data: &Path) -> io::Result<bool> {
    let (there, here) = (fs::metadata(proc(pid, "cwd"))?, fs::metadata(data)?);
    Ok((there.dev(), there.ino()) == (here.dev(), here.ino()))
}

/// The weaker proof, where the kernel hides a process's folder even from root (containers): its
/// account and its command line, which every process may read.
fn was_called_with(pid: Pid, data: &Path, owner: Uid) -> bool {
    let same_owner = fs::metadata(proc(pid, "")).is_ok_and(|found| found.uid() == owner.as_raw());
    let called = fs::read(proc(pid, "cmdline")).unwrap_or_default();
    let data = data.as_os_str().as_encoded_bytes();
    same_owner && called.split(|byte| *byte == 0).any(|argument| argument == data)
}

fn proc(pid: Pid, entry: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{entry}"))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn sleeper(folder: &Path) -> (Child, Pid) {
        let child = Command::new("sleep").arg("60").current_dir(folder).spawn().unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        (child, pid)
    }

    #[test]
    fn a_process_is_known_by_its_folder_and_a_dead_one_by_its_state() {
        let (data, owner) = (Path::new("/usr"), Uid::effective());
        let (mut child, pid) = sleeper(data);
        assert_eq!(standing(pid, data, owner), Standing::Running);
        assert_eq!(standing(pid, Path::new("/etc"), owner), Standing::Misleading);

        child.kill().unwrap();
        while state(pid) != Some('Z') {
            std::thread::yield_now();
        }
        assert_eq!(standing(pid, data, owner), Standing::Gone, "our own dead child is reaped");
        assert_eq!(state(pid), None);
    }

    #[test]
    fn a_process_whose_folder_is_hidden_is_known_by_its_command_line_and_owner() {
        let owner = Uid::effective();
        let (mut child, pid) = sleeper(Path::new("/"));
        while fs::read(proc(pid, "cmdline")).unwrap().is_empty() {
            std::thread::yield_now(); // the kernel has not yet filled it in
        }
        assert!(was_called_with(pid, Path::new("60"), owner));
        assert!(!was_called_with(pid, Path::new("6"), owner));
        assert!(!was_called_with(pid, Path::new("60"), Uid::from_raw(4_242_424)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
