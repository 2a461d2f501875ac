//! A row of the decision table (减免规则): a condition on what is asked, and what it does to the
//! price. A reduction never makes a line dearer.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::item::{ItemKind, QuoteItem};
use super::words::{ApplicantClass, Reason, RegistrationType};
use crate::money::Fen;

/// What a rule does to the price of a line (优惠方式).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The schedule's own price (全额).
    Full,
    /// Half the registration fee, its first certificate free (减半).
    Half,
    /// No registration fee, its first certificate free (免收).
    Zero,
    /// No registration fee, but the certificate's price for each certificate (只收工本费).
    CertOnly,
    /// No charge of any kind is allowed, certificates included (不收费).
    NotChargeable,
}

impl Effect {
    /// Whether it changes lines of this kind. Certificates after the first stay charged under
    /// every reduction; only a case that may not be charged at all frees them too.
    #[must_use]
    pub const fn touches(self, kind: ItemKind) -> bool {
        match (self, kind) {
            (Self::NotChargeable, _) => true,
            (Self::Half | Self::Zero | Self::CertOnly, ItemKind::Registration) => true,
            (Self::Half | Self::Zero | Self::CertOnly, ItemKind::Certificate | ItemKind::Proof)
            | (Self::Full, _) => false,
        }
    }

    /// The unit price that it leaves of `standard`, when a certificate costs `certificate`.
    #[must_use]
    pub fn unit_price(self, standard: Fen, certificate: Fen) -> Fen {
        match self {
            Self::Full => standard,
            Self::Half => standard.half_up(),
            Self::Zero | Self::NotChargeable => Fen::ZERO,
            Self::CertOnly => certificate.min(standard),
        }
    }
}

/// What must hold for a rule to apply: every list that is given must hold the item's own word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The item's code is one of these.
    item: Option<Vec<String>>,
    /// The registration type is stated and is one of these.
    registration_type: Option<Vec<RegistrationType>>,
    /// The registration type is not stated, or is one of these.
    registration_type_if_stated: Option<Vec<RegistrationType>>,
    /// The applicant's class is one of these.
    applicant_class: Option<Vec<ApplicantClass>>,
    /// The reason is one of these.
    reason: Option<Vec<Reason>>,
    /// All of these papers are at hand.
    evidence: Option<Vec<String>>,
}

impl Condition {
    /// Whether it holds for `asked`.
    #[must_use]
    pub fn holds_for(&self, asked: &QuoteItem) -> bool {
        let kind = asked.registration_type.as_ref();
        one_of(self.item.as_deref(), Some(&asked.code))
            && one_of(self.registration_type.as_deref(), kind)
            && (kind.is_none() || one_of(self.registration_type_if_stated.as_deref(), kind))
            && one_of(self.applicant_class.as_deref(), asked.applicant_class.as_ref())
            && one_of(self.reason.as_deref(), asked.reason.as_ref())
            && self.evidence.iter().flatten().all(|paper| asked.evidence.contains(paper))
    }

    /// Whether it asks for nothing, and so would hold for everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The item codes that it names.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.item.iter().flatten().map(String::as_str)
    }
}

fn one_of<T: PartialEq>(allowed: Option<&[T]>, stated: Option<&T>) -> bool {
    allowed.is_none_or(|allowed| stated.is_some_and(|stated| allowed.contains(stated)))
}

/// A row of the decision table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's id, as lines quote it. Several rows may share one.
    pub id: String,
    /// What it says, in Chinese.
    pub name: String,
    /// The row with the lowest number that holds wins.
    pub priority: u32,
    /// When it holds.
    pub when: Condition,
    /// What it does.
    pub effect: Effect,
    /// The first day of acceptance that it applies to.
    pub from: Date,
    /// The last day of acceptance that it applies to; absent while in force.
    pub to: Option<Date>,
    /// The circular and clause that it rests on.
    pub basis: String,
    /// The paper that the office must keep for it, if any.
    pub evidence: Option<String>,
    /// Whether a person compared it with the circular's own text.
    pub verified: bool,
}
