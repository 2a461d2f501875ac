//! What can be charged (收费项目), and what a caller asks to be priced.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

use super::words::{ApplicantClass, Reason, RegistrationType};
use crate::money::Fen;

/// What an item pays for; reductions touch kinds differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A registration, its first certificate included (登记费).
    Registration,
    /// A further certificate (证书工本费).
    Certificate,
    /// A proof of registration, such as a mortgage's (登记证明).
    Proof,
}

/// A chargeable item during one span of days, as the schedule's file states it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its code in the API.
    pub code: String,
    /// Its name in Chinese.
    pub name: String,
    /// What it pays for.
    pub kind: ItemKind,
    /// The unit that is counted (件, 本, 份).
    pub unit: String,
    /// The price of one unit, in fen.
    pub amount_fen: Fen,
    /// The first day of acceptance with this price.
    pub from: Date,
    /// The last day of acceptance with this price; absent while in force.
    pub to: Option<Date>,
    /// The circular and clause that it rests on.
    pub basis: String,
    /// Whether a person compared it with the circular's own text.
    pub verified: bool,
}

/// One thing to price, as a caller asks for it.
///
/// A field that the contract does not name is refused: a misspelt reduction would otherwise charge
/// the full price in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteItem {
    /// The item's code, e.g. `REG.RES`.
    pub code: String,
    /// How many units, 1 to [`super::LARGEST_QUANTITY`].
    pub quantity: u32,
    /// The kind of registration, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_type: Option<RegistrationType>,
    /// The applicant's class, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant_class: Option<ApplicantClass>,
    /// The cause, where the schedule knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Names of the papers at hand, e.g. `small_micro_declaration`.
    #[serde(default, deserialize_with = "null_is_none", skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

impl QuoteItem {
    /// `quantity` units of `code`, with nothing else stated.
    #[must_use]
    pub fn new(code: impl Into<String>, quantity: u32) -> Self {
        Self {
            code: code.into(),
            quantity,
            registration_type: None,
            applicant_class: None,
            reason: None,
            evidence: Vec::new(),
        }
    }
}

fn null_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
