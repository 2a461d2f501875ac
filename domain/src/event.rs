//! Events that backend services hear of by webhook and feed (contract, "Webhooks").

use serde::{Deserialize, Serialize};

/// The type of an event, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// Every line of a fee is paid.
    #[serde(rename = "fee.paid")]
    FeePaid,
    /// An order is paid in time.
    #[serde(rename = "order.paid")]
    OrderPaid,
    /// An order cannot be paid any more.
    #[serde(rename = "order.closed")]
    OrderClosed,
    /// An order was paid after it had been closed.
    #[serde(rename = "order.paid_late")]
    OrderPaidLate,
    /// Money came that settles no fee.
    #[serde(rename = "payment.surplus")]
    PaymentSurplus,
    /// A refund reached the payer.
    #[serde(rename = "refund.succeeded")]
    RefundSucceeded,
    /// A refund did not happen.
    #[serde(rename = "refund.failed")]
    RefundFailed,
    /// A message reached its person.
    #[serde(rename = "notification.delivered")]
    NotificationDelivered,
    /// A message will not reach its person.
    #[serde(rename = "notification.failed")]
    NotificationFailed,
    /// A day was reconciled.
    #[serde(rename = "reconciliation.completed")]
    ReconciliationCompleted,
    /// A difference needs a person.
    #[serde(rename = "difference.opened")]
    DifferenceOpened,
    /// A difference is over.
    #[serde(rename = "difference.resolved")]
    DifferenceResolved,
    /// A case's deadline light changed.
    #[serde(rename = "case.light_changed")]
    CaseLightChanged,
}

impl EventType {
    /// Whether it concerns the whole office and no application: those that want it say so.
    #[must_use]
    pub const fn is_office_wide(self) -> bool {
        match self {
            Self::ReconciliationCompleted | Self::DifferenceOpened | Self::DifferenceResolved => {
                true
            }
            Self::FeePaid
            | Self::OrderPaid
            | Self::OrderClosed
            | Self::OrderPaidLate
            | Self::PaymentSurplus
            | Self::RefundSucceeded
            | Self::RefundFailed
            | Self::NotificationDelivered
            | Self::NotificationFailed
            | Self::CaseLightChanged => false,
        }
    }

    /// Its word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FeePaid => "fee.paid",
            Self::OrderPaid => "order.paid",
            Self::OrderClosed => "order.closed",
            Self::OrderPaidLate => "order.paid_late",
            Self::PaymentSurplus => "payment.surplus",
            Self::RefundSucceeded => "refund.succeeded",
            Self::RefundFailed => "refund.failed",
            Self::NotificationDelivered => "notification.delivered",
            Self::NotificationFailed => "notification.failed",
            Self::ReconciliationCompleted => "reconciliation.completed",
            Self::DifferenceOpened => "difference.opened",
            Self::DifferenceResolved => "difference.resolved",
            Self::CaseLightChanged => "case.light_changed",
        }
    }
}
