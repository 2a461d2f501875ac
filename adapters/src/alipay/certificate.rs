//! Certificates as Alipay names and issues them: the number of a certificate (序列号), the number
//! of a bundle of roots, and whether a certificate was issued under one of those roots.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::keys::Link;

/// Signature algorithms of RSA begin with this: only such roots count in a bundle's number.
const RSA: &str = "1.2.840.113549.1.1.";

/// The most links between a certificate and its root.
const DEEPEST: usize = 4;

/// A certificate's number: MD5 over its issuer's name, last part first, and its serial number in
/// decimal digits; always 32 letters.
pub(super) fn number(link: &Link) -> String {
    let parts: Vec<String> = link
        .issuer
        .iter()
        .rev()
        .map(|(oid, text)| format!("{}={text}", short_name(oid).unwrap_or(oid)))
        .collect();
    let mut number = String::with_capacity(32);
    for byte in Md5::digest(format!("{}{}", parts.join(","), link.serial)) {
        let _infallible = write!(number, "{byte:02x}");
    }
    number
}

/// What the parts of a name are called.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "1.2.840.113549.1.9.1" => "E",
        _ => return None,
    })
}

/// Alipay's roots (支付宝根证书): whom they issued is believed.
pub(super) struct Roots {
    roots: Vec<Link>,
    /// The bundle's number: those of its roots that sign with RSA, joined.
    pub(super) number: String,
}

impl Roots {
    /// Reads a bundle; a root of a kind that cannot be read is no root here. `None` when there is
    /// none that signs with RSA.
    pub(super) fn read(pem: &str) -> Option<Self> {
        let roots: Vec<Link> = Link::read_all(pem).into_iter().flatten().collect();
        let numbers: Vec<String> =
            roots.iter().filter(|root| root.algorithm.starts_with(RSA)).map(number).collect();
        (!numbers.is_empty()).then(|| Self { roots, number: numbers.join("_") })
    }

    /// Whether `link` was issued under one of the roots, `between` standing between them.
    pub(super) fn prove(&self, link: &Link, between: &[Link]) -> bool {
        self.reach(link, between, DEEPEST)
    }

    /// Whether nobody here is named as its issuer, so that nothing can be said of it.
    pub(super) fn knows_no_issuer_of(&self, link: &Link) -> bool {
        !self.roots.iter().any(|root| link.names_as_issuer(root))
    }

    fn reach(&self, link: &Link, between: &[Link], rest: usize) -> bool {
        let Some(rest) = rest.checked_sub(1) else { return false };
        self.roots.iter().any(|root| link.is_issued_by(root))
            || between.iter().any(|above| {
                above.is_authority && link.is_issued_by(above) && self.reach(above, between, rest)
            })
    }
}
