//! Faults on demand: rules that say what goes wrong, where, for whom, how often. Whether a rule with
//! a probability strikes is drawn from the seed.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::error::ControlError;
use crate::random::Random;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On a callback or receipt that the provider sends.
    Callback,
    /// On a request to a provider, or its answer.
    Answer,
    /// On a bill.
    Bill,
    /// On a text message.
    Sms,
}

/// Which call is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Placing an order.
    Place,
    /// Querying an order.
    Query,
    /// Closing an order.
    Close,
    /// Asking for a refund; on callbacks: the notice of a refund.
    Refund,
    /// Querying a refund.
    QueryRefund,
    /// Asking for a bill.
    Bill,
    /// Downloading a bill.
    FetchBill,
    /// Sending a text message; on callbacks: its receipt.
    Send,
    /// Querying text messages.
    QuerySend,
    /// On callbacks: the notice of a payment.
    Payment,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Never arrives. A request is not executed, a callback is tried again by its cadence, a text
    /// message is accepted and then lost.
    Drop,
    /// A callback comes twice.
    Duplicate,
    /// Comes `delay_s` seconds later (callbacks by the clock, answers in real time).
    Delay,
    /// A callback comes after all others that are due with it, at least a second later.
    Reorder,
    /// A byte is changed after signing.
    Corrupt,
    /// Executed, but the connection is cut before the answer.
    DropAfterCommit,
    /// The signature is not over this text.
    WrongSignature,
    /// Signed under the name of a key that nobody knows (Alipay: a wrong signature).
    UnknownSerial,
    /// A probe with `WECHATPAY/SIGNTEST/` comes instead of the signed callback.
    SignTest,
    /// Refused with the provider's system error, not executed.
    #[serde(rename = "status_500")]
    Status500,
    /// Refused for frequency, not executed.
    #[serde(rename = "status_429")]
    Status429,
    /// Executed, and the answer is no answer of the provider.
    Garbage,
    /// A refund is refused because the merchant's balance does not cover it; a text message because
    /// the account is empty.
    NotEnough,
    /// A refund is accepted and ends `ABNORMAL`.
    Abnormal,
    /// A text message is refused by the vendor's limit.
    Throttle,
    /// A text message is accepted and its receipt says that it failed.
    Undelivered,
    /// A row is not in the bill.
    MissingRow,
    /// A row too many is in the bill.
    ExtraRow,
    /// A row of the bill has another amount (`amount_delta_fen`, default 100).
    ChangedRow,
    /// The bill file is cut in half; its hash is the whole one's.
    Truncate,
    /// The hash is another file's.
    WrongHash,
    /// The bill is not ready.
    Late,
    /// The provider says that nothing happened on that day.
    EmptyDay,
}

/// Whom a fault is for; an absent field fits everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// An order's number. For an extra row: the number that the row shall have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// A refund's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_refund_no: Option<String>,
    /// mchid, `app_id` or access key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// The business day of a bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// A receiver of text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Where.
    pub on: Place,
    /// Which call; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// For whom.
    #[serde(default, rename = "match")]
    pub of: Match,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
    /// How many times; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// In how many of a thousand cases; absent: in each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<u16>,
    /// Seconds of a delay; default 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_s: Option<u32>,
    /// By how many fen a bill row is changed; for an extra row: its amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_delta_fen: Option<i64>,
}

impl Fault {
    /// A rule for everybody, always.
    #[must_use]
    pub fn new(on: Place, action: Action) -> Self {
        Self {
            on,
            operation: None,
            of: Match::default(),
            action,
            times: None,
            probability: None,
            delay_s: None,
            amount_delta_fen: None,
        }
    }

    /// The same rule for one kind of call.
    #[must_use]
    pub const fn during(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// The same rule for one order.
    #[must_use]
    pub fn for_order(mut self, out_trade_no: &str) -> Self {
        self.of.out_trade_no = Some(out_trade_no.to_owned());
        self
    }

    /// The same rule for one merchant.
    #[must_use]
    pub fn for_merchant(mut self, merchant: &str) -> Self {
        self.of.merchant = Some(merchant.to_owned());
        self
    }

    /// The same rule, so many times and no more.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// How long a delay is.
    pub(crate) fn delay(&self) -> u32 {
        self.delay_s.unwrap_or(30)
    }

    /// Whether the action can happen where the rule wants it.
    fn makes_sense(&self) -> bool {
        use Action::{
            Abnormal, ChangedRow, Corrupt, Delay, Drop, DropAfterCommit, Duplicate, EmptyDay,
            ExtraRow, Garbage, Late, MissingRow, NotEnough, Reorder, SignTest, Status429,
            Status500, Throttle, Truncate, Undelivered, UnknownSerial, WrongHash, WrongSignature,
        };
        match self.action {
            Drop => self.on != Place::Bill,
            Delay | Corrupt | WrongSignature | UnknownSerial => {
                matches!(self.on, Place::Callback | Place::Answer)
            }
            Duplicate | Reorder | SignTest => self.on == Place::Callback,
            DropAfterCommit | Status500 | Status429 | Garbage => {
                matches!(self.on, Place::Answer | Place::Sms)
            }
            NotEnough => matches!(self.on, Place::Answer | Place::Sms),
            Abnormal => self.on == Place::Answer,
            Throttle | Undelivered => self.on == Place::Sms,
            MissingRow | ExtraRow | ChangedRow | Truncate | WrongHash | Late | EmptyDay => {
                self.on == Place::Bill
            }
        }
    }
}

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
            let text = format!("{:?} cannot happen on {:?}", fault.action, fault.on);
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
    pub(crate) fn strike_bill(&mut self, subject: &Subject<'_>, seed: u64) -> Vec<Fault> {
        let day = subject.date.map(|date| date.to_string()).unwrap_or_default();
        let mut struck = Vec::new();
        for rule in &mut self.rules {
            let id = rule.id.to_string();
            let mut chance = Random::of(seed, &["bill", subject.merchant, &day, &id]);
            let bill = Subject { out_trade_no: None, out_refund_no: None, ..*subject };
            if rule.applies_to_bill(&bill)
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
    fn applies_to_bill(&self, subject: &Subject<'_>) -> bool {
        let of = &self.fault.of;
        self.is_left()
            && self.fault.on == Place::Bill
            && of.merchant.as_deref().is_none_or(|merchant| merchant == subject.merchant)
            && of.date.is_none_or(|date| Some(date) == subject.date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T01:00:00Z".parse().unwrap()
    }

    fn ask(faults: &mut Faults, operation: Operation, out_trade_no: &str) -> Option<Action> {
        let subject =
            Subject { merchant: "m", out_trade_no: Some(out_trade_no), ..Subject::default() };
        faults
            .strike(Place::Answer, operation, &subject, &mut Random::new(1))
            .map(|fault| fault.action)
    }

    #[test]
    fn a_rule_strikes_whom_it_names_and_as_often_as_it_says() {
        let mut faults = Faults::default();
        let rule = Fault::new(Place::Answer, Action::Drop);
        faults.set(rule.during(Operation::Place).for_order("A").times(2), now()).unwrap();
        assert_eq!(ask(&mut faults, Operation::Place, "B"), None);
        assert_eq!(ask(&mut faults, Operation::Query, "A"), None);
        assert_eq!(ask(&mut faults, Operation::Place, "A"), Some(Action::Drop));
        assert_eq!(ask(&mut faults, Operation::Place, "A"), Some(Action::Drop));
        assert_eq!(ask(&mut faults, Operation::Place, "A"), None);
    }

    #[test]
    fn a_fault_that_cannot_happen_there_is_refused() {
        for (on, action) in [
            (Place::Bill, Action::Drop),
            (Place::Answer, Action::Duplicate),
            (Place::Callback, Action::MissingRow),
            (Place::Callback, Action::Status500),
            (Place::Answer, Action::Throttle),
        ] {
            let refused = Faults::default().set(Fault::new(on, action), now());
            assert!(matches!(refused, Err(ControlError::BadFault(_))), "{on:?} {action:?}");
        }
    }

    #[test]
    fn an_unknown_word_in_a_fault_is_refused() {
        let text = r#"{"on":"answer","do":"drop","match":{"order":"A"}}"#;
        assert!(serde_json::from_str::<Fault>(text).is_err());
        let text = r#"{"on":"answer","do":"status_500","match":{"out_trade_no":"A"},"times":1}"#;
        assert!(serde_json::from_str::<Fault>(text).is_ok());
    }
}
