//! Why the private PostgreSQL cannot be had, in words that say what to mend.

use std::{io, path::PathBuf};

/// A failure to start, adopt or stop the private PostgreSQL. Whatever it says, the data folder is as
/// it was found: nothing here deletes, upgrades or repairs data.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No installation that the hub's SQL can run on.
    #[error(
        "no PostgreSQL {oldest} or newer found ({looked}): run ./dev install, install the package \
         postgresql, name its bin folder by PAYHUB_PG_BIN, or set database.url"
    )]
    NoBinaries {
        /// The oldest major version that would do.
        oldest: u32,
        /// What was looked at, and what stood there.
        looked: String,
    },
    /// The data folder belongs to a major version that is not installed.
    #[error(
        "{} was made by PostgreSQL {made_by} and is left untouched, but the binaries here are {found}: \
         install PostgreSQL {made_by}, or move the data by pg_upgrade or dump and restore", .data.display()
    )]
    OtherMajor {
        /// The data folder.
        data: PathBuf,
        /// Its major version, from its `PG_VERSION`.
        made_by: u32,
        /// The versions that were found.
        found: String,
    },
    /// Something that is not a PostgreSQL data folder stands in its place.
    #[error("{} exists but is no PostgreSQL data folder: move it away or choose another data_dir", .0.display())]
    NotACluster(PathBuf),
    /// The account without privileges that must run the server cannot enter the home folder.
    #[error(
        "{account} cannot reach {}: PostgreSQL refuses to run as root, so each folder on the way \
         must let that account pass (chmod a+x), or choose another data_dir", .home.display()
    )]
    Unreachable {
        /// The account's name and number.
        account: String,
        /// The home folder.
        home: PathBuf,
    },
    /// No account that could run the server or be known to it.
    #[error("{0}")]
    NoAccount(String),
    /// A server answers on the cluster's socket, but its process cannot be seen from here.
    #[error(
        "a PostgreSQL outside this container or namespace is using {}: give the hubs one external \
         database by database.url instead", .0.display()
    )]
    Elsewhere(PathBuf),
    /// `initdb` or `postgres` gave up.
    #[error("{program} {how} (log: {}){}", .log.display(), indented(.lines))]
    Failed {
        /// Which program.
        program: &'static str,
        /// Its exit status, or what it did not do in time.
        how: String,
        /// Where the whole log is.
        log: PathBuf,
        /// The end of what it said.
        lines: Vec<String>,
    },
    /// Another hub has held the gate for longer than any start takes.
    #[error("{} stayed locked for {seconds} s: another hub is starting or stopping this PostgreSQL", .lock.display())]
    Busy {
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// The operating system refused something.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Puts a log's lines below the message that they explain.
fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

/// Names the action and the path of an [`io::Error`], which by itself names neither.
pub(super) trait During<T> {
    /// Wraps the error as [`PostgresError::Io`].
    fn during(self, what: &'static str, path: &std::path::Path) -> Result<T, PostgresError>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, what: &'static str, path: &std::path::Path) -> Result<T, PostgresError> {
        self.map_err(|source| PostgresError::Io { what, path: path.to_owned(), source })
    }
}
