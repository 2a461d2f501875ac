//! One payment to several payees (合单支付): fee and tax in one go, each with its own order, payment
//! and refunds. Refunds go through the payee's own merchant, as of any order.

use std::fmt;

use domain::fact::OrderStanding;
use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::personal::Personal;
use jiff::Timestamp;

use super::{LimitError, Placed, Product};
use crate::wire::{Answer, Call, Outcome, Stamp};

/// A provider that takes one payment for several payees. Its notices carry one fact for each part.
pub trait CombinedPayments: Send + Sync {
    /// The service provider through whom this merchant is paid; `None`: it acts for itself. Only
    /// merchants of whom this is the same can be paid together.
    fn paid_through(&self) -> Option<&str>;

    /// The call that places the parts as one payment.
    ///
    /// # Errors
    /// When the provider's own limits would refuse it; nothing is sent then.
    fn place_combined(&self, order: &NewCombined<'_>) -> Result<Call, LimitError>;
    /// The call that asks how they stand.
    fn query_combined(&self, out_trade_no: &OutTradeNo) -> Call;
    /// The call that closes them, all or nothing.
    fn close_combined(&self, order: &CombinedKey<'_>) -> Call;

    /// Reads the answer to [`place_combined`](Self::place_combined).
    fn read_combined_placed(&self, call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed>;
    /// Reads the answer to [`query_combined`](Self::query_combined): each part that it names.
    fn read_combined(
        &self,
        out_trade_no: &OutTradeNo,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<Vec<PartStanding>>;
    /// Reads the answer to [`close_combined`](Self::close_combined).
    fn read_combined_closed(&self, answer: &Answer, now: Timestamp) -> Outcome<super::Closing>;
}

/// Parts to be paid as one.
#[derive(Clone)]
pub struct NewCombined<'a> {
    /// How it is paid.
    pub product: Product,
    /// The number of the whole for ever.
    pub out_trade_no: &'a OutTradeNo,
    /// The parts, 2 to 10.
    pub parts: &'a [NewPart<'a>],
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// Where the provider calls back.
    pub notify_url: &'a str,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<&'a str>,
    /// `openid`.
    pub payer: Option<&'a Personal>,
    /// The payer's address, for browsers on phones.
    pub client_ip: Option<&'a str>,
    /// When it is made.
    pub now: Timestamp,
}

impl fmt::Debug for NewCombined<'_> {
    /// Neither who pays nor from where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCombined")
            .field("product", &self.product)
            .field("out_trade_no", &self.out_trade_no)
            .field("parts", &self.parts.len())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// One payee's part.
#[derive(Clone, Debug)]
pub struct NewPart<'a> {
    /// The payee as its own merchant states it.
    pub payee: &'a str,
    /// The part's order number for ever.
    pub out_trade_no: &'a OutTradeNo,
    /// What is to be paid to it.
    pub amount: Fen,
    /// What the payer reads.
    pub subject: &'a str,
}

/// What names a combined order and its parts at the provider.
#[derive(Clone, Debug)]
pub struct CombinedKey<'a> {
    /// The number of the whole.
    pub out_trade_no: &'a OutTradeNo,
    /// All of its parts.
    pub parts: &'a [PartKey<'a>],
}

/// What names one part.
#[derive(Clone, Copy, Debug)]
pub struct PartKey<'a> {
    /// The payee as its own merchant states it.
    pub payee: &'a str,
    /// The part's order number.
    pub out_trade_no: &'a OutTradeNo,
}

/// How one part stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartStanding {
    /// The part's order number.
    pub out_trade_no: OutTradeNo,
    /// Where it stands.
    pub standing: OrderStanding,
}
