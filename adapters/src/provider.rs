//! The one trait that a payment provider's adapter implements.

mod bill;
mod combined;
mod keys;
mod notice;
mod order;
mod product;
mod refund;
#[cfg(test)]
mod tests;

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::OutTradeNo;
use domain::provider::Provider;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

pub use bill::{BillAnswer, BillKind, BillTicket, FundAccount};
pub use combined::{CombinedKey, CombinedPayments, NewCombined, NewPart, PartKey, PartStanding};
pub use keys::{Learned, RenewedKeys};
pub(crate) use notice::own_word;
pub use notice::{
    Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice, RefundHint, Reply,
};
pub use order::{Closing, Document, Identity, NewOrder, OrderKey, Pay, Placed};
pub use product::Product;
pub use refund::{AccountKind, NewRefund, Redirect, RefundKey};

use crate::wire::{Answer, Call, Outcome, Request, Stamp};

/// A payment provider, seen by the hub. Calls are built, signed and read apart, so that a call can
/// be stored before it is sent and repeated byte for byte.
pub trait PaymentProvider: Send + Sync {
    /// Which provider it is.
    fn provider(&self) -> Provider;
    /// Whom its statements must name.
    fn account(&self) -> &Account;
    /// How a payer may pay through this merchant.
    fn products(&self) -> &'static [Product];
    /// How long it wants between two refunds of one payment.
    fn refund_gap(&self) -> SignedDuration;
    /// How often a call like this one may be sent for this merchant.
    fn rate(&self, call: &Call) -> Rate;

    /// The call that places an order.
    ///
    /// # Errors
    /// When the provider's own limits would refuse it; nothing is sent then.
    fn place(&self, order: &NewOrder<'_>) -> Result<Call, LimitError>;
    /// The call that asks how an order stands.
    fn query_order(&self, order: &OrderKey<'_>) -> Call;
    /// The call that closes an order that is not paid; at the counter, one that takes it back.
    fn close_order(&self, out_trade_no: &OutTradeNo, product: Product) -> Call;
    /// The call that gives money back.
    ///
    /// # Errors
    /// When the provider's own limits would refuse it; nothing is sent then.
    fn refund(&self, refund: &NewRefund<'_>) -> Result<Call, LimitError>;
    /// The call that asks how a refund stands.
    fn query_refund(&self, refund: &RefundKey<'_>) -> Call;
    /// The call that sends an abnormal refund to another account.
    ///
    /// # Errors
    /// When the provider has no such call, or its limits would refuse it.
    fn redirect_refund(&self, redirect: &Redirect<'_>) -> Result<Call, LimitError>;
    /// The call that asks for a bill of a day; its answer names the file, or is the file.
    ///
    /// # Errors
    /// When the provider has no such bill.
    fn ask_bill(&self, bill: BillKind, day: Date) -> Result<Call, LimitError>;
    /// The call that fetches the file which `ticket` names.
    fn fetch_bill(&self, ticket: &BillTicket) -> Call;

    /// What the payer is given where nothing is sent: a page or an order that the payer's own
    /// browser or app carries to the provider. `None`: the call must be sent.
    ///
    /// # Errors
    /// When the stored call is not one of this provider's.
    fn offer(&self, call: &Call, stamp: &Stamp) -> Result<Option<Pay>, SignError>;
    /// Signs a call under a fresh stamp.
    ///
    /// # Errors
    /// When the stored call is not one of this provider's.
    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError>;

    /// Reads the answer to [`place`](Self::place); `stamp` is what the payer is given to sign.
    fn read_placed(&self, call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed>;
    /// Reads the answer to [`query_order`](Self::query_order).
    fn read_order(
        &self,
        order: &OrderKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<OrderStanding>;
    /// Reads the answer to [`close_order`](Self::close_order).
    fn read_closed(&self, call: &Call, answer: &Answer, now: Timestamp) -> Outcome<Closing>;
    /// Reads the answer to [`refund`](Self::refund) and to
    /// [`redirect_refund`](Self::redirect_refund): accepted is not yet arrived.
    fn read_refunded(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<RefundFact>;
    /// Reads the answer to [`query_refund`](Self::query_refund); `None`: the provider has no such
    /// refund, so the same number may be sent again.
    fn read_refund(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<Option<RefundFact>>;
    /// Reads the answer to [`ask_bill`](Self::ask_bill).
    fn read_bill_ticket(&self, answer: &Answer, now: Timestamp) -> Outcome<BillAnswer>;
    /// Reads the fetched file: its bytes as they came, once its hash or its form is proved good.
    /// An [`Outcome::Refused`] file is damaged and nothing may be booked from it.
    fn read_bill_file(&self, ticket: &BillTicket, answer: &Answer) -> Outcome<Vec<u8>>;

    /// Opens a callback: proves that it is the provider's, fresh and whole, and decrypts it.
    ///
    /// # Errors
    /// When it is not proved to be the provider's. What is proved and yet cannot be read is opened
    /// with [`OpenedNotice::unreadable`] and no facts.
    fn open_notice(&self, notice: &Notice<'_>) -> Result<OpenedNotice, NoticeError>;
    /// Reads a stored plaintext again, when a kept callback is replayed.
    ///
    /// # Errors
    /// When the plaintext is not one of this provider's, or still says nothing that can be read.
    fn reread_notice(&self, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError>;
    /// The exact words with which this provider is answered to a callback with that body.
    fn acknowledge(&self, body: &[u8], acknowledgement: Acknowledgement) -> Reply;

    /// The keys of the provider that change while the hub runs, where there are such.
    fn renewed_keys(&self) -> Option<&dyn RenewedKeys>;
    /// One payment to several payees, where the provider has that.
    fn combined(&self) -> Option<&dyn CombinedPayments>;
}

/// The identities that a statement must name to be about this merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `mchid` or `seller_id`.
    pub payee: String,
    /// `appid` or `app_id`.
    pub app: String,
}

/// How often calls of one sort may be sent for one merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The sort: calls of the same sort share the limit.
    pub sort: &'static str,
    /// At most so many in a second.
    pub per_second: u32,
}

/// A limit of the provider that a request would break: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct LimitError {
    /// Which field, in the API's words.
    pub field: &'static str,
    /// Which rule.
    pub rule: String,
}

/// A stored call that cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored call cannot be signed: {0}")]
pub struct SignError(pub String);
