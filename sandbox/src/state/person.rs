//! Who pays, and who alone may: compared and never shown.

use domain::personal::Personal;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// A person who pays, as the wallet knows them, or as an order names the only one who may pay.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name on the document.
    pub name: Personal,
    /// The document's number.
    pub id_no: Personal,
    /// The provider's word for the document; absent: an identity card.
    #[serde(default)]
    pub document: Option<String>,
}

/// Who alone may pay an order (实名支付).
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum OnlyPayer {
    /// This person.
    Person(Person),
    /// Whose name and number together have this SHA-256, in lower-case hexadecimal.
    Hash(String),
}

impl OnlyPayer {
    /// Whether the wallet of `person` may pay.
    pub(crate) fn admits(&self, person: &Person) -> bool {
        match self {
            Self::Person(only) => {
                only.name == person.name
                    && only.id_no.clear().eq_ignore_ascii_case(person.id_no.clear())
                    && only
                        .document
                        .as_ref()
                        .zip(person.document.as_ref())
                        .is_none_or(|(only, document)| only.eq_ignore_ascii_case(document))
            }
            Self::Hash(only) => {
                let text = format!("{}{}", person.name.clear(), person.id_no.clear());
                let hash = Sha256::digest(text.as_bytes());
                let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                only.eq_ignore_ascii_case(&hash)
            }
        }
    }
}
