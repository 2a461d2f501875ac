//! Pricing: items and a day of acceptance in, lines with their trace out. Pure: the same input and
//! the same version give the same quote for ever.

use jiff::civil::Date;
use thiserror::Error;

use super::item::{Item, QuoteItem};
use super::quote::{Quote, QuoteLine, distinct};
use super::rule::{Effect, Rule};
use super::{Schedule, Version};
use crate::money::{Fen, LARGEST_AMOUNT};

/// The most units of one item. A case with more is a caller's mistake, not an application.
pub const LARGEST_QUANTITY: u32 = 1000;

/// The most items of one quote.
pub const MOST_ITEMS: usize = 100;

/// Why a request cannot be priced. Indices count from 0, as in the caller's JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PriceError {
    /// Nothing to price.
    #[error("items: at least one item is needed")]
    NoItems,
    /// More than [`MOST_ITEMS`].
    #[error("items: {count} items, at most {MOST_ITEMS} are allowed")]
    TooManyItems {
        /// How many there were.
        count: usize,
    },
    /// No version of the schedule covers the day.
    #[error("accepted_on: no fee schedule is in force on {accepted_on}")]
    NoScheduleInForce {
        /// The day asked for.
        accepted_on: Date,
    },
    /// The schedule has no such item on that day.
    #[error("items[{index}].code: unknown item {code:?} on {accepted_on}")]
    UnknownItem {
        /// Which item.
        index: usize,
        /// Its code.
        code: String,
        /// The day asked for.
        accepted_on: Date,
    },
    /// None, or more than [`LARGEST_QUANTITY`].
    #[error("items[{index}].quantity: {quantity} is not between 1 and {LARGEST_QUANTITY}")]
    QuantityOutOfRange {
        /// Which item.
        index: usize,
        /// The quantity asked for.
        quantity: u32,
    },
    /// The total passes what a fee may hold.
    #[error("items[{index}]: the total passes {} fen", LARGEST_AMOUNT.get())]
    AmountTooLarge {
        /// The item whose line does so.
        index: usize,
    },
}

impl PriceError {
    /// The stable code of problem documents.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoItems => "no_items",
            Self::TooManyItems { .. } => "too_many_items",
            Self::NoScheduleInForce { .. } => "no_schedule_in_force",
            Self::UnknownItem { .. } => "unknown_item",
            Self::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Self::AmountTooLarge { .. } => "amount_too_large",
        }
    }
}

/// Which rules may change a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhichRules {
    /// Every one; a paper that is missing is marked on the line.
    All,
    /// Those whose paper is there, or that need none.
    Proved,
}

impl Schedule {
    /// Prices `items` for a case accepted on `accepted_on`.
    ///
    /// # Errors
    /// The first thing that cannot be priced, with its place.
    pub fn price(&self, items: &[QuoteItem], accepted_on: Date) -> Result<Quote, PriceError> {
        if items.is_empty() {
            return Err(PriceError::NoItems);
        }
        if items.len() > MOST_ITEMS {
            return Err(PriceError::TooManyItems { count: items.len() });
        }
        let version =
            self.version_on(accepted_on).ok_or(PriceError::NoScheduleInForce { accepted_on })?;
        let mut total = Fen::ZERO;
        let mut lines = Vec::with_capacity(items.len());
        for (index, asked) in items.iter().enumerate() {
            let line = self.line(index, asked, accepted_on, WhichRules::All)?;
            total = total
                .plus(line.amount_fen)
                .filter(|total| *total <= LARGEST_AMOUNT)
                .ok_or(PriceError::AmountTooLarge { index })?;
            lines.push(line);
        }
        Ok(self.quote(version, accepted_on, lines, total))
    }

    fn quote(
        &self,
        version: &Version,
        accepted_on: Date,
        lines: Vec<QuoteLine>,
        total: Fen,
    ) -> Quote {
        Quote {
            schedule_id: self.id.clone(),
            schedule_version: version.id.clone(),
            accepted_on,
            total_fen: total,
            legal_basis: distinct(lines.iter().map(|line| &*line.basis)),
            rule_ids: distinct(lines.iter().filter_map(|line| line.rule_id.as_deref())),
            verified: lines.iter().all(|line| line.verified),
            lines,
        }
    }

    pub(super) fn line(
        &self,
        index: usize,
        asked: &QuoteItem,
        day: Date,
        which: WhichRules,
    ) -> Result<QuoteLine, PriceError> {
        let item = self.item(&asked.code, day).ok_or_else(|| PriceError::UnknownItem {
            index,
            code: asked.code.clone(),
            accepted_on: day,
        })?;
        if asked.quantity == 0 || asked.quantity > LARGEST_QUANTITY {
            return Err(PriceError::QuantityOutOfRange { index, quantity: asked.quantity });
        }
        let rule = self.winning_rule(item, asked, day, which);
        let effect = rule.map_or(Effect::Full, |rule| rule.effect);
        let unit = effect.unit_price(item.amount_fen, self.certificate_price(day));
        let amount =
            unit.times(i64::from(asked.quantity)).ok_or(PriceError::AmountTooLarge { index })?;
        Ok(QuoteLine {
            code: item.code.clone(),
            name: item.name.clone(),
            unit: item.unit.clone(),
            quantity: asked.quantity,
            standard_fen: item.amount_fen,
            unit_fen: unit,
            amount_fen: amount,
            effect,
            rule_id: rule.map(|rule| rule.id.clone()),
            rule_name: rule.map(|rule| rule.name.clone()),
            basis: rule.map_or_else(
                || item.basis.clone(),
                |rule| format!("{}；{}", item.basis, rule.basis),
            ),
            verified: item.verified && rule.is_none_or(|rule| rule.verified),
            evidence_missing: rule
                .and_then(|rule| rule.evidence.clone())
                .filter(|paper| !asked.evidence.contains(paper)),
            registration_type: asked.registration_type,
            applicant_class: asked.applicant_class,
            reason: asked.reason,
            evidence: asked.evidence.clone(),
        })
    }

    fn item(&self, code: &str, day: Date) -> Option<&Item> {
        self.items_on(day).find(|item| item.code == code)
    }

    /// Rules are kept by priority, so the first that holds wins.
    fn winning_rule(
        &self,
        item: &Item,
        asked: &QuoteItem,
        day: Date,
        which: WhichRules,
    ) -> Option<&Rule> {
        let is_proved =
            |rule: &Rule| rule.evidence.as_ref().is_none_or(|paper| asked.evidence.contains(paper));
        self.rules_on(day).find(|rule| {
            rule.effect.touches(item.kind)
                && rule.when.holds_for(asked)
                && (which == WhichRules::All || is_proved(rule))
        })
    }

    /// What one certificate costs on `day`; reading the file made sure that there is a price.
    fn certificate_price(&self, day: Date) -> Fen {
        self.item(&self.certificate, day).map_or(Fen::ZERO, |item| item.amount_fen)
    }
}
