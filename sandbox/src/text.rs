//! How the providers write times, numbers and addresses.

use domain::Fen;
use domain::time::{beijing, business_day};
use jiff::Timestamp;

use crate::random::Random;

/// `2018-11-30 09:00:00`, Beijing.
pub(crate) fn wall(at: Timestamp) -> String {
    beijing(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2018-11-30 09:00:00.123`, Beijing.
pub(crate) fn wall_millis(at: Timestamp) -> String {
    beijing(at).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// `20181130`, Beijing.
pub(crate) fn day_digits(at: Timestamp) -> String {
    business_day(at).strftime("%Y%m%d").to_string()
}

/// A provider's number: a prefix, digits, the day, digits; always the same for the same names.
pub(crate) fn number(
    seed: u64,
    names: &[&str],
    at: Timestamp,
    shape: (&str, usize, usize),
) -> String {
    let (prefix, before, after) = shape;
    let mut chance = Random::of(seed, names);
    format!("{prefix}{}{}{}", chance.digits(before), day_digits(at), chance.digits(after))
}

/// Undoes percent-encoding in a path or an RFC 3986 value; `None` when it is broken or no UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// Percent-encodes all but RFC 3986's unreserved letters.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The value of a query parameter, decoded, if it stands exactly once.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

/// Reads yuan as Alipay wants them in a request: at most two decimals, no sign.
pub(crate) fn fen_of_yuan(text: &str) -> Option<Fen> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return None;
    }
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    let yuan: i64 = whole.parse().ok()?;
    yuan.checked_mul(100)?.checked_add(cents).map(Fen::new)
}

/// Whether an address may be called back: plain HTTP or HTTPS on loopback. The sandbox must not
/// reach anything else, whatever a request gives as `notify_url`.
pub(crate) fn is_loopback(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    matches!(url.scheme(), "http" | "https")
        && match url.host() {
            Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_of_a_request_have_at_most_two_decimals_and_no_sign() {
        for (text, fen) in [("88.80", 8880), ("0.01", 1), ("5", 500), ("5.5", 550)] {
            assert_eq!(fen_of_yuan(text), Some(Fen::new(fen)));
        }
        for text in ["", ".5", "-1", "1.005", "1e3", "1,000.00", "１"] {
            assert_eq!(fen_of_yuan(text), None, "{text}");
        }
    }

    #[test]
    fn only_loopback_is_called_back() {
        for address in ["http://127.0.0.1:80/x", "http://localhost/", "https://[::1]:9/x"] {
            assert!(is_loopback(address), "{address}");
        }
        for address in [
            "http://10.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://example.com/?127.0.0.1",
            "ftp://127.0.0.1/",
            "127.0.0.1",
        ] {
            assert!(!is_loopback(address), "{address}");
        }
    }

    #[test]
    fn percent_encoding_comes_back() {
        let text = "园区 a|b*c+d%";
        assert_eq!(percent_decoded(&percent_encoded(text)).as_deref(), Some(text));
        assert_eq!(percent_decoded("%"), None);
        assert_eq!(percent_decoded("%ff"), None);
    }
}
