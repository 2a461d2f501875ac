//! The home folder of the cluster: which file is where, who may enter, and the settings files. The hub
//! writes beside the data folder and never into it: as root it would otherwise follow whatever links
//! the server's account has put there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    account::{Account, hub_name},
    error::{During, PostgresError},
    pid_file,
};

/// The server's settings as first written; an operator may edit the copy in the home folder.
const SETTINGS: &str = include_str!("postgresql.conf");
/// Whoever the kernel says is at the other end of the socket, mapped by `pg_ident.conf`; nobody else.
const ACCESS: &str = "local all all peer map=hub\n";
/// A log larger than this is set aside at the next start.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The home folder, which exists.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
}

impl Home {
    /// Creates the folder if it is missing, for the hub alone.
    pub(super) fn open(folder: &Path) -> Result<Self, PostgresError> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).during("create", parent)?;
        }
        create_private(folder)?;
        let folder = folder.canonicalize().during("enter", folder)?;
        Ok(Self { folder })
    }

    /// Lets the server's account through a home in which nothing stands yet but lock files. One that
    /// holds something keeps the permissions that its owner chose. Behind the gate, since another
    /// hub may have created the folder a moment ago.
    pub(super) fn admit(&self, account: &Account) -> Result<(), PostgresError> {
        for entry in fs::read_dir(&self.folder).during("list", &self.folder)? {
            let path = entry.during("list", &self.folder)?.path();
            if path != self.start_lock() && path != self.users_lock() {
                return Ok(());
            }
        }
        account.admit(&self.folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn start_lock(&self) -> PathBuf {
        self.folder.join("start.lock")
    }

    pub(super) fn users_lock(&self) -> PathBuf {
        self.folder.join("users.lock")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// Opens the log for the server to append to.
    pub(super) fn open_log(&self) -> Result<File, PostgresError> {
        let log = self.log();
        if fs::metadata(&log).is_ok_and(|found| found.len() > LOG_BYTES_MAX) {
            fs::rename(&log, self.folder.join("postgres.log.old")).during("set aside", &log)?;
        }
        OpenOptions::new().append(true).create(true).mode(0o600).open(&log).during("open", &log)
    }

    /// Writes the settings if they are missing, and who may connect anew at each start, because the
    /// hub's account may have another name since. Returns what the server is to be called with.
    pub(super) fn write_settings(&self) -> Result<Vec<(&'static str, PathBuf)>, PostgresError> {
        let settings = self.folder.join("postgresql.conf");
        if !settings.try_exists().during("look at", &settings)? {
            replace(&settings, SETTINGS)?;
        }
        let access = self.folder.join("pg_hba.conf");
        replace(&access, ACCESS)?;
        let names = self.folder.join("pg_ident.conf");
        let hub = hub_name()?.replace('"', "\"\"");
        replace(&names, &format!("hub \"{hub}\" {}\n", super::USER))?;
        Ok(vec![("config_file", settings), ("hba_file", access), ("ident_file", names)])
    }

    /// The socket's folder: `run`, or where that is too long for a socket, a short one that its owner
    /// and mode keep to us.
    pub(super) fn socket_dir(&self, account: &Account) -> Result<PathBuf, PostgresError> {
        let mut folder = self.folder.join("run");
        if !pid_file::socket_fits(&folder) {
            let digest = Sha256::digest(self.folder.as_os_str().as_encoded_bytes());
            let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            folder = Path::new("/tmp").join(format!("payhub-{name}"));
        }
        if create_private(&folder)? {
            account.own(&folder)?;
        }
        let found = fs::symlink_metadata(&folder).during("look at", &folder)?;
        if !found.is_dir() || found.uid() != account.uid().as_raw() || found.mode() & 0o077 != 0 {
            let why = "must be a folder of the server's account that nobody else can enter";
            return Err(io::Error::other(why)).during("put the socket into", &folder);
        }
        Ok(folder)
    }
}

/// Creates a folder that only its owner can enter; false if something of that name exists.
pub(super) fn create_private(folder: &Path) -> Result<bool, PostgresError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).during("create", folder),
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<(), PostgresError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).during("set the mode of", path)
}

/// Puts a whole file in the place of what was there: a power cut leaves the old or the new.
fn replace(path: &Path, text: &str) -> Result<(), PostgresError> {
    let new = path.with_extension("conf.new");
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().during("write", path)?;
    set_mode(path, 0o644)
}
