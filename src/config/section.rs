//! A table of `payhub.toml` while it is read: every fault names file, key and mend, and a value
//! that came from the environment names its variable.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use url::{Host, Url};

use super::error::ConfigError;

/// No key and no certificate chain is larger; a device file or a wrong path might be.
const KEY_FILE_MAX: u64 = 64 * 1024;
/// A bare base64 key is longer, a path rarely.
const PATH_LENGTH_MAX: usize = 250;

/// Where the settings came from.
#[derive(Debug)]
pub(super) struct Origin {
    /// The file's name as messages show it.
    pub(super) file: String,
    /// Its folder: relative paths begin there.
    pub(super) folder: PathBuf,
    /// Keys that came from the environment, and their variables.
    pub(super) variables: BTreeMap<String, String>,
}

impl Origin {
    /// A fault at `key`, such as `merchants[0].mchid`.
    pub(super) fn fault(
        &self,
        key: &str,
        what: impl AsRef<str>,
        mend: impl Into<String>,
    ) -> ConfigError {
        let place = self.variables.get(key).unwrap_or(&self.file);
        ConfigError::new(format!("{place}: {key}"), what.as_ref(), mend)
    }

    /// A path of the configuration, from the folder of its file.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }
}

/// One table.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) origin: &'a Origin,
    path: String,
    table: Table,
}

impl<'a> Section<'a> {
    /// The whole configuration.
    pub(super) fn root(origin: &'a Origin, table: Table) -> Self {
        Self { origin, path: String::new(), table }
    }

    /// Refuses every key that is not in `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        let Some(key) = self.table.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(());
        };
        let mend = nearest(key, known).map_or_else(
            || format!("known here: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(self.fault(key, "unknown key", mend))
    }

    /// A fault at one of its keys.
    pub(super) fn fault(
        &self,
        key: &str,
        what: impl AsRef<str>,
        mend: impl Into<String>,
    ) -> ConfigError {
        self.origin.fault(&self.key(key), what, mend)
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text that may be absent. One that is there is not empty.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => {
                Err(self.fault(key, "is empty", "give a value or take the key away"))
            }
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong_type(key, other, "a text in quotes")),
        }
    }

    /// A text that must be there; `mend` says what it is.
    pub(super) fn needed(&self, key: &str, mend: &str) -> Result<String, ConfigError> {
        self.text(key)?.ok_or_else(|| self.fault(key, "missing", mend))
    }

    /// Yes or no, if it is there.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if self.is_from_environment(key) => match text.as_str() {
                "true" => Ok(Some(true)),
                "false" => Ok(Some(false)),
                _ => Err(self.fault(key, "is neither true nor false", "give true or false")),
            },
            Some(other) => Err(self.wrong_type(key, other, "true or false")),
        }
    }

    /// Texts in a list; in a variable they are separated by commas.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        match self.table.get(key) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) if self.is_from_environment(key) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect()),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| {
                    let not_a_text = || self.wrong_type(key, value, "a list of texts in quotes");
                    value.as_str().map(str::to_owned).ok_or_else(not_a_text)
                })
                .collect(),
            Some(other) => Err(self.wrong_type(key, other, "a list of texts in quotes")),
        }
    }

    /// A text or a whole number, as a text.
    pub(super) fn text_or_number(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.table.get(key) {
            Some(Value::Integer(number)) => Ok(Some(number.to_string())),
            _ => self.text(key),
        }
    }

    /// A table below this one; an empty one when it is absent.
    pub(super) fn below(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        let table = match self.table.get(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table.clone(),
            Some(other) => return Err(self.wrong_type(key, other, "a table")),
        };
        Ok(Section { origin: self.origin, path: self.key(key), table })
    }

    /// The tables of an array, `[[merchants]]`; none when it is absent.
    pub(super) fn entries(&self, key: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        let values = match self.table.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(other) => {
                return Err(self.wrong_type(key, other, &format!("tables [[{key}]]")));
            }
        };
        let entry = |(index, value): (usize, &Value)| {
            let not_a_table = || self.wrong_type(key, value, &format!("tables [[{key}]]"));
            Ok(Section {
                origin: self.origin,
                path: format!("{}[{index}]", self.key(key)),
                table: value.as_table().ok_or_else(not_a_table)?.clone(),
            })
        };
        values.iter().enumerate().map(entry).collect()
    }

    /// An id under its own rule, that must be there.
    pub(super) fn id<T>(&self, mend: &str) -> Result<T, ConfigError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.needed("id", mend)?
            .parse()
            .map_err(|fault: T::Err| self.fault("id", fault.to_string(), mend))
    }

    /// An http or https URL. `http` to another machine is refused when `is_private` says that
    /// what goes there must not be read on the way.
    pub(super) fn url(&self, key: &str, is_private: bool) -> Result<Option<Url>, ConfigError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let url = Url::parse(&text).map_err(|fault| {
            self.fault(
                key,
                format!("is no URL: {fault}"),
                "give it whole, as in https://example.com",
            )
        })?;
        match url.scheme() {
            "https" => Ok(Some(url)),
            "http" if !is_private || is_loopback(&url) => Ok(Some(url)),
            "http" => Err(self.fault(
                key,
                "is http:// to another machine, where money and keys could be read on the way",
                "give an https:// address; http:// is accepted for loopback only",
            )),
            _ => Err(self.fault(key, "is neither http nor https", "give an https:// address")),
        }
    }

    /// A PEM (or bare base64) key: its text, or the text of the file that it names.
    pub(super) fn key_text(&self, key: &str, mend: &str) -> Result<String, ConfigError> {
        let text = self.needed(key, mend)?;
        if text.contains("-----") || text.trim().contains('\n') || text.len() > PATH_LENGTH_MAX {
            return Ok(text);
        }
        self.file_text(key, &text, "give the PEM text or a path")
    }

    /// A secret of which `is_whole` recognises the text; anything else is a path to it.
    pub(super) fn secret_text(
        &self,
        key: &str,
        form: &str,
        is_whole: impl Fn(&str) -> bool,
    ) -> Result<String, ConfigError> {
        let mend = format!("give {form}, or a path to it");
        let text = self.needed(key, &mend)?;
        // What does not look like a path may be a mistyped secret, and is not repeated.
        let looks_like_a_path = text.contains(['/', '.']) && text.len() <= PATH_LENGTH_MAX;
        let names_a_file = looks_like_a_path && self.origin.path(&text).is_file();
        if is_whole(&text) && !names_a_file {
            return Ok(text);
        }
        if !looks_like_a_path {
            let what = format!("has {} characters and is not {form}", text.chars().count());
            return Err(self.fault(key, what, mend));
        }
        let found = self.file_text(key, &text, &format!("give {form}, or a path"))?;
        let found = found.trim().to_owned();
        if is_whole(&found) {
            return Ok(found);
        }
        Err(self.fault(key, format!("the file it names does not hold {form}"), mend))
    }

    fn file_text(&self, key: &str, text: &str, mend: &str) -> Result<String, ConfigError> {
        read_small_file(&self.origin.path(text)).map_err(|fault| {
            let shown = if text.contains(['/', '.']) { text } else { "the file that it names" };
            let mend = format!("{mend} relative to {}", self.origin.file);
            self.fault(key, format!("cannot read {shown}: {}", in_words(&fault)), mend)
        })
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn is_from_environment(&self, key: &str) -> bool {
        self.origin.variables.contains_key(&self.key(key))
    }

    fn wrong_type(&self, key: &str, found: &Value, wanted: &str) -> ConfigError {
        let found = match found {
            Value::String(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a decimal number",
            Value::Boolean(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        };
        self.fault(key, format!("is {found}"), format!("give {wanted}"))
    }
}

/// Whether a URL leads to this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An error of the file system without its number.
pub(super) fn in_words(fault: &io::Error) -> String {
    let known = [
        (io::ErrorKind::NotFound, "no such file"),
        (io::ErrorKind::PermissionDenied, "permission denied"),
        (io::ErrorKind::IsADirectory, "it is a folder"),
        (io::ErrorKind::InvalidData, "it is not UTF-8 text"),
    ];
    known
        .into_iter()
        .find(|(kind, _)| *kind == fault.kind())
        .map_or_else(|| fault.to_string(), |(_, words)| words.to_owned())
}

pub(super) fn read_small_file(path: &Path) -> io::Result<String> {
    let about = fs::metadata(path)?;
    if about.is_file() && about.len() > KEY_FILE_MAX {
        return Err(io::Error::other("it is larger than any key"));
    }
    if !about.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    fs::read_to_string(path)
}

/// The known key that a typing mistake away from `key` is nearest, if one is near.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (distance(key, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, taken or changed (Levenshtein), row by row.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut next = vec![line.saturating_add(1)];
        for ((diagonal, above), against) in row.iter().zip(row.iter().skip(1)).zip(other.chars()) {
            let left = next.last().copied().unwrap_or_default();
            let changed = diagonal.saturating_add(usize::from(letter != against));
            next.push(changed.min(above.saturating_add(1)).min(left.saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
