//! Where a webhook may go. A backend's address comes from outside, so it could point the hub at
//! its own network (SSRF). This is the pure half: addresses and URLs are judged here; whoever
//! connects must resolve the name once, judge every address, and connect to the judged one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// IPv4 networks that are not the public internet (IANA special-purpose registry): this host,
/// private, carrier-grade NAT, loopback, link-local, protocol assignments, documentation, 6to4
/// relays, benchmarking, multicast, reserved and broadcast.
const CLOSED_V4: [Ipv4Net; 15] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 0, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 88, 99, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4),
    Ipv4Net::new_assert(Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only part of IPv6 that is routed as public.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is not public inside it: protocol assignments (Teredo, ORCHID, benchmarking), both
/// documentation networks, and 6to4, which carries an IPv4 address inside.
const CLOSED_V6: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is on the public internet. IPv4 written as IPv6, NAT64 and unique local
/// addresses are not: they lie outside of what IPv6 routes as public.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !CLOSED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// Private networks that the operator opens for webhooks (`webhooks.allow`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<IpNet>);

impl AllowList {
    /// Opens these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Reads networks as the configuration writes them: `10.0.0.0/8`, or one address.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TargetError> {
        let read = |text: &str| {
            let one = text.parse::<IpAddr>().map(IpNet::from);
            one.or_else(|_not_one| text.parse::<IpNet>())
                .map_err(|source| TargetError::Network { text: text.to_owned(), source })
        };
        texts.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the hub may connect to `address`: it is public, or the operator opened it. An
    /// IPv4 address written as IPv6 counts as what it is.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        is_public(address) || self.0.iter().any(|net| net.contains(&plain))
    }
}

/// Why a URL cannot receive webhooks, or a network cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL.
    #[error("not a URL: {0}")]
    Url(url::ParseError),
    /// Another scheme than http and https.
    #[error("a webhook URL begins with https:// or http://")]
    Scheme,
    /// A user name or password stands in it.
    #[error("a webhook URL holds no user name or password")]
    Credentials,
    /// No host, or no port.
    #[error("a webhook URL names a host")]
    Host,
    /// It names an address that is neither public nor allowed.
    #[error("{0} is not a public address, and webhooks.allow does not hold it")]
    Closed(IpAddr),
    /// Not a network.
    #[error("{text:?} is not a network such as 10.0.0.0/8: {source}")]
    Network {
        /// What stands there.
        text: String,
        /// Why.
        source: ipnet::AddrParseError,
    },
}

/// Where a webhook URL points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its host: a name to be resolved and judged, or an address that has been judged.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is `https`.
    pub is_https: bool,
}

/// Reads a URL that came over the API or the console. A literal address is judged at once; a
/// name must be judged by every address that it resolves to, each time it is used.
///
/// # Errors
/// Why it cannot receive webhooks.
pub fn read_target(url: &str, allowed: &AllowList) -> Result<Target, TargetError> {
    let url = Url::parse(url).map_err(TargetError::Url)?;
    let is_https = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(TargetError::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Credentials);
    }
    let port = url.port_or_known_default().ok_or(TargetError::Host)?;
    let literal = match url.host().ok_or(TargetError::Host)? {
        Host::Domain(name) => return Ok(Target { host: name.to_owned(), port, is_https }),
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    if !allowed.permits(literal) {
        return Err(TargetError::Closed(literal));
    }
    Ok(Target { host: literal.to_string(), port, is_https })
}
