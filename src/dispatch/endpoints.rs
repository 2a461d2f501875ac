//! The way out to backends' endpoints. An address of the configuration file is trusted; any other
//! is judged by every IP that its name resolves to, each time a connection is made, and the
//! connection goes to the judged IP and nowhere else. Redirects and proxies are not followed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters::webhook::{AllowList, read_target};
use adapters::wire::{Answer, Headers, Request};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder};

use crate::outbound::Silence;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an endpoint may take to answer in all.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of an answer's body is read, so that its connection can be used again.
const LARGEST_ANSWER: usize = 16 * 1024;

/// The clients for endpoints.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// For addresses of the configuration file.
    trusted: Result<Client, String>,
    /// For all others.
    guarded: Result<Client, String>,
    allowed: AllowList,
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
        let guard = Guard { allowed: Arc::new(allowed.clone()) };
        Self {
            trusted: client(|builder| builder),
            guarded: client(move |builder| builder.dns_resolver(guard.clone())),
            allowed: allowed.clone(),
        }
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
            read_target(&request.url, &self.allowed)
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

/// Resolves a name and judges every address of it: one closed address refuses the name.
#[derive(Clone, Debug)]
struct Guard {
    allowed: Arc<AllowList>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            judge(&found, &allowed)?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

fn judge(found: &[SocketAddr], allowed: &AllowList) -> io::Result<()> {
    match found.iter().find(|address| !allowed.permits(address.ip())) {
        Some(closed) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "its name leads to {}, which is not public, and webhooks.allow does not hold it",
                closed.ip()
            ),
        )),
        None => Ok(()),
    }
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
mod tests {
    use super::*;

    #[test]
    fn t27_one_closed_address_refuses_a_name() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let none = AllowList::default();
        let ten = AllowList::parse(["10.0.0.0/8"]).unwrap();
        assert!(judge(&addresses(&["8.8.8.8:0", "[2606:4700::1]:0"]), &none).is_ok());
        assert!(judge(&addresses(&["8.8.8.8:0", "10.0.0.7:0"]), &none).is_err());
        assert!(judge(&addresses(&["8.8.8.8:0", "10.0.0.7:0"]), &ten).is_ok());
        assert!(judge(&addresses(&["169.254.169.254:0"]), &ten).is_err());
        assert!(judge(&addresses(&["[::ffff:127.0.0.1]:0"]), &ten).is_err());
    }
}
