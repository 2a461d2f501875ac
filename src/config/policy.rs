//! `[policy]` and `[[pay_gates]]`: what the office has decided about money that goes back, money that
//! comes late or twice, when a fee must be settled, and the hours in which people are left alone.

use std::collections::BTreeMap;

use callbacks::{LatePayment, SurplusPayment};
use domain::case::PayGate;
use domain::money::{Fen, LARGEST_AMOUNT};
use notifications::Hours;

use super::error::ConfigError;
use super::section::Section;

/// What the office has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which refunds wait for a second person.
    pub refund_approval: RefundApproval,
    /// What happens to money for a closed order (逾期到账).
    pub late_payment: LatePayment,
    /// What happens to money that settles no fee (多收).
    pub surplus_payment: SurplusPayment,
    /// When people are not written to, unless it is urgent; `None`: never left alone.
    pub quiet_hours: Option<Hours>,
    /// By when the fee of a case must be settled, unless its business type has a gate of its own.
    pub pay_gate: PayGate,
}

/// By when the fee of a case must be settled, of business types that have a gate of their own.
pub type PayGates = BTreeMap<String, PayGate>;

/// Which refunds wait for a second person (退款审批).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundApproval {
    /// None.
    Never,
    /// All.
    Always,
    /// Those of at least this amount.
    From(Fen),
}

impl RefundApproval {
    /// Whether a refund of `amount` waits for a second person.
    #[must_use]
    pub fn is_needed_for(self, amount: Fen) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::From(threshold) => amount >= threshold,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            refund_approval: RefundApproval::Never,
            late_payment: LatePayment::Accept,
            surplus_payment: SurplusPayment::Propose,
            quiet_hours: Some(Hours::QUIET),
            pay_gate: PayGate::default(),
        }
    }
}

pub(super) fn read(section: &Section<'_>) -> Result<Policy, ConfigError> {
    section.only(&[
        "refund_approval",
        "late_payment",
        "surplus_payment",
        "quiet_hours",
        "pay_gate",
    ])?;
    let mut policy = Policy::default();
    if let Some(text) = section.text_or_number("refund_approval")? {
        policy.refund_approval = refund_approval(section, &text)?;
    }
    if let Some(text) = section.text("late_payment")? {
        policy.late_payment = match text.as_str() {
            "accept" => LatePayment::Accept,
            "refund" => LatePayment::Refund,
            _ => return Err(unknown(section, "late_payment", &text, "give accept or refund")),
        };
    }
    if let Some(text) = section.text("surplus_payment")? {
        policy.surplus_payment = match text.as_str() {
            "propose" => SurplusPayment::Propose,
            "refund" => SurplusPayment::Refund,
            _ => return Err(unknown(section, "surplus_payment", &text, "give propose or refund")),
        };
    }
    if let Some(text) = section.text("quiet_hours")? {
        policy.quiet_hours = quiet_hours(section, &text)?;
    }
    if let Some(text) = section.text("pay_gate")? {
        policy.pay_gate = pay_gate(section, "pay_gate", &text)?;
    }
    Ok(policy)
}

/// Reads the gates of business types.
pub(super) fn read_gates(sections: &[Section<'_>]) -> Result<PayGates, ConfigError> {
    let mut gates = PayGates::new();
    for section in sections {
        section.only(&["business_type", "gate"])?;
        let business_type = section.needed("business_type", "name a business type of cases")?;
        let gate = pay_gate(section, "gate", &section.needed("gate", GATES)?)?;
        if gates.insert(business_type.clone(), gate).is_some() {
            let what = format!("`{business_type}` stands twice");
            return Err(section.fault("business_type", what, "keep one of the two"));
        }
    }
    Ok(gates)
}

const GATES: &str = "give on_accept, before_register, before_certificate or never";

fn pay_gate(section: &Section<'_>, key: &str, text: &str) -> Result<PayGate, ConfigError> {
    let found = PayGate::ALL.into_iter().find(|gate| gate.as_str() == text);
    found.ok_or_else(|| unknown(section, key, text, GATES))
}

fn refund_approval(section: &Section<'_>, text: &str) -> Result<RefundApproval, ConfigError> {
    match text {
        "never" => return Ok(RefundApproval::Never),
        "always" => return Ok(RefundApproval::Always),
        _ => {}
    }
    let threshold = text.parse().map(Fen::new).ok();
    threshold
        .filter(|fen| (Fen::new(1)..=LARGEST_AMOUNT).contains(fen))
        .map(RefundApproval::From)
        .ok_or_else(|| {
            let mend = "give never, always, or a threshold in whole fen such as 10000";
            unknown(section, "refund_approval", text, mend)
        })
}

fn quiet_hours(section: &Section<'_>, text: &str) -> Result<Option<Hours>, ConfigError> {
    if text == "none" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|fault: notifications::HoursError| {
        section.fault("quiet_hours", fault.to_string(), "give them so, or none")
    })
}

fn unknown(section: &Section<'_>, key: &str, text: &str, mend: &str) -> ConfigError {
    section.fault(key, format!("`{text}` is not known here"), mend)
}
