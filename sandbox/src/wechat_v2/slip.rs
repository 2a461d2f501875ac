//! What the old interface remembers of an order beside the order itself: its algorithm, and how
//! things went at the counter.

use jiff::Timestamp;

use super::sign::SignType;
use crate::state::Order;

/// The slip of an order that was placed over the old interface.
pub(crate) struct Slip {
    /// The algorithm of the order, in which its notices are signed too.
    pub(super) sign_type: SignType,
    /// Echoed.
    pub(super) device_info: Option<String>,
    /// At the counter: what became of the payer's code.
    pub(super) counter: Option<Counter>,
}

/// An order at the counter (付款码支付).
pub(super) struct Counter {
    /// What the payer's code does.
    pub(super) case: Case,
    /// When it was reversed.
    pub(super) reversed_at: Option<Timestamp>,
    /// How often a reversal was asked for.
    pub(super) reversals: u32,
}

/// What a payer's code does; its last four digits say so, so that a real-looking code is just paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// Paid at once.
    Pays,
    /// `…9900`: the payer must enter a password, and has 30 seconds.
    AsksPassword,
    /// `…9901`: paid, and the answer is a system error.
    PaysUnseen,
    /// `…9902`: the code has expired; no order comes to be.
    Expired,
    /// `…9903`: the payer's balance does not cover it.
    Poor,
    /// `…9904`: the bank does not answer; nothing is paid.
    BankSilent,
    /// `…9905`: like `…9900`, and the first reversal must be asked for again.
    AsksPasswordRecalls,
    /// `…9906`: paid at once, and the first reversal must be asked for again.
    PaysRecalls,
}

impl Case {
    /// The case of a code.
    pub(super) fn of(auth_code: &str) -> Self {
        let tail: String = auth_code.chars().skip(14).collect();
        match tail.as_str() {
            "9900" => Self::AsksPassword,
            "9901" => Self::PaysUnseen,
            "9902" => Self::Expired,
            "9903" => Self::Poor,
            "9904" => Self::BankSilent,
            "9905" => Self::AsksPasswordRecalls,
            "9906" => Self::PaysRecalls,
            _ => Self::Pays,
        }
    }

    /// Whether the payment is made with the request.
    pub(super) const fn pays(self) -> bool {
        matches!(self, Self::Pays | Self::PaysUnseen | Self::PaysRecalls)
    }

    /// Whether the payer has time to pay after the request.
    pub(super) const fn waits(self) -> bool {
        matches!(self, Self::AsksPassword | Self::AsksPasswordRecalls | Self::BankSilent)
    }

    /// Whether the first reversal must be asked for again.
    pub(super) const fn recalls(self) -> bool {
        matches!(self, Self::AsksPasswordRecalls | Self::PaysRecalls)
    }
}

impl Slip {
    /// How an order at the counter stands, where that is told otherwise than of other orders.
    pub(crate) fn counter_state(
        &self,
        order: &Order,
        now: Timestamp,
    ) -> Option<(&'static str, &'static str)> {
        let counter = self.counter.as_ref()?;
        if counter.reversed_at.is_some() {
            Some(("REVOKED", "订单已撤销"))
        } else if order.is_paid() {
            None
        } else if counter.case.waits() && now < order.expires_at {
            Some(("USERPAYING", "用户支付中"))
        } else {
            Some(("PAYERROR", "支付失败"))
        }
    }

    /// Whether the order was reversed (撤销).
    pub(crate) fn is_reversed(&self) -> bool {
        self.counter.as_ref().is_some_and(|counter| counter.reversed_at.is_some())
    }
}
