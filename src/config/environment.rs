//! The process's environment, read once and here alone: `PAYHUB_*` settings that stand above
//! those of the file, and where this machine keeps things.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use nix::unistd::geteuid;
use toml::{Table, Value};

use super::error::ConfigError;

/// The tables of `payhub.toml`, for telling a setting from a variable that is none.
pub(super) const TABLES: [&str; 15] = [
    "server",
    "database",
    "security",
    "merchants",
    "channels",
    "applications",
    "office",
    "policy",
    "pay_gates",
    "webhooks",
    "templates",
    "callbacks",
    "bank",
    "fiscal_items",
    "payer_accounts",
];

/// The most entries that an array of tables may get from the environment.
const ENTRIES_MAX: usize = 1000;

/// What the hub takes from the process's environment.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    /// Whether the process may do everything.
    is_root: bool,
}

/// A value that a variable put into the tree of settings.
pub(super) struct Override {
    /// The key as messages name it: `merchants[0].mchid`.
    pub(super) key: String,
    /// The variable it came from.
    pub(super) variable: String,
}

impl Environment {
    /// The process's own.
    #[must_use]
    pub fn read() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment; all others are handed it"
        )]
        let path = ["PATH", "HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"]
            .into_iter()
            .filter_map(|name| env::var_os(name).map(|value| (name.to_owned(), value)));
        let own = env::vars_os()
            .filter_map(|(name, value)| name.into_string().ok().map(|name| (name, value)))
            .filter(|(name, _)| name.starts_with("PAYHUB_"));
        Self { variables: path.chain(own).collect(), is_root: geteuid().is_root() }
    }

    /// One made by hand, for tests.
    #[must_use]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), OsString::from(value));
        Self { variables: variables.into_iter().map(owned).collect(), is_root: false }
    }

    /// The same variables for a process that may do everything.
    #[cfg(test)]
    pub(super) fn for_root(self) -> Self {
        Self { is_root: true, ..self }
    }

    /// `PAYHUB_CONFIG`: the configuration, when the command line names none.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        self.path("PAYHUB_CONFIG")
    }

    /// `PAYHUB_LOG`: what the log shows, in the words of `tracing` (`debug`, `payhub=trace,warn`).
    #[must_use]
    pub fn log(&self) -> Option<&str> {
        self.variables.get("PAYHUB_LOG").and_then(|value| value.to_str())
    }

    /// `PAYHUB_PG_BIN`: the one folder of PostgreSQL's server programs to use.
    #[must_use]
    pub fn postgres_bin(&self) -> Option<PathBuf> {
        self.path("PAYHUB_PG_BIN")
    }

    /// Where PostgreSQL's server programs may be, after the usual places: the cache folder into
    /// which `./dev` unpacks them, then every folder of `PATH`.
    #[must_use]
    pub fn postgres_search(&self) -> Vec<PathBuf> {
        let cache = self
            .path("XDG_CACHE_HOME")
            .or_else(|| self.path("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("payhub/postgresql/bin"));
        let path = self.variables.get("PATH").map(env::split_paths).into_iter().flatten();
        cache.into_iter().chain(path.filter(|folder| folder.is_absolute())).collect()
    }

    /// Where the private PostgreSQL lives unless configured: `/var/lib/payhub` as root, else
    /// `$XDG_DATA_HOME/payhub`, else `~/.local/share/payhub`; `None` without a home.
    #[must_use]
    pub fn data_dir(&self) -> Option<PathBuf> {
        if self.is_root {
            return Some(PathBuf::from("/var/lib/payhub"));
        }
        self.path("XDG_DATA_HOME")
            .or_else(|| self.path("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("payhub"))
    }

    /// The system's folder for temporary things.
    #[must_use]
    pub fn temporary_folder(&self) -> PathBuf {
        self.path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    /// Whether any variable is a setting.
    pub(super) fn has_settings(&self) -> bool {
        self.variables.keys().any(|name| segments(name).is_some())
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Lays the settings over those of the file: `PAYHUB_SERVER__LISTEN` over `server.listen`,
    /// `PAYHUB_MERCHANTS__0__MCHID` over the first merchant's `mchid`.
    pub(super) fn lay_over(&self, settings: &mut Table) -> Result<Vec<Override>, ConfigError> {
        let mut found = Vec::new();
        for (name, value) in &self.variables {
            let Some(steps) = segments(name) else {
                refuse_single_underscore(name)?;
                continue;
            };
            let value = value.to_str().ok_or_else(|| {
                ConfigError::new(name, "is not UTF-8", "give the setting as UTF-8 text")
            })?;
            found.push((steps, name, value));
        }
        found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut overrides = Vec::new();
        for (steps, name, value) in found {
            place_in_table(settings, &steps, value).map_err(|what| {
                ConfigError::new(name, what, "levels are separated by `__`, as in PAYHUB_SERVER__LISTEN or PAYHUB_MERCHANTS__0__MCHID")
            })?;
            overrides.push(Override { key: key_of(&steps), variable: name.clone() });
        }
        Ok(overrides)
    }
}

impl std::fmt::Debug for Environment {
    /// Values may be secrets: only names are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.variables.keys()).finish()
    }
}

/// One level of a setting's name; numbers sort as numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Entry(usize),
    Key(String),
}

/// The levels of a variable that is a setting: it begins with `PAYHUB_` and has a `__`.
fn segments(name: &str) -> Option<Vec<Step>> {
    let rest = name.strip_prefix("PAYHUB_")?;
    rest.contains("__").then(|| {
        rest.split("__")
            .map(|part| match part.parse() {
                Ok(index) => Step::Entry(index),
                Err(_not_a_number) => Step::Key(part.to_ascii_lowercase()),
            })
            .collect()
    })
}

/// `PAYHUB_SERVER_LISTEN` would otherwise be passed over in silence.
fn refuse_single_underscore(name: &str) -> Result<(), ConfigError> {
    let rest = name.strip_prefix("PAYHUB_").unwrap_or_default().to_ascii_lowercase();
    let meant = TABLES.into_iter().find_map(|table| {
        let key = rest.strip_prefix(table)?.strip_prefix('_')?;
        Some(format!("PAYHUB_{}__{}", table.to_ascii_uppercase(), key.to_ascii_uppercase()))
    });
    match meant {
        Some(meant) => Err(ConfigError::new(
            name,
            "is no setting: its levels are separated by one underscore",
            format!("write {meant}"),
        )),
        None => Ok(()),
    }
}

fn key_of(steps: &[Step]) -> String {
    let mut key = String::new();
    for step in steps {
        match step {
            Step::Entry(index) => key.push_str(&format!("[{index}]")),
            Step::Key(name) if key.is_empty() => key.push_str(name),
            Step::Key(name) => {
                key.push('.');
                key.push_str(name);
            }
        }
    }
    key
}

fn place_in_table(table: &mut Table, steps: &[Step], value: &str) -> Result<(), String> {
    match steps {
        [Step::Key(name)] => {
            table.insert(name.clone(), Value::String(value.to_owned()));
            Ok(())
        }
        [Step::Key(name), rest @ ..] => {
            let below = table.entry(name.clone()).or_insert_with(|| empty_for(rest));
            place_in_value(below, rest, value)
        }
        _ => Err("has a number where a key must stand".to_owned()),
    }
}

fn place_in_value(below: &mut Value, steps: &[Step], value: &str) -> Result<(), String> {
    match (below, steps) {
        (Value::Table(table), steps) => place_in_table(table, steps, value),
        (Value::Array(entries), [Step::Entry(index), rest @ ..]) if !rest.is_empty() => {
            if *index > entries.len() || *index >= ENTRIES_MAX {
                return Err(format!("names entry {index}, but there are only {}", entries.len()));
            }
            if *index == entries.len() {
                entries.push(empty_for(rest));
            }
            entries.get_mut(*index).map_or_else(
                || Err(format!("names entry {index}, which is not there")),
                |entry| place_in_value(entry, rest, value),
            )
        }
        (Value::Array(_), _) => Err("must name an entry by its number, from 0".to_owned()),
        (
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_),
            _,
        ) => Err("names a level below a single value".to_owned()),
    }
}

fn empty_for(rest: &[Step]) -> Value {
    match rest.first() {
        Some(Step::Entry(_)) => Value::Array(Vec::new()),
        Some(Step::Key(_)) | None => Value::Table(Table::new()),
    }
}
