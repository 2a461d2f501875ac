//! `[server]`: where the hub listens, and where the world finds it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::ids::MerchantId;
use url::Url;

use super::error::ConfigError;
use super::section::Section;

/// Where the hub listens, and where the world finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address that is listened on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Below which providers call back and payers come, without a slash behind.
    pub public_url: String,
    /// How long a hub that stops still takes requests while `/readyz` says so, for those that look
    /// there before they send it more.
    pub drain: Duration,
}

/// How long that is when nobody says otherwise, in seconds.
const USUAL_DRAIN_S: u64 = 2;
/// The longest, in seconds: a hub is gone half a minute after it was told.
const LONGEST_DRAIN_S: u64 = 10;

impl Server {
    /// Listens on `listen`, and is found there.
    #[must_use]
    pub fn at(listen: SocketAddr) -> Self {
        let drain = Duration::from_secs(USUAL_DRAIN_S);
        Self { listen, public_url: format!("http://{listen}"), drain }
    }

    /// The address on which a merchant's provider calls back: its `notify_url`.
    #[must_use]
    pub fn callback_url(&self, merchant: &MerchantId) -> String {
        format!("{}/callbacks/{merchant}", self.public_url)
    }

    /// Whether providers on the internet can reach it: https, and no address of this machine.
    #[must_use]
    pub fn is_public(&self) -> bool {
        Url::parse(&self.public_url)
            .is_ok_and(|url| url.scheme() == "https" && !super::section::is_loopback(&url))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))
    }
}

pub(super) fn read(section: &Section<'_>) -> Result<Server, ConfigError> {
    section.only(&["listen", "public_url", "drain_s"])?;
    let mut server = match section.text("listen")? {
        None => Server::default(),
        Some(text) => Server::at(text.parse().map_err(|_fault| {
            let what = format!("`{text}` is no address with a port");
            section.fault("listen", what, "give one as in 127.0.0.1:8080")
        })?),
    };
    if let Some(seconds) = section.text_or_number("drain_s")? {
        let seconds = seconds.parse().ok().filter(|seconds| *seconds <= LONGEST_DRAIN_S);
        let mend = format!("give a whole number of seconds from 0 to {LONGEST_DRAIN_S}");
        let seconds = seconds.ok_or_else(|| section.fault("drain_s", "out of range", mend))?;
        server.drain = Duration::from_secs(seconds);
    }
    if let Some(url) = section.url("public_url", false)? {
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(section.fault(
                "public_url",
                "has more than scheme, host, port and path",
                "give it as in https://pay.example.cn",
            ));
        }
        server.public_url = url.as_str().trim_end_matches('/').to_owned();
    }
    Ok(server)
}
