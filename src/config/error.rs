//! A configuration that cannot be used, as one line: where, which key, what is wrong, the mend.

/// Why the hub cannot start with its configuration. It never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}; {mend}")]
pub struct ConfigError {
    place: String,
    what: String,
    mend: String,
}

impl ConfigError {
    /// `place` is a file or a variable, with the key where there is one; `what` is what is wrong
    /// with it, `mend` what to do.
    pub fn new(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { place: one_line(place), what: one_line(what), mend: one_line(mend) }
    }
}

/// Other people's messages may have several lines; the contract promises one.
fn one_line(text: impl Into<String>) -> String {
    text.into().split_whitespace().collect::<Vec<_>>().join(" ")
}
