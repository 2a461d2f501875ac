//! Faults on demand: rules that say what goes wrong, where, for whom, how often. Whether a rule with
//! a probability strikes is drawn from the seed.

#[cfg(test)]
mod tests;
mod words;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

pub use words::{Action, Fault, Match, Operation, Place};

use crate::error::ControlError;
use crate::random::Random;

/// What a fault is asked about.
#[derive(Clone, Copy, Default)]
pub(crate) struct Subject<'a> {
    pub(crate) merchant: &'a str,
    pub(crate) out_trade_no: Option<&'a str>,
    pub(crate) out_refund_no: Option<&'a str>,
    pub(crate) date: Option<Date>,
    pub(crate) phone: Option<&'a str>,
}

/// A rule in force.
#[derive(Clone, Serialize)]
pub struct Rule {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub fault: Fault,
    /// When it was set.
    pub set_at: Timestamp,
    /// How often it struck.
    pub struck: u32,
}

/// All rules in force, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    issued: u64,
}

impl Faults {
    /// Puts a rule in force.
    pub(crate) fn set(&mut self, fault: Fault, now: Timestamp) -> Result<u64, ControlError> {
        if !fault.makes_sense() {
            let during = fault.operation.map(|operation| format!(" of {operation:?}"));
            let during = during.unwrap_or_default();
            let text = format!("{:?} cannot happen on {:?}{during}", fault.action, fault.on);
            return Err(ControlError::BadFault(text));
        }
        if fault.probability.is_some_and(|per_mille| per_mille > 1000) {
            return Err(ControlError::BadFault("probability is per mille: 0 to 1000".to_owned()));
        }
        self.issued = self.issued.saturating_add(1);
        self.rules.push(Rule { id: self.issued, fault, set_at: now, struck: 0 });
        Ok(self.issued)
    }

    /// Lifts all rules, or one.
    pub(crate) fn lift(&mut self, id: Option<u64>) {
        self.rules.retain(|rule| id.is_some_and(|id| rule.id != id));
    }

    /// The rules, for the state.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule that strikes here, and counts it.
    pub(crate) fn strike(
        &mut self,
        place: Place,
        operation: Operation,
        subject: &Subject<'_>,
        chance: &mut Random,
    ) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| {
            rule.applies(place, operation, subject)
                && rule.fault.probability.is_none_or(|per_mille| chance.happens(per_mille))
        })?;
        rule.struck = rule.struck.saturating_add(1);
        Some(rule.fault.clone())
    }

    /// Every rule that strikes a bill, each counted; chance is that of the day, so that a second
    /// file of the same day is hurt alike.
    pub(crate) fn strike_bill(
        &mut self,
        place: Place,
        subject: &Subject<'_>,
        seed: u64,
    ) -> Vec<Fault> {
        let day = subject.date.map(|date| date.to_string()).unwrap_or_default();
        let mut struck = Vec::new();
        for rule in &mut self.rules {
            let id = rule.id.to_string();
            let mut chance = Random::of(seed, &["bill", subject.merchant, &day, &id]);
            let bill = Subject { out_trade_no: None, out_refund_no: None, ..*subject };
            if rule.applies_to_bill(place, &bill)
                && rule.fault.probability.is_none_or(|per_mille| chance.happens(per_mille))
            {
                rule.struck = rule.struck.saturating_add(1);
                struck.push(rule.fault.clone());
            }
        }
        struck
    }
}

impl Rule {
    fn is_left(&self) -> bool {
        self.fault.times.is_none_or(|times| self.struck < times)
    }

    fn applies(&self, place: Place, operation: Operation, subject: &Subject<'_>) -> bool {
        let fits = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == is)
        };
        let fault = &self.fault;
        self.is_left()
            && fault.on == place
            && fault.operation.is_none_or(|wanted| wanted == operation)
            && fits(&fault.of.merchant, Some(subject.merchant))
            && fits(&fault.of.out_trade_no, subject.out_trade_no)
            && fits(&fault.of.out_refund_no, subject.out_refund_no)
            && fits(&fault.of.phone, subject.phone)
            && fault.of.date.is_none_or(|date| Some(date) == subject.date)
    }

    /// On a bill, order and refund numbers choose the row, not whether the rule strikes.
    fn applies_to_bill(&self, place: Place, subject: &Subject<'_>) -> bool {
        let of = &self.fault.of;
        self.is_left()
            && self.fault.on == place
            && of.merchant.as_deref().is_none_or(|merchant| merchant == subject.merchant)
            && of.date.is_none_or(|date| Some(date) == subject.date)
    }
}
