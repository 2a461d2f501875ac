//! What the command line gives: which benchmark, where things are, and numbers with their defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

/// A result, or a sentence.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The command line: `NAME --work DIR --payhub FILE --peers DIR [key=value…]`.
pub struct Given {
    /// The benchmark.
    pub what: String,
    /// A temporary folder, with the peers' packages in it; whoever gave it takes it away.
    pub work: PathBuf,
    /// The hub's binary.
    pub payhub: PathBuf,
    /// The peers' sources.
    pub peers: PathBuf,
    numbers: BTreeMap<String, String>,
}

impl Given {
    /// Reads it.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let what = arguments.next().ok_or("which benchmark?")?;
        let (mut paths, mut numbers) = (BTreeMap::new(), BTreeMap::new());
        while let Some(argument) = arguments.next() {
            if let Some(name) = argument.strip_prefix("--") {
                let value = arguments.next().ok_or_else(|| format!("--{name} of what?"))?;
                paths.insert(name.to_owned(), PathBuf::from(value));
            } else if let Some((name, value)) = argument.split_once('=') {
                numbers.insert(name.to_owned(), value.to_owned());
            } else {
                return Err(format!("{argument}: give key=value").into());
            }
        }
        let mut path =
            |name: &str| paths.remove(name).ok_or_else(|| format!("--{name} is missing"));
        Ok(Self {
            what,
            work: path("work")?,
            payhub: path("payhub")?,
            peers: path("peers")?,
            numbers,
        })
    }

    /// A number or word by name.
    pub fn or<T: FromStr>(&self, name: &str, default: T) -> Outcome<T> {
        match self.numbers.get(name) {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_unread| format!("{name}={text}: not understood").into())
            }
        }
    }

    /// Whether a mode is to be run: all are, unless `only=WORD` names a part of its name.
    pub fn wants(&self, mode: &str) -> bool {
        self.numbers.get("only").is_none_or(|only| only.split(',').any(|word| mode.contains(word)))
    }
}
