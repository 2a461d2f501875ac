//! What a merchant shows to its provider where that asks for a certificate (mutual TLS): refunds
//! of WeChat Pay's old interface are taken under it alone.

use std::fmt;

use adapters::keys::{Certificate, SigningKey};
use domain::personal::Secret;

use super::Dated;
use super::keys::is_pair;
use crate::config::error::ConfigError;
use crate::config::section::Section;

/// The key under which it stands.
const KEY: &str = "client_identity";
const MEND: &str = "give certificate and key in one PEM: cat apiclient_cert.pem apiclient_key.pem";

/// A certificate and its private key, as PEM.
#[derive(Clone)]
pub struct ClientIdentity(Secret);

impl ClientIdentity {
    /// The PEM text, for the one client that shows it.
    #[must_use]
    pub fn pem(&self) -> &str {
        self.0.expose()
    }
}

impl From<Secret> for ClientIdentity {
    fn from(pem: Secret) -> Self {
        Self(pem)
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(…)")
    }
}

/// Reads `client_identity`, and until when its certificate is good; `None` when it is absent.
pub(super) fn read(section: &Section<'_>) -> Result<Option<(ClientIdentity, Dated)>, ConfigError> {
    if !section.has(KEY) {
        return Ok(None);
    }
    let text = section.key_text(KEY, &format!("{MEND}; PEM text or a path"))?;
    let certificate = block(&text, "CERTIFICATE")
        .ok_or_else(|| section.fault(KEY, "holds no certificate", MEND))?;
    let key = block(&text, "PRIVATE KEY")
        .ok_or_else(|| section.fault(KEY, "holds no private key", MEND))?;
    let fault = |what: String| section.fault(KEY, what, MEND);
    let certificate = Certificate::read(&certificate).map_err(|why| fault(why.to_string()))?;
    let key = SigningKey::read(&key).map_err(|why| fault(why.to_string()))?;
    if !is_pair(&key, &certificate.key) {
        return Err(fault("the certificate is not that of the private key".to_owned()));
    }
    let dated = Dated { key: KEY, until: certificate.not_after, is_own: true };
    Ok(Some((ClientIdentity(Secret::new(text)), dated)))
}

/// The first armoured block whose name ends like that.
fn block(text: &str, name: &str) -> Option<String> {
    let is_edge = |line: &str, word: &str| {
        line.starts_with(word) && line.trim_end().ends_with(&format!("{name}-----"))
    };
    let lines: Vec<&str> = text.lines().skip_while(|line| !is_edge(line, "-----BEGIN ")).collect();
    let end = lines.iter().position(|line| is_edge(line, "-----END "))?;
    let block: Vec<&str> = lines.into_iter().take(end.saturating_add(1)).collect();
    Some(block.join("\n"))
}
