//! Spawns the server and waits until it takes connections.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::Instant,
};

use super::{
    binaries::Installation,
    error::{During, PostgresError},
    pid_file::{self, PidFile},
    server::{Cluster, POLL, START_LIMIT},
};

impl Cluster<'_> {
    /// Starts the server and waits until it takes connections.
    pub(super) fn launch(self, programs: &Installation) -> Result<(), PostgresError> {
        let data = self.home.data();
        let socket_dir = self.home.socket_dir(self.account)?;
        pid_file::clear_socket_lock(&socket_dir, &data, self.account.uid())?;
        let log = self.home.open_log()?;
        let log_start = log.metadata().map_or(0, |found| found.len());
        let mut child = self.spawn(programs, &socket_dir, log)?;
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().during("wait for", &programs.bin)? {
                return Err(self.failed(&format!("did not start: {status}"), log_start));
            }
            if PidFile::read(&data)?.is_some_and(|file| file.ready && file.socket_answers()) {
                tracing::debug!(pid = child.id(), "private PostgreSQL is ready");
                return Ok(());
            }
            if begun.elapsed() > START_LIMIT {
                let how = "did not get ready in time; it is left running";
                return Err(self.failed(how, log_start));
            }
            thread::sleep(POLL);
        }
    }

    /// Spawns the server in a process group of its own: a Ctrl-C in the terminal must not reach it
    /// before the hub has finished its work.
    fn spawn(
        self,
        programs: &Installation,
        socket_dir: &Path,
        log: File,
    ) -> Result<Child, PostgresError> {
        let program = programs.bin.join("postgres");
        let errors = log.try_clone().during("open", &self.home.log())?;
        let mut server = self.account.command(&program, self.home.path());
        server.arg("-D").arg(self.home.data());
        for (name, file) in self.home.write_settings()? {
            server.arg("-c").arg(setting(name, &file));
        }
        // Here rather than in the settings file, so that no edit can lose money or open a port.
        server.arg("-c").arg(setting("unix_socket_directories", &quoted(socket_dir)));
        for fixed in ["listen_addresses=", "unix_socket_permissions=0700", "port=5432"] {
            server.args(["-c", fixed]);
        }
        server.args(["-c", "fsync=on", "-c", "full_page_writes=on"]);
        server.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        server.spawn().map_err(|error| self.not_spawned(error, &program))
    }

    /// The program itself ran when its version was asked for, so what is forbidden is the folder.
    pub(super) fn not_spawned(self, error: io::Error, program: &Path) -> PostgresError {
        if error.kind() == io::ErrorKind::PermissionDenied {
            let (account, home) = (self.account.described(), self.home.path().to_owned());
            return PostgresError::Unreachable { account, home };
        }
        PostgresError::Io { what: "run", path: program.to_owned(), source: error }
    }
}

/// `name=value` for the server's command line; a path need not be UTF-8.
fn setting(name: &str, value: &Path) -> OsString {
    let mut setting = OsString::from(name);
    setting.push("=");
    setting.push(value);
    setting
}

/// A folder as one element of a list, whatever commas its name has.
fn quoted(folder: &Path) -> PathBuf {
    folder.to_str().map_or_else(
        || folder.to_owned(),
        |name| PathBuf::from(format!("\"{}\"", name.replace('"', "\"\""))),
    )
}
