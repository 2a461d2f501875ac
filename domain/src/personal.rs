//! Personal data and secrets, as types that cannot be printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that names or reaches a person: name, phone, openid, id number. It has no `Display`,
/// and its `Debug` shows nothing; it is sealed at rest and masked for people.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// Takes a clear text in.
    #[must_use]
    pub fn new(clear: impl Into<String>) -> Self {
        Self(clear.into())
    }

    /// The clear text, for the one place that must have it: a wire, a seal, a mask.
    #[must_use]
    pub fn clear(&self) -> &str {
        &self.0
    }

    /// A name for people's eyes: `张*`, `张*三`.
    #[must_use]
    pub fn masked_name(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        match letters.as_slice() {
            [] => String::new(),
            [first] => first.to_string(),
            [first, _] => format!("{first}*"),
            [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len())),
        }
    }

    /// A phone for people's eyes: `138****1234`; anything shorter than seven digits vanishes.
    #[must_use]
    pub fn masked_phone(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        let head: String = letters.iter().take(3).collect();
        let tail: String = letters.iter().skip(letters.len().saturating_sub(4)).collect();
        if letters.len() < 7 { "****".to_owned() } else { format!("{head}****{tail}") }
    }

    /// A bank account for people's eyes: `****6789`; anything shorter than eight digits vanishes.
    #[must_use]
    pub fn masked_account(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        let tail: String = letters.iter().skip(letters.len().saturating_sub(4)).collect();
        match letters.len() {
            0 => String::new(),
            1..8 => "****".to_owned(),
            _ => format!("****{tail}"),
        }
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// A key, token or password. Like [`Personal`], and it is compared only through digests or
/// constant-time functions by whoever holds it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret in.
    #[must_use]
    pub fn new(clear: impl Into<String>) -> Self {
        Self(clear.into())
    }

    /// The secret itself, for a primitive.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_recognisable_only_to_those_who_know_them() {
        assert_eq!(Personal::new("张三").masked_name(), "张*");
        assert_eq!(Personal::new("欧阳小明").masked_name(), "欧**明");
        assert_eq!(Personal::new("13812341234").masked_phone(), "138****1234");
        assert_eq!(Personal::new("6222020012345678").masked_account(), "****5678");
        assert_eq!(Personal::new("1234567").masked_account(), "****");
        assert_eq!(format!("{:?}", Personal::new("张三")), "Personal(…)");
    }
}
