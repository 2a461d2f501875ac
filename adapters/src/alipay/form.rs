//! Decodes a form (`application/x-www-form-urlencoded`) exactly once and strictly, as bytes: the
//! charset is a parameter inside, known only afterwards.

use std::collections::BTreeMap;

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormError {
    /// A `%` without two hexadecimal digits.
    #[error("a % is not followed by two hexadecimal digits")]
    Escape,
    /// A name stands twice, so that it could be chosen which value is believed.
    #[error("a parameter stands twice")]
    Twice,
}

/// The parameters by name, in the order of their names' bytes.
pub(super) fn decode(body: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, FormError> {
    let mut parameters = BTreeMap::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = text(halves.next().unwrap_or_default())?;
        let value = text(halves.next().unwrap_or_default())?;
        if parameters.insert(name, value).is_some() {
            return Err(FormError::Twice);
        }
    }
    Ok(parameters)
}

fn text(encoded: &[u8]) -> Result<Vec<u8>, FormError> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = digit(bytes.next())?;
                let low = digit(bytes.next())?;
                (high << 4) | low
            }
            other => *other,
        });
    }
    Ok(decoded)
}

fn digit(byte: Option<&u8>) -> Result<u8, FormError> {
    byte.and_then(|byte| char::from(*byte).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(FormError::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_once() {
        for (body, value) in [
            ("a=1+2", Ok("1 2")),
            ("a=1%2B2", Ok("1+2")),
            ("a=%2526", Ok("%26")),
            ("a=&quot;", Ok("")),
            ("a=x=y", Ok("x=y")),
            ("a=%E7%99%BB", Ok("登")),
            ("&&a=1&", Ok("1")),
            ("a=%2", Err(FormError::Escape)),
            ("a=%", Err(FormError::Escape)),
            ("a=%zz", Err(FormError::Escape)),
            ("a=1&a=1", Err(FormError::Twice)),
            ("a=1&%61=1", Err(FormError::Twice)),
        ] {
            let value = value.map(|value| Some(value.as_bytes().to_vec()));
            assert_eq!(decode(body.as_bytes()).map(|mut p| p.remove(&b"a"[..])), value, "{body}");
        }
    }
}
