//! Limits that providers put on the texts of an order, checked before anything is sent, so that
//! the caller hears which field breaks which rule.

use url::Url;

use crate::provider::LimitError;

/// How a provider counts the length of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// Bytes of UTF-8.
    Bytes(usize),
    /// Unicode characters.
    Characters(usize),
}

/// A limit that was broken.
pub(crate) fn broken(field: &'static str, rule: impl Into<String>) -> LimitError {
    LimitError { field, rule: rule.into() }
}

/// A text that people read: not blank, without control characters, not too long.
pub(crate) fn text(field: &'static str, text: &str, most: Length) -> Result<(), LimitError> {
    if text.trim().is_empty() {
        return Err(broken(field, "must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(broken(field, "must not hold control characters"));
    }
    match most {
        Length::Bytes(most) if text.len() > most => {
            Err(broken(field, format!("at most {most} bytes in UTF-8, has {}", text.len())))
        }
        Length::Characters(most) if text.chars().count() > most => {
            Err(broken(field, format!("at most {most} characters, has {}", text.chars().count())))
        }
        Length::Bytes(_) | Length::Characters(_) => Ok(()),
    }
}

/// A number of the hub's own at a provider.
pub(crate) fn number(
    field: &'static str,
    number: &str,
    (least, most): (usize, usize),
    marks: &str,
) -> Result<(), LimitError> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || marks.contains(letter);
    if (least..=most).contains(&number.len()) && number.chars().all(good) {
        return Ok(());
    }
    Err(broken(field, format!("{least} to {most} of 0-9 A-Z a-z {marks}")))
}

/// Where a provider calls back: absolute, without credentials, query or fragment.
pub(crate) fn notify_url(url: &str, most: usize) -> Result<(), LimitError> {
    let field = "notify_url";
    let parsed = Url::parse(url)
        .map_err(|source| broken(field, format!("must be an absolute URL: {source}")))?;
    if !matches!(parsed.scheme(), "https" | "http") || parsed.host().is_none() {
        return Err(broken(field, "must be an https URL"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(broken(field, "must have neither query nor fragment"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(broken(field, "must not hold credentials"));
    }
    if url.len() > most {
        return Err(broken(field, format!("at most {most} bytes, has {}", url.len())));
    }
    Ok(())
}

/// Where a payer's browser goes afterwards: absolute.
pub(crate) fn return_url(url: &str) -> Result<Url, LimitError> {
    let field = "return_url";
    let parsed = Url::parse(url)
        .map_err(|source| broken(field, format!("must be an absolute URL: {source}")))?;
    if !matches!(parsed.scheme(), "https" | "http") {
        return Err(broken(field, "must be an http or https URL"));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_address_is_absolute_and_bare() {
        for (url, good) in [
            ("https://pay.example.cn/callbacks/registry-wechat", true),
            ("http://127.0.0.1:8080/callbacks/registry-wechat", true),
            ("/callbacks/registry-wechat", false),
            ("ftp://pay.example.cn/", false),
            ("https://pay.example.cn/callbacks?merchant=1", false),
            ("https://pay.example.cn/#top", false),
            ("https://user:word@pay.example.cn/", false),
        ] {
            assert_eq!(notify_url(url, 255).is_ok(), good, "{url}");
        }
        let long = format!("https://pay.example.cn/{}", "a".repeat(255));
        assert!(notify_url(&long, 255).is_err());
    }

    #[test]
    fn a_text_is_counted_as_its_provider_counts() {
        assert!(text("subject", &"登".repeat(42), Length::Bytes(127)).is_ok());
        assert!(text("subject", &"登".repeat(43), Length::Bytes(127)).is_err());
        assert!(text("subject", &"登".repeat(256), Length::Characters(256)).is_ok());
        assert!(text("subject", &"登".repeat(257), Length::Characters(256)).is_err());
        assert!(text("subject", " ", Length::Bytes(127)).is_err());
        assert!(text("subject", "a\nb", Length::Bytes(127)).is_err());
    }
}
