//! The operating-system account that runs the server: the hub's own, unless the hub is root, which
//! PostgreSQL refuses. It gives the account no more than passage into the home folder.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{Gid, Uid, User};

use super::error::{During, PostgresError};

/// Tried in this order when the hub is root and no data folder says otherwise.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Who runs the server and owns its data.
#[derive(Debug)]
pub(super) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
    /// The hub is root and this account is not: every file given to it must change hands.
    dropped: bool,
}

impl Account {
    /// The account for `data`: its owner if it exists, so that an account added to the machine later
    /// does not lose us the data.
    pub(super) fn for_data(data: &Path) -> Result<Self, PostgresError> {
        let own = Uid::effective();
        if !own.is_root() {
            return Ok(Self::of(named(own)?, false));
        }
        let owner = match fs::metadata(data) {
            Ok(found) => Some(Uid::from_raw(found.uid())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).during("look at", data),
        };
        let user = match owner {
            Some(owner) if owner.is_root() => {
                return Err(PostgresError::NoAccount(format!(
                    "{} belongs to root, as whom PostgreSQL refuses to run: chown it to postgres",
                    data.display()
                )));
            }
            Some(owner) => named(owner)?,
            None => UNPRIVILEGED
                .iter()
                .find_map(|name| User::from_name(name).ok().flatten())
                .ok_or_else(|| no_account("neither postgres nor nobody is an account here"))?,
        };
        Ok(Self::of(user, true))
    }

    fn of(user: User, dropped: bool) -> Self {
        Self { name: user.name, uid: user.uid, gid: user.gid, dropped }
    }

    /// A command that runs as this account, in `folder`, with messages in English.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("LC_ALL", "C").env("TZ", "UTC");
        if self.dropped {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Hands `path` to this account.
    pub(super) fn own(&self, path: &Path) -> Result<(), PostgresError> {
        if !self.dropped {
            return Ok(());
        }
        chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw())).during("hand over", path)
    }

    /// Lets this account's group pass through `folder`, which stays the hub's.
    pub(super) fn admit(&self, folder: &Path) -> Result<(), PostgresError> {
        if !self.dropped {
            return Ok(());
        }
        chown(folder, None, Some(self.gid.as_raw())).during("hand over", folder)?;
        let passage = fs::Permissions::from_mode(0o710);
        fs::set_permissions(folder, passage).during("set the mode of", folder)
    }

    /// Its number, which owns the server's process and files.
    pub(super) fn uid(&self) -> Uid {
        self.uid
    }

    /// Its name and number, for messages.
    pub(super) fn described(&self) -> String {
        format!("{} (uid {})", self.name, self.uid)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// The name under which the server will see the hub connect.
pub(super) fn hub_name() -> Result<String, PostgresError> {
    named(Uid::effective()).map(|user| user.name)
}

fn named(uid: Uid) -> Result<User, PostgresError> {
    User::from_uid(uid).ok().flatten().ok_or_else(|| {
        no_account(&format!("user {uid} has no name on this machine, which PostgreSQL asks for"))
    })
}

fn no_account(why: &str) -> PostgresError {
    PostgresError::NoAccount(format!("{why}: add such an account, or set database.url"))
}
