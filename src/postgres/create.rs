//! Makes a new cluster with `initdb`, all or nothing.

use std::fs::{self, File};

use super::{
    USER,
    binaries::Installation,
    error::{During, PostgresError},
    home::create_private,
    log,
    server::Cluster,
};

impl Cluster<'_> {
    /// Makes a new cluster beside its final place, and moves it there when it is whole and on disk.
    pub(super) fn create(self, programs: &Installation) -> Result<(), PostgresError> {
        let folder = self.home.path();
        self.sweep()?;
        let new = folder.join(format!("data.new.{}", std::process::id()));
        create_private(&new)?;
        self.account.own(&new)?;
        let program = programs.bin.join("initdb");
        let mut initdb = self.account.command(&program, folder);
        initdb.arg("--pgdata").arg(&new).args(["--username", USER, "--encoding", "UTF8"]);
        initdb.args(["--locale", "C", "--data-checksums", "--no-instructions"]);
        // Not in force here, where the hub's own rules are, but nobody who starts this folder by hand
        // shall open it to the network.
        initdb.args(["--auth-local", "peer", "--auth-host", "reject"]);
        let said = initdb.output().map_err(|error| self.not_spawned(error, &program))?;
        if !said.status.success() {
            let lines = log::last_lines(&said.stderr);
            let how = format!("failed: {}", said.status);
            return Err(PostgresError::Failed {
                program: "initdb",
                how,
                log: self.home.log(),
                lines,
            });
        }
        fs::rename(&new, self.home.data()).during("move into place", &new)?;
        File::open(folder).and_then(|folder| folder.sync_all()).during("sync", folder)
    }

    /// Removes what an interrupted creation left. Behind the gate nobody can be at work on it.
    fn sweep(self) -> Result<(), PostgresError> {
        let folder = self.home.path();
        for entry in fs::read_dir(folder).during("list", folder)?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b"data.new.") {
                fs::remove_dir_all(entry.path()).during("remove the unfinished", &entry.path())?;
            }
        }
        Ok(())
    }
}
