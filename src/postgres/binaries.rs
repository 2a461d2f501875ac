//! Finds PostgreSQL's server programs. A data folder's major version decides before any search
//! order does, and nothing is ever downloaded.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    account::Account,
    error::{During, PostgresError},
};

/// The hub's SQL uses what this major version has.
const OLDEST_MAJOR: u32 = 15;

/// Where packages put versions side by side: parent folder, what stands before and after the number.
const NUMBERED: [(&str, &str, &str); 3] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
];

/// Further usual places. The last is where `./dev` unpacks binaries when it runs as root.
const USUAL: [&str; 2] = ["/usr/local/pgsql/bin", "/var/cache/payhub/postgresql/bin"];

/// Where to look, beyond the places that are the same on every machine. The environment says; as it is
/// read in `src/config` alone, it is handed in.
#[derive(Debug, Clone, Default)]
pub struct Binaries {
    /// The one bin folder to use, whatever else is installed (`PAYHUB_PG_BIN`).
    pub explicit: Option<PathBuf>,
    /// Bin folders to try after the system's: where `./dev` unpacks for a user, and those of `PATH`.
    pub also: Vec<PathBuf>,
}

/// An installation whose programs ran.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) bin: PathBuf,
    /// As it calls itself, such as `15.18`.
    pub(super) version: String,
    pub(super) major: u32,
}

impl Binaries {
    /// The installation for a cluster: of exactly `made_by` if the cluster exists, else the first
    /// that is new enough.
    pub(super) fn choose(
        &self,
        account: &Account,
        data: &Path,
        made_by: Option<u32>,
    ) -> Result<Installation, PostgresError> {
        let folders = self.explicit.clone().map_or_else(|| self.folders(), |folder| vec![folder]);
        let mut looked = Vec::new();
        let mut found = Vec::new();
        for folder in &folders {
            match Installation::probe(folder, account) {
                Ok(Some(here))
                    if made_by.map_or(here.major >= OLDEST_MAJOR, |m| m == here.major) =>
                {
                    return Ok(here);
                }
                Ok(Some(here)) => {
                    looked.push(format!("{} is {}", folder.display(), here.version));
                    found.push(here.version);
                }
                Ok(None) if self.explicit.is_some() => {
                    looked.push(format!("{} has no postgres and initdb", folder.display()));
                }
                Ok(None) => {}
                Err(error) => {
                    let account = account.described();
                    looked.push(format!("{account} cannot run {}: {error}", folder.display()));
                }
            }
        }
        if let Some(made_by) = made_by.filter(|_| !found.is_empty()) {
            let found = found.join(", ");
            return Err(PostgresError::OtherMajor { data: data.to_owned(), made_by, found });
        }
        if looked.is_empty() {
            looked.push(format!("looked in {} folders", folders.len()));
        }
        let oldest = made_by.unwrap_or(OLDEST_MAJOR);
        Err(PostgresError::NoBinaries { oldest, looked: looked.join("; ") })
    }

    /// Every folder to try, in order.
    fn folders(&self) -> Vec<PathBuf> {
        let numbered = NUMBERED.iter().flat_map(|(parent, before, below)| {
            newest_first(Path::new(parent), before)
                .into_iter()
                .map(move |folder| folder.join(below))
        });
        numbered.chain(USUAL.iter().map(PathBuf::from)).chain(self.also.iter().cloned()).collect()
    }
}

impl Installation {
    /// Asks the server program in `bin` for its version, as the account that would run it.
    fn probe(bin: &Path, account: &Account) -> io::Result<Option<Self>> {
        let server = bin.join("postgres");
        if !server.is_file() || !bin.join("initdb").is_file() {
            return Ok(None);
        }
        let answer = account.command(&server, Path::new("/")).arg("--version").output()?;
        let text = String::from_utf8_lossy(&answer.stdout);
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        let Some(version) = text.split_whitespace().nth(2).filter(|_| answer.status.success())
        else {
            let said = String::from_utf8_lossy(&answer.stderr);
            return Err(io::Error::other(format!("{} {}", answer.status, said.trim())));
        };
        let Some(major) = leading_number(version) else {
            return Err(io::Error::other(format!("version {version:?} is not understood")));
        };
        Ok(Some(Self { bin: bin.to_owned(), version: version.to_owned(), major }))
    }
}

/// The major version that made `data`; nothing if there is no cluster yet.
pub(super) fn made_by(data: &Path) -> Result<Option<u32>, PostgresError> {
    if !data.try_exists().during("look at", data)? {
        return Ok(None);
    }
    match fs::read_to_string(data.join("PG_VERSION")) {
        Ok(text) => leading_number(text.trim())
            .map(Some)
            .ok_or_else(|| PostgresError::NotACluster(data.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(PostgresError::NotACluster(data.to_owned()))
        }
        Err(error) => Err(error).during("read the version of", data),
    }
}

/// The folders of `parent` called `before` and a number, highest number first.
fn newest_first(parent: &Path, before: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(before)?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// `18` of `18.6` and of `18beta1`.
fn leading_number(version: &str) -> Option<u32> {
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::leading_number;

    #[test]
    fn a_major_version_is_the_leading_number() {
        assert_eq!(leading_number("15.18"), Some(15));
        assert_eq!(leading_number("18beta1"), Some(18));
        assert_eq!(leading_number("devel"), None);
    }
}
