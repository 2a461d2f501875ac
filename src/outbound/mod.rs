//! Sends what an adapter built, byte for byte, and says honestly what came of it.
//!
//! Nothing is retried here: whether a call may be repeated is the business's question. Redirects
//! are not followed, proxies not consulted, and TLS cannot be switched off.

mod ask;

use std::time::Duration;

use adapters::wire::{Answer, Headers, Method, Request};

pub use ask::{Question, ask};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a provider may take to answer in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a bill may take to download.
const BILL_PATIENCE: Duration = Duration::from_secs(300);
/// The largest answer that is read, in bytes; bills are read up to [`LARGEST_BILL`].
const LARGEST_ANSWER: usize = 1024 * 1024;
/// The largest bill file, packed, in bytes.
const LARGEST_BILL: usize = 256 * 1024 * 1024;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// The connection did not come about: the call was certainly not executed.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It was sent, and nobody knows.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// How much of an answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A call with a small answer.
    Call,
    /// The download of a bill.
    Bill,
}

/// The hub's HTTP client.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: reqwest::Client,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot make HTTPS calls: {0}; install the package ca-certificates")]
pub struct NoClient(String);

impl Outbound {
    /// A client. Where every address is on loopback no certificates are needed, so that a machine
    /// without any can run the demonstration.
    ///
    /// # Errors
    /// When the machine has no certificates to trust.
    pub fn new(loopback_only: bool) -> Result<Self, NoClient> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_idle_timeout(Duration::from_secs(30));
        if loopback_only {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| NoClient(chain(&error)))?;
        Ok(Self { client })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`Silence`], which tells whether the request may have been executed.
    pub async fn send(&self, request: Request, kind: Kind) -> Result<Answer, Silence> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self.client.request(method, &request.url).body(request.body);
        if kind == Kind::Bill {
            builder = builder.timeout(BILL_PATIENCE);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = builder.send().await.map_err(|error| silence(&error))?;
        let status = response.status().as_u16();
        let headers = Headers(
            response
                .headers()
                .iter()
                .map(|(name, value)| {
                    (
                        name.as_str().to_owned(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
        );
        let largest = match kind {
            Kind::Call => LARGEST_ANSWER,
            Kind::Bill => LARGEST_BILL,
        };
        let body = read(response, largest).await?;
        Ok(Answer { status, headers, body })
    }
}

async fn read(mut response: reqwest::Response, largest: usize) -> Result<Vec<u8>, Silence> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| silence(&error))? {
        if body.len().saturating_add(chunk.len()) > largest {
            return Err(Silence::NoAnswer(format!("the answer is larger than {largest} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn silence(error: &reqwest::Error) -> Silence {
    if error.is_connect() || error.is_builder() {
        Silence::NotSent(chain(error))
    } else {
        Silence::NoAnswer(chain(error))
    }
}

/// The error with its causes, without the URL: a query may hold a phone number or a token.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    if error.is_timeout() {
        text.push_str("timed out");
    }
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
