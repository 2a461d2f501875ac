//! A provider's message, from its bytes to what it means for an order. Pure: no I/O, no clock.
//!
//! [`open`] proves that a message is the provider's; [`judge`] compares what it states with the
//! locked order and decides the effect. The store writes effects and decides nothing; pollers and
//! bill repair hand their facts to the same [`judge`].

mod effect;
mod judge;
mod locked;
mod open;

pub use effect::{
    Effect, IncidentKind, Judgement, NewIncident, PaymentEffect, PortalRefundEffect, RefundEffect,
};
pub use judge::{Claim, LatePayment, Policy, SurplusPayment, judge};
pub use locked::{LockedFee, LockedOrder, LockedPayment, LockedRefund};
pub use open::{LARGEST_BODY, Opened, Refusal, open, reopen};
