//! Ids: a newtype each, so that one cannot stand where another is meant.
//!
//! Ids that the hub gives out carry a prefix (`ord_…`) and a version 7 UUID, so they sort by time;
//! the caller hands in the UUID, because nothing in this crate knows chance.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the id that it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}: {rule}")]
pub struct IdError {
    what: &'static str,
    rule: &'static str,
    text: String,
}

/// What every id has in common: it becomes text, and text becomes it by its own rule.
macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Declares an id of the hub's own: `prefix_` and 32 hexadecimal digits.
macro_rules! own_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new id around a fresh (version 7) UUID.
            #[must_use]
            pub fn new(uuid: Uuid) -> Self {
                Self(format!(concat!($prefix, "_{}"), uuid.simple()))
            }

            /// The id as text, prefix and all.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let rest = text.strip_prefix(concat!($prefix, "_"));
                let good = rest.is_some_and(|rest| {
                    rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
                });
                if good {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError {
                        what: stringify!($name),
                        rule: concat!($prefix, "_ and 32 hexadecimal digits"),
                        text: text.chars().take(64).collect(),
                    })
                }
            }
        }

        as_text!($name);
    };
}

/// Declares an id whose letters come from outside, under one rule.
macro_rules! outside_id {
    ($(#[$meta:meta])* $name:ident, $rule:literal, $good:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let good: fn(&str) -> bool = $good;
                if good(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError {
                        what: stringify!($name),
                        rule: $rule,
                        text: text.chars().take(64).collect(),
                    })
                }
            }
        }

        as_text!($name);
    };
}

own_id!(
    /// A fee (应收登记费).
    FeeId, "fee"
);
own_id!(
    /// An order (支付单) at one provider.
    OrderId, "ord"
);
own_id!(
    /// A combined order (合单): one payment for several payees.
    CombinedId, "cmb"
);
own_id!(
    /// A refund (退款).
    RefundId, "rfd"
);
own_id!(
    /// A remittance (缴库): collected fees paid over to the treasury.
    RemittanceId, "rmt"
);
own_id!(
    /// A payment (支付事实): money that a provider says it took.
    PaymentId, "pay"
);
own_id!(
    /// A stored callback (回调通知).
    CallbackId, "cbk"
);
own_id!(
    /// An event that a backend may hear of; also its `webhook-id`.
    EventId, "evt"
);
own_id!(
    /// A notification (通知) to a person.
    NotificationId, "ntf"
);
own_id!(
    /// A reconciliation run (对账批次).
    RunId, "run"
);
own_id!(
    /// A difference (差错).
    DifferenceId, "dif"
);
own_id!(
    /// A doubt (存疑).
    DoubtId, "dbt"
);
own_id!(
    /// A bank statement (银行流水) as it was handed in.
    BankStatementId, "bst"
);
own_id!(
    /// What a provider is expected to settle of one bill day (应到账).
    SettlementId, "stl"
);
own_id!(
    /// That a credit is the settlement of some bill days (到账核销).
    SettlementMatchId, "stm"
);
own_id!(
    /// The statement of a payer's month (月结账单).
    PayerStatementId, "pst"
);
own_id!(
    /// That credits at the bank pay some statements of a payer (月结核销).
    PayerMatchId, "pmt"
);
own_id!(
    /// An incident (异常) that finance staff must look at.
    IncidentId, "inc"
);

outside_id!(
    /// A merchant as `payhub.toml` names it; stands in the callback path.
    MerchantId, "1 to 64 of 0-9 a-z A-Z _ -", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    }
);
outside_id!(
    /// A backend service that uses the hub.
    ApplicationId, "1 to 64 of 0-9 a-z A-Z _ -", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    }
);
outside_id!(
    /// The hub's order number at a provider (商户订单号), unique for ever. The hub makes it of
    /// `0-9A-Z`; what a provider sends back may hold whatever that provider allows.
    OutTradeNo, "1 to 64 of 0-9 a-z A-Z _ - | * @", provider_number
);
outside_id!(
    /// A refund's number at a provider (商户退款单号); never changed on a retry.
    OutRefundNo, "1 to 64 of 0-9 a-z A-Z _ - | * @", provider_number
);
outside_id!(
    /// The provider's own number of a payment (微信订单号, 支付宝交易号).
    ProviderTradeNo, "1 to 64 printable ASCII letters without blanks", printable
);
outside_id!(
    /// The provider's own number of a refund; Alipay has none.
    ProviderRefundNo, "1 to 64 printable ASCII letters without blanks", printable
);
outside_id!(
    /// The registration case's number (受理号) in the office's own system.
    CaseNo, "1 to 64 characters without control characters", |text| {
        (1..=64).contains(&text.chars().count())
            && text.trim() == text
            && !text.chars().any(char::is_control)
    }
);

fn provider_number(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'|' | b'*' | b'@'))
}

fn printable(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

impl OutTradeNo {
    /// A new order number of 30 letters from `0-9A-F` and a leading `P`, out of a version 7 UUID:
    /// its time and 78 of its random bits, so that it is unique for ever.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(format!("P{}", without_marks(uuid)))
    }
}

impl OutRefundNo {
    /// A new refund number, like an order number with a leading `R`.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(format!("R{}", without_marks(uuid)))
    }
}

/// The UUID in upper-case hexadecimal without its constant version digit.
fn without_marks(uuid: Uuid) -> String {
    uuid.simple()
        .to_string()
        .char_indices()
        .filter(|(index, _)| *index != 12)
        .map(|(_, letter)| letter.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_prefix_and_refuses_another() {
        let id = OrderId::new(Uuid::from_u128(7));
        assert_eq!(id.as_str(), "ord_00000000000000000000000000000007");
        assert_eq!(id.as_str().parse::<OrderId>(), Ok(id.clone()));
        assert!(id.as_str().parse::<FeeId>().is_err());
    }

    #[test]
    fn an_order_number_fits_every_provider() {
        let no = OutTradeNo::new(Uuid::from_u128(u128::MAX));
        assert_eq!(no.as_str().len(), 32);
        assert!(no.as_str().bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
    }

    #[test]
    fn a_merchant_id_that_could_leave_its_path_is_refused() {
        for bad in ["", "a/b", "..", "a b", "中"] {
            assert!(bad.parse::<MerchantId>().is_err(), "{bad:?}");
        }
    }
}
