//! The way out to backends' endpoints. An address of the configuration file is trusted; any other
//! is judged by every IP that its name resolves to, each time a connection is made, and the
//! connection goes to the judged IP and nowhere else. Redirects and proxies are not followed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use adapters::webhook::{AllowList, read_target};
use adapters::wire::{Answer, Headers, Request};
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder};

use crate::outbound::Silence;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an endpoint may take to answer in all.
const PATIENCE: Duration = Duration::from_secs(15);
/// What a client hears of a name that leads to a closed address; the log has the address.
const CLOSED: &str =
    "its name leads to an address that is not public, and webhooks.allow does not hold it";
/// How much of an answer's body is read, so that its connection can be used again.
const LARGEST_ANSWER: usize = 16 * 1024;

/// The clients for endpoints.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// For addresses of the configuration file.
    trusted: Result<Client, String>,
    /// For all others.
    guarded: Result<Client, String>,
    guard: Guard,
}

/// Why there is no answer of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// It will never be reached: its address is refused.
    Refused(String),
    /// It was not reached, or did not answer.
    Silence(Silence),
}

impl Webhooks {
    /// Clients that reach public addresses and, of the others, those in `allowed`. A machine
    /// without certificates reaches `http` endpoints only.
    #[must_use]
    pub fn new(allowed: &AllowList) -> Self {
        Self::with(allowed, Arc::new(OfTheMachine))
    }

    /// As [`new`](Self::new), where `names` says where names lead.
    fn with(allowed: &AllowList, names: Arc<dyn Names>) -> Self {
        let guard = Guard { allowed: Arc::new(allowed.clone()), names };
        let resolver = guard.clone();
        Self {
            trusted: client(|builder| builder),
            guarded: client(move |builder| builder.dns_resolver(resolver.clone())),
            guard,
        }
    }

    /// Judges an address before it is set over API, console or command line, as each attempt will
    /// judge it again.
    ///
    /// # Errors
    /// Why no webhook goes there.
    pub async fn judge(&self, url: &str) -> Result<(), String> {
        let target = read_target(url, &self.guard.allowed).map_err(|error| error.to_string())?;
        if target.host.parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        self.guard.found(&target.host).await.map(drop).map_err(|error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                error.to_string()
            } else {
                format!("its name {} does not resolve: {error}", target.host)
            }
        })
    }

    /// Sends a request. `is_trusted`: its address stands in the configuration file.
    pub(super) async fn send(
        &self,
        request: Request,
        is_trusted: bool,
    ) -> Result<Answer, NoAnswer> {
        let client = if is_trusted {
            &self.trusted
        } else {
            // A literal address is connected to without being resolved, so it is judged here.
            read_target(&request.url, &self.guard.allowed)
                .map_err(|error| NoAnswer::Refused(error.to_string()))?;
            &self.guarded
        };
        let client =
            client.as_ref().map_err(|why| NoAnswer::Silence(Silence::NotSent(why.clone())))?;
        let mut builder = client.post(&request.url).body(request.body);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = builder.send().await.map_err(|error| NoAnswer::Silence(silence(&error)))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        pass_over(response).await;
        Ok(Answer { status, headers: Headers(headers), body: Vec::new() })
    }
}

fn client(with: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client, String> {
    let builder = || {
        with(
            Client::builder()
                .connect_timeout(CONNECT)
                .timeout(PATIENCE)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .pool_max_idle_per_host(4)
                .pool_idle_timeout(Duration::from_secs(30)),
        )
    };
    builder()
        .build()
        .or_else(|_no_certificates| builder().tls_certs_only([]).build())
        .map_err(|error| chain(&error))
}

/// Reads over a small body; the status alone counts, and it is known.
async fn pass_over(mut response: reqwest::Response) {
    let mut read: usize = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read = read.saturating_add(chunk.len());
        if read > LARGEST_ANSWER {
            return;
        }
    }
}

/// Where names lead.
trait Names: std::fmt::Debug + Send + Sync {
    /// The addresses of a name; the port means nothing.
    fn look_up(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// As the machine resolves them.
#[derive(Debug)]
struct OfTheMachine;

impl Names for OfTheMachine {
    fn look_up(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
    }
}

/// Resolves a name and judges every address of it: one closed address refuses the name. Whoever
/// connects gets the judged addresses and asks nobody again, so that a name that leads elsewhere a
/// moment later leads nobody there.
#[derive(Clone, Debug)]
struct Guard {
    allowed: Arc<AllowList>,
    names: Arc<dyn Names>,
}

impl Guard {
    async fn found(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let found = self.names.look_up(name.to_owned()).await?;
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
        }
        judge(&found, &self.allowed).map_err(|closed| {
            // Where a name leads inside is no business of who names it: he would learn the network.
            tracing::warn!(name, address = %closed, "a webhook's name leads to a closed address");
            io::Error::new(io::ErrorKind::PermissionDenied, CLOSED)
        })?;
        Ok(found)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.found(name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether every address is open; the first that is not.
fn judge(found: &[SocketAddr], allowed: &AllowList) -> Result<(), IpAddr> {
    let closed = found.iter().map(SocketAddr::ip).find(|address| !allowed.permits(*address));
    closed.map_or(Ok(()), Err)
}

fn silence(error: &reqwest::Error) -> Silence {
    if error.is_connect() || error.is_builder() {
        Silence::NotSent(chain(error))
    } else {
        Silence::NoAnswer(chain(error))
    }
}

/// The error's causes without the URL, which may hold a token.
fn chain(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    if error.is_timeout() {
        parts.push("timed out".to_owned());
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    if parts.is_empty() { "the request failed".to_owned() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests;
