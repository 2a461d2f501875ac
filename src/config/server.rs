//! `[server]`: where the hub listens, and where the world finds it.

use std::net::{Ipv4Addr, SocketAddr};

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
}

impl Server {
    /// Listens on `listen`, and is found there.
    #[must_use]
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen, public_url: format!("http://{listen}") }
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
    section.only(&["listen", "public_url"])?;
    let mut server = match section.text("listen")? {
        None => Server::default(),
        Some(text) => Server::at(text.parse().map_err(|_fault| {
            let what = format!("`{text}` is no address with a port");
            section.fault("listen", what, "give one as in 127.0.0.1:8080")
        })?),
    };
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
