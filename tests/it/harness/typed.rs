//! The command line as a person types it, beside an office of a test.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::World;

/// A `payhub.toml` over the database of the world, with the office's own master key.
pub(crate) struct Typed {
    folder: PathBuf,
}

impl Drop for Typed {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

impl Typed {
    /// Over a world's database.
    pub(crate) fn over(world: &World) -> Self {
        let url = world.database_url();
        let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        let folder =
            std::env::temp_dir().join(format!("payhub-typed-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "[database]\nurl = \"{url}\"\n\
             [security]\nmaster_key = \"cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=\"\n"
        );
        std::fs::write(folder.join("payhub.toml"), config).unwrap();
        Self { folder }
    }

    /// Runs a command.
    pub(crate) fn payhub(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_payhub"))
            .args(words)
            .arg("--config")
            .arg(self.folder.join("payhub.toml"))
            .output()
            .unwrap()
    }

    /// Runs a command: its exit code, and what it said.
    pub(crate) fn says(&self, words: &[&str]) -> (i32, String) {
        let done = self.payhub(words);
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (done.status.code().unwrap(), said)
    }
}
