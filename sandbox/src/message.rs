//! A request as it came over HTTP and the answer to it, so that the engine needs no server: raw
//! path, raw query and raw body, because that is what signatures cover.

/// A request, untouched.
#[derive(Clone)]
pub struct Received {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query exactly as sent.
    pub target: String,
    /// Headers as sent.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of the only header of that name, if there is exactly one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.trim()),
            _ => None,
        }
    }

    /// The path without the query, still encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query without the question mark, still encoded; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// What happens to an answer on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    #[default]
    Arrives,
    /// It arrives after so many real milliseconds.
    ArrivesAfter(u64),
    /// The connection is cut instead.
    Cut,
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers in order, `Content-Type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// What happens to it on its way.
    pub fate: Fate,
}

impl Reply {
    /// An answer with a body of that type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status, headers, body: body.into(), fate: Fate::Arrives }
    }

    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// No answer at all.
    pub(crate) const fn cut() -> Self {
        Self { status: 500, headers: Vec::new(), body: Vec::new(), fate: Fate::Cut }
    }

    /// What a broken proxy in between would say.
    pub(crate) fn garbage() -> Self {
        Self::new(200, "text/html", "<html><body>\u{fffd}upstream connect error</body></html>")
    }

    /// The value of a header of the answer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
