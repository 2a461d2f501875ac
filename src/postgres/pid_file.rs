//! `postmaster.pid`, in which a server says who it is and how far it has come; and the same file's
//! little brother beside the socket.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    os::unix::{ffi::OsStringExt, net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::{Pid, Uid};

use super::{
    error::{During, PostgresError},
    process::{Standing, standing},
};

/// The port is only a part of the socket's name: no server here listens on TCP.
const SOCKET: &str = ".s.PGSQL.5432";
/// A socket's path must fit into the kernel's 108 bytes, with the zero at its end.
const SOCKET_PATH_MAX: usize = 107;

/// The protocol's question whether the server speaks TLS: length 8, code 80877103.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// How long a busy machine may take to answer it.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What `postmaster.pid` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    /// Nothing while the file is being written, or when a power cut emptied it.
    pub(super) pid: Option<Pid>,
    pub(super) socket_dir: Option<PathBuf>,
    /// The server takes connections.
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads the file of the cluster in `data`; nothing if there is none.
    pub(super) fn read(data: &Path) -> Result<Option<Self>, PostgresError> {
        let path = path(data);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Self::parse(&bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).during("read", &path),
        }
    }

    /// Lines: 1 process, 2 data folder, 3 start time, 4 port, 5 socket folder, 6 address, 7 shared
    /// memory, 8 status.
    fn parse(bytes: &[u8]) -> Self {
        let line = |index| bytes.split(|byte| *byte == b'\n').nth(index).unwrap_or_default();
        let folder = line(4);
        Self {
            pid: leading_pid(bytes),
            socket_dir: (!folder.is_empty())
                .then(|| PathBuf::from(OsString::from_vec(folder.to_vec()))),
            ready: line(7).trim_ascii() == b"ready",
        }
    }

    /// Whether something answers on the socket that the file names.
    pub(super) fn socket_answers(&self) -> bool {
        self.socket_dir.as_deref().is_some_and(socket_answers)
    }
}

/// Whether a server answers on the socket in `folder`. To connect is no proof: the kernel still accepts
/// for a server that was killed a moment ago. So it is asked for TLS, which it declines by one letter.
fn socket_answers(folder: &Path) -> bool {
    let ask = || -> io::Result<()> {
        let mut socket = UnixStream::connect(folder.join(SOCKET))?;
        socket.set_read_timeout(Some(ANSWER_LIMIT))?;
        socket.write_all(&TLS_REQUEST)?;
        socket.read_exact(&mut [0])
    };
    ask().is_ok()
}

/// Whether a socket in `folder` can have an address.
pub(super) fn socket_fits(folder: &Path) -> bool {
    folder.join(SOCKET).as_os_str().len() <= SOCKET_PATH_MAX
}

/// Removes the lock file of a server that is proven not to run.
pub(super) fn remove(data: &Path) -> Result<(), PostgresError> {
    let path = path(data);
    remove_if_there(&path).during("remove the stale", &path)
}

/// Removes the lock file beside the socket if it names a process that is not the server of `data`.
pub(super) fn clear_socket_lock(
    folder: &Path,
    data: &Path,
    owner: Uid,
) -> Result<(), PostgresError> {
    let path = folder.join(format!("{SOCKET}.lock"));
    let Ok(bytes) = fs::read(&path) else { return Ok(()) };
    if leading_pid(&bytes).is_some_and(|pid| standing(pid, data, owner) == Standing::Running) {
        return Ok(());
    }
    remove_if_there(&path).during("remove the stale", &path)
}

fn path(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The number on the first line. A server in single-user mode writes it negative.
fn leading_pid(bytes: &[u8]) -> Option<Pid> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let number: i32 = std::str::from_utf8(line).ok()?.trim().parse().ok()?;
    // 0 would address our own process group.
    number.checked_abs().filter(|number| *number > 0).map(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_server_is_read() {
        let text = b"4711\n/home/data\n1700000000\n5432\n/home/run\n\n  12 34\nready   \n";
        let file = PidFile::parse(text);
        assert_eq!(file.pid, Some(Pid::from_raw(4711)));
        assert_eq!(file.socket_dir.as_deref(), Some(Path::new("/home/run")));
        assert!(file.ready);
    }

    #[test]
    fn a_file_in_the_making_names_nobody() {
        for text in ["", "\n", "x\n", "0\n", "99999999999\n"] {
            let file = PidFile::parse(text.as_bytes());
            assert_eq!((file.pid, file.ready), (None, false), "{text:?}");
        }
        assert_eq!(PidFile::parse(b"-4711\n").pid, Some(Pid::from_raw(4711)));
    }

    #[test]
    fn a_socket_path_of_107_bytes_fits_and_of_108_does_not() {
        let room = SOCKET_PATH_MAX - SOCKET.len() - 1;
        assert!(socket_fits(Path::new(&format!("/{}", "a".repeat(room - 1)))));
        assert!(!socket_fits(Path::new(&format!("/{}", "a".repeat(room)))));
    }
}
