//! Sends what an adapter built, byte for byte, and says honestly what came of it.
//!
//! Nothing is retried here but the connection, at the provider's second host: whether a call may be
//! repeated is the business's question. Redirects are not followed, proxies not consulted, and TLS
//! cannot be switched off.

mod alarm;
mod ask;
mod budget;
mod busy;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::provider::Rate;
use adapters::wire::{Answer, Headers, Method, Request};
use domain::ids::MerchantId;
use reqwest::{Certificate, Client, Identity};

use crate::config::ClientIdentity;

pub(crate) use ask::{Evidence, ask_and_tell, ask_for_keys};
pub use ask::{Question, ask};
pub use budget::Budget;
pub(crate) use budget::{Asker, InTurn, may_ask};
#[cfg(test)]
pub(crate) use busy::RENEWAL;
pub(crate) use busy::keep_busy;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a provider may take to answer in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a call may take in all, from waiting for its turn over the first host to the second
/// host's answer.
pub(crate) const LONGEST_CALL: Duration =
    pace::PATIENCE.saturating_add(CONNECT).saturating_add(PATIENCE);
/// How long a bill may take to download.
const BILL_PATIENCE: Duration = Duration::from_secs(300);
/// How many connections to one host wait for the next call, and for how long. A provider closes
/// idle ones after a minute or so; one that it is just closing would lose a call.
const IDLE: (usize, Duration) = (32, Duration::from_secs(30));
/// How often a connection that is silent is tried.
const KEEPALIVE: Duration = Duration::from_secs(15);
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
    /// The question for a bill: its answer names the file, or is the file.
    BillOrTicket,
}

/// Whose certificates are believed. There is no word for everybody's.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that the machine trusts.
    Machine,
    /// Nobody's: every address is on loopback, so that a machine without any certificates can run
    /// the demonstration.
    Nobody,
    /// Those that this root has signed, PEM.
    Root(Vec<u8>),
}

/// The hub's HTTP clients: one for all, and one for each merchant that must show a certificate.
#[derive(Debug)]
pub struct Outbound {
    client: Client,
    identified: BTreeMap<MerchantId, Client>,
    pace: pace::Pace,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot make HTTPS calls: {0}; install the package ca-certificates")]
pub struct NoClient(String);

impl Outbound {
    /// The clients; `identities` are what merchants show.
    ///
    /// # Errors
    /// When the machine has no certificates to trust, or an identity cannot be used.
    pub fn new<'a>(
        trust: &Trust,
        identities: impl IntoIterator<Item = (&'a MerchantId, &'a ClientIdentity)>,
    ) -> Result<Self, NoClient> {
        let mut identified = BTreeMap::new();
        for (merchant, identity) in identities {
            let identity = Identity::from_pem(identity.pem().as_bytes())
                .map_err(|error| NoClient(format!("client_identity: {}", chain(&error))))?;
            identified.insert(merchant.clone(), client(trust, Some(identity))?);
        }
        Ok(Self { client: client(trust, None)?, identified, pace: pace::Pace::default() })
    }

    /// Sends a merchant's request within its provider's `rate`; at the second host where the first
    /// cannot be reached.
    ///
    /// # Errors
    /// [`Silence`], which tells whether the request may have been executed.
    pub async fn send_for(
        &self,
        merchant: &MerchantId,
        rate: Rate,
        request: &Request,
        kind: Kind,
    ) -> Result<Answer, Silence> {
        let client = match (request.mutual_tls, self.identified.get(merchant)) {
            (true, Some(client)) => client,
            (true, None) | (false, _) => &self.client,
        };
        self.pace.turn(merchant, rate).await?;
        match (attempt(client, request, &request.url, kind).await, &request.second_url) {
            (Err(Silence::NotSent(first)), Some(second)) => {
                tracing::warn!(%merchant, why = first, "the provider's second host is tried");
                attempt(client, request, second, kind).await.map_err(|silence| match silence {
                    Silence::NotSent(why) => Silence::NotSent(format!("{first}; then: {why}")),
                    Silence::NoAnswer(why) => Silence::NoAnswer(why),
                })
            }
            (answer, _) => answer,
        }
    }

    /// Sends a request of nobody's and reads the whole answer.
    ///
    /// # Errors
    /// [`Silence`], which tells whether the request may have been executed.
    pub async fn send(&self, request: Request, kind: Kind) -> Result<Answer, Silence> {
        attempt(&self.client, &request, &request.url, kind).await
    }
}

/// The one way in which a client is made. Nothing here turns off a check of a certificate, and
/// nothing in the configuration reaches here that could.
fn client(trust: &Trust, identity: Option<Identity>) -> Result<Client, NoClient> {
    let (most_idle, idle) = IDLE;
    let mut builder = Client::builder()
        .tls_backend_rustls()
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_keepalive(KEEPALIVE)
        .pool_max_idle_per_host(most_idle)
        .pool_idle_timeout(idle);
    builder = match trust {
        Trust::Machine => builder,
        Trust::Nobody => builder.tls_certs_only([]),
        Trust::Root(pem) => {
            let root = Certificate::from_pem(pem).map_err(|error| NoClient(chain(&error)))?;
            builder.tls_certs_only([root])
        }
    };
    if let Some(identity) = identity {
        builder = builder.identity(identity);
    }
    builder.build().map_err(|error| NoClient(chain(&error)))
}

async fn attempt(
    client: &Client,
    request: &Request,
    url: &str,
    kind: Kind,
) -> Result<Answer, Silence> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let mut builder = client.request(method, url).body(request.body.clone());
    if matches!(kind, Kind::Bill | Kind::BillOrTicket) {
        builder = builder.timeout(BILL_PATIENCE);
    }
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let response = builder.send().await.map_err(|error| silence(&error))?;
    let status = response.status().as_u16();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())));
    let headers = Headers(headers.collect());
    let largest = match kind {
        Kind::Call => LARGEST_ANSWER,
        Kind::Bill | Kind::BillOrTicket => LARGEST_BILL,
    };
    let body = read(response, largest).await?;
    Ok(Answer { status, headers, body })
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
