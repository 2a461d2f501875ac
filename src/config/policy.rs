//! `[policy]`: what the office has decided about money that goes back, money that comes late or
//! twice, and the hours in which people are left alone.

use callbacks::{LatePayment, SurplusPayment};
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
}

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
        }
    }
}

pub(super) fn read(section: &Section<'_>) -> Result<Policy, ConfigError> {
    section.only(&["refund_approval", "late_payment", "surplus_payment", "quiet_hours"])?;
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
    Ok(policy)
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
