//! What a fault can say: where it strikes, on which call, whom, with what, how often.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On a callback or receipt that the provider sends.
    Callback,
    /// On a request to a provider, or its answer.
    Answer,
    /// On a trade bill.
    Bill,
    /// On a fund flow bill, which has rows and faults of its own.
    FundBill,
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
    /// Asking for a trade bill.
    Bill,
    /// Asking for a fund flow bill.
    FundBill,
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
    /// A probe comes instead of WeChat Pay's callback: XML with an external entity, which a reader
    /// must refuse.
    XxeProbe,
    /// Refused with the provider's system error, not executed.
    #[serde(rename = "status_500")]
    Status500,
    /// Refused for frequency, not executed.
    #[serde(rename = "status_429")]
    Status429,
    /// Executed, and the answer is no answer of the provider.
    Garbage,
    /// A refund is refused because the merchant's balance does not cover it, an order at the counter
    /// because the payer's does not; a text message because the account is empty.
    NotEnough,
    /// A refund is accepted and ends `ABNORMAL`.
    Abnormal,
    /// A refund is accepted and ends `CLOSED`.
    Closed,
    /// A query is answered by a replica that does not have the order yet: it does not exist.
    Absent,
    /// A text message is refused by the vendor's limit.
    Throttle,
    /// A text message is accepted and its receipt says that it failed.
    Undelivered,
    /// A row is not in the bill.
    MissingRow,
    /// A row too many is in the bill; that of an order paid once, on another day, is that payment.
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
    /// Charges are taken from the principal, of this account and as long as the rule stands: without
    /// it they go to an account of their own.
    ChargeTaken,
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
    pub(super) fn makes_sense(&self) -> bool {
        use Action::{
            Abnormal, Absent, ChangedRow, ChargeTaken, Closed, Corrupt, Delay, Drop,
            DropAfterCommit, Duplicate, EmptyDay, ExtraRow, Garbage, Late, MissingRow, NotEnough,
            Reorder, SignTest, Status429, Status500, Throttle, Truncate, Undelivered,
            UnknownSerial, WrongHash, WrongSignature, XxeProbe,
        };
        match self.action {
            Drop => !matches!(self.on, Place::Bill | Place::FundBill),
            Delay | Corrupt | WrongSignature | UnknownSerial => {
                matches!(self.on, Place::Callback | Place::Answer)
            }
            Duplicate | Reorder | SignTest | XxeProbe => self.on == Place::Callback,
            DropAfterCommit | Status500 | Status429 | Garbage => {
                matches!(self.on, Place::Answer | Place::Sms)
            }
            NotEnough => matches!(self.on, Place::Answer | Place::Sms),
            Abnormal | Closed => self.on == Place::Answer,
            Absent => self.on == Place::Answer && self.operation == Some(Operation::Query),
            Throttle | Undelivered => self.on == Place::Sms,
            MissingRow | ExtraRow | ChangedRow | Truncate | WrongHash | Late | EmptyDay => {
                matches!(self.on, Place::Bill | Place::FundBill)
            }
            ChargeTaken => self.on == Place::FundBill,
        }
    }
}
