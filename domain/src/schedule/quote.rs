//! The answer of pricing (报价): lines with their trace and the total. What a line holds is enough
//! to compute it again.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::item::QuoteItem;
use super::rule::Effect;
use super::words::{ApplicantClass, Reason, RegistrationType};
use crate::money::Fen;

/// What a list of items costs, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The schedule that priced it.
    pub schedule_id: String,
    /// The version of it that was in force.
    pub schedule_version: String,
    /// The day of acceptance that chose the version.
    pub accepted_on: Date,
    /// One line an item, in the order asked.
    pub lines: Vec<QuoteLine>,
    /// The sum of the lines; never negative.
    pub total_fen: Fen,
    /// The legal bases of all lines, each once.
    pub legal_basis: Vec<String>,
    /// The ids of the rules that changed a price, each once.
    pub rule_ids: Vec<String>,
    /// Whether a person compared every item and rule used with the circular's own text.
    pub verified: bool,
}

/// One priced item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The item's code.
    pub code: String,
    /// The item's name in Chinese.
    pub name: String,
    /// The unit that is counted.
    pub unit: String,
    /// How many units.
    pub quantity: u32,
    /// The schedule's price of one unit, before any reduction.
    pub standard_fen: Fen,
    /// The price of one unit.
    pub unit_fen: Fen,
    /// `unit_fen` times `quantity`.
    pub amount_fen: Fen,
    /// What was done to the price.
    pub effect: Effect,
    /// The rule that did it, if one did.
    pub rule_id: Option<String>,
    /// What that rule says, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
    /// The legal basis of the item, and of the rule where one applied.
    pub basis: String,
    /// Whether a person compared item and rule with the circular's own text.
    pub verified: bool,
    /// The paper that the reduction needs and that was not named: the office must obtain it, else
    /// fee supervision (收费监察) reports the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_missing: Option<String>,
    /// As asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_type: Option<RegistrationType>,
    /// As asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant_class: Option<ApplicantClass>,
    /// As asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// As asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

impl QuoteLine {
    /// What was asked for, so that the line can be priced again.
    #[must_use]
    pub fn asked(&self) -> QuoteItem {
        QuoteItem {
            code: self.code.clone(),
            quantity: self.quantity,
            registration_type: self.registration_type,
            applicant_class: self.applicant_class,
            reason: self.reason,
            evidence: self.evidence.clone(),
        }
    }
}

/// Each text once, in the order of its first appearance.
pub(super) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.iter().any(|known| known == text) {
            seen.push(text.to_owned());
        }
    }
    seen
}
