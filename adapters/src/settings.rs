//! Settings from which an adapter is built, checked once at the start.

use url::{Host, Url};

/// A setting with which an adapter cannot be built. The message repeats no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {mend}")]
pub struct SettingError {
    /// The key as `payhub.toml` has it.
    pub key: &'static str,
    /// What is wrong and how to mend it.
    pub mend: String,
}

impl SettingError {
    pub(crate) fn new(key: &'static str, mend: impl Into<String>) -> Self {
        Self { key, mend: mend.into() }
    }
}

/// A provider's address: https, or http on loopback; no credentials, query or fragment.
pub(crate) fn endpoint(key: &'static str, text: &str) -> Result<Url, SettingError> {
    let url = Url::parse(text)
        .map_err(|source| SettingError::new(key, format!("must be an absolute URL: {source}")))?;
    if !is_protected(&url) {
        return Err(SettingError::new(key, "must be https; http is for loopback only"));
    }
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !bare {
        return Err(SettingError::new(key, "must have no credentials, query or fragment"));
    }
    Ok(url)
}

/// Whether nobody on the way can read or change what goes to `url`.
pub(crate) fn is_protected(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// A setting that must not be empty and must be printable ASCII without quotes or blanks, because
/// it stands in headers and URLs.
pub(crate) fn token(key: &'static str, text: &str) -> Result<(), SettingError> {
    let good = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b','));
    if good {
        return Ok(());
    }
    Err(SettingError::new(key, "must be 1 to 64 printable ASCII letters without quotes or blanks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (text, good) in [
            ("https://api.mch.weixin.qq.com", true),
            ("http://127.0.0.1:9000/wechat", true),
            ("http://localhost:9000", true),
            ("http://[::1]:9000", true),
            ("http://api.mch.weixin.qq.com", false),
            ("http://127.0.0.1.example.com", false),
            ("https://user@api.mch.weixin.qq.com", false),
            ("https://api.mch.weixin.qq.com?x=1", false),
            ("api.mch.weixin.qq.com", false),
        ] {
            assert_eq!(endpoint("base_url", text).is_ok(), good, "{text}");
        }
    }
}
