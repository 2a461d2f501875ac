//! JSON from outside: faults told without repeating the text, and an object's members as the raw
//! characters that were signed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What is wrong with a JSON text and where; never what it says, because that may be personal.
pub(crate) fn fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "cannot be read",
        serde_json::error::Category::Syntax => "is not JSON",
        serde_json::error::Category::Data => "is not the expected JSON",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// An object's members in order, each value as the exact characters from its first to its last;
/// names are decoded, so that an escape cannot hide a second one.
pub(crate) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object; anything behind it is an error.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The value of the only member of that name: `Ok(None)` when there is none, an error when it
    /// stands twice, so that nobody can choose which of two is believed.
    pub(crate) fn only(&self, name: &str) -> Result<Option<&'a RawValue>, Twice> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Twice),
            (first, None) => Ok(first.map(|(_, value)| *value)),
        }
    }
}

/// A member stands twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a member stands twice")]
pub(crate) struct Twice;

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_exact_characters_between_its_braces() {
        let members = Members::read(br#" {"a" : {"x":"}\"{\/" , "y":1} ,"sign":"s"}"#).unwrap();
        let node = members.only("a").unwrap().unwrap();
        assert_eq!(node.get(), r#"{"x":"}\"{\/" , "y":1}"#);
        assert!(members.only("b").unwrap().is_none());
    }

    #[test]
    fn a_second_member_of_the_name_is_refused_however_it_is_written() {
        let members = Members::read(br#"{"a":1,"\u0061":2}"#).unwrap();
        assert_eq!(members.only("a").unwrap_err(), Twice);
    }

    #[test]
    fn a_fault_does_not_repeat_the_text() {
        let error = serde_json::from_str::<u8>("\"13812341234\"").unwrap_err();
        assert_eq!(fault(&error), "is not the expected JSON (line 1, column 13)");
    }
}
