//! The one trait that a payment provider's adapter implements.

mod notice;

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderTradeNo};
use domain::money::Fen;
use domain::personal::Personal;
use domain::provider::Provider;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(crate) use notice::own_word;
pub use notice::{Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice, Reply};

use crate::wire::{Answer, Call, Outcome, Request, Stamp};

/// A payment provider, seen by the hub. Calls are built, signed and read apart, so that a call can
/// be stored before it is sent and repeated byte for byte.
pub trait PaymentProvider: Send + Sync {
    /// Which provider it is.
    fn provider(&self) -> Provider;
    /// Whom its statements must name.
    fn account(&self) -> &Account;

    /// The call that places an order.
    ///
    /// # Errors
    /// When the provider's own limits would refuse it; nothing is sent then.
    fn place(&self, order: &NewOrder<'_>) -> Result<Call, LimitError>;
    /// The call that asks how an order stands.
    fn query_order(&self, out_trade_no: &OutTradeNo) -> Call;
    /// The call that closes an order that is not paid.
    fn close_order(&self, out_trade_no: &OutTradeNo) -> Call;
    /// The call that gives money back.
    ///
    /// # Errors
    /// When the provider's own limits would refuse it; nothing is sent then.
    fn refund(&self, refund: &NewRefund<'_>) -> Result<Call, LimitError>;
    /// The call that asks how a refund stands.
    fn query_refund(&self, refund: &RefundKey<'_>) -> Call;
    /// The call that asks for the trade bill of a day; its answer names the file.
    fn ask_bill(&self, day: Date) -> Call;
    /// The call that fetches the file which `ticket` names.
    fn fetch_bill(&self, ticket: &BillTicket) -> Call;

    /// Signs a call under a fresh stamp.
    ///
    /// # Errors
    /// When the stored call is not one of this provider's.
    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError>;

    /// Reads the answer to [`place`](Self::place); `now` stamps what the payer is given to sign.
    fn read_placed(&self, answer: &Answer, stamp: &Stamp) -> Outcome<Pay>;
    /// Reads the answer to [`query_order`](Self::query_order).
    fn read_order(
        &self,
        out_trade_no: &OutTradeNo,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<OrderStanding>;
    /// Reads the answer to [`close_order`](Self::close_order).
    fn read_closed(&self, answer: &Answer, now: Timestamp) -> Outcome<Closing>;
    /// Reads the answer to [`refund`](Self::refund): accepted is not yet arrived.
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
    /// The exact words with which this provider is answered.
    fn acknowledge(&self, acknowledgement: Acknowledgement) -> Reply;
}

/// The identities that a statement must name to be about this merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `mchid` or `seller_id`.
    pub payee: String,
    /// `appid` or `app_id`.
    pub app: String,
}

/// How the payer pays (支付产品), in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// WeChat: a code that the payer scans.
    Native,
    /// WeChat: inside an official account or mini program.
    Jsapi,
    /// WeChat: from a phone's browser.
    H5,
    /// Either: inside the office's own app.
    App,
    /// WeChat: the counter scans the payer.
    Codepay,
    /// Alipay: a code that the payer scans.
    Precreate,
    /// Alipay: a web page.
    Page,
    /// Alipay: a phone's browser.
    Wap,
    /// Alipay: a mini program.
    Create,
    /// Alipay: the counter scans the payer.
    Pay,
}

impl Product {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Jsapi => "jsapi",
            Self::H5 => "h5",
            Self::App => "app",
            Self::Codepay => "codepay",
            Self::Precreate => "precreate",
            Self::Page => "page",
            Self::Wap => "wap",
            Self::Create => "create",
            Self::Pay => "pay",
        }
    }
}

/// An order to be placed.
#[derive(Clone, Debug)]
pub struct NewOrder<'a> {
    /// How it is paid.
    pub product: Product,
    /// Its number for ever.
    pub out_trade_no: &'a OutTradeNo,
    /// What is to be paid.
    pub amount: Fen,
    /// What the payer reads.
    pub subject: &'a str,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// Where the provider calls back.
    pub notify_url: &'a str,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<&'a str>,
    /// `openid` or `buyer_id`.
    pub payer: Option<&'a Personal>,
    /// The payer's address, for browsers on phones.
    pub client_ip: Option<&'a str>,
}

/// A refund to be asked for.
#[derive(Clone, Debug)]
pub struct NewRefund<'a> {
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
    /// The provider's number of the payment that is given back.
    pub provider_trade_no: &'a ProviderTradeNo,
    /// The refund's number for ever.
    pub out_refund_no: &'a OutRefundNo,
    /// What is given back.
    pub amount: Fen,
    /// What the payment was.
    pub total: Fen,
    /// Why, as the payer reads it.
    pub reason: &'a str,
    /// Where the provider calls back.
    pub notify_url: &'a str,
}

/// What names a refund at its provider.
#[derive(Clone, Copy, Debug)]
pub struct RefundKey<'a> {
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
    /// The refund's number.
    pub out_refund_no: &'a OutRefundNo,
    /// What was asked back.
    pub amount: Fen,
}

/// What the payer needs in order to pay: the contract's `pay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pay {
    /// A text to show as a QR code.
    QrCode {
        /// The code's text, opaque.
        code_url: String,
    },
    /// An address to go to.
    Redirect {
        /// The address.
        url: String,
    },
    /// A form that submits itself.
    Form {
        /// The page.
        html: String,
    },
    /// Signed parameters for the wallet's script.
    Jsapi {
        /// The parameters, as the script takes them.
        params: serde_json::Value,
    },
    /// A signed order for the wallet's app kit.
    App {
        /// The parameters, as the kit takes them.
        params: serde_json::Value,
    },
    /// Nothing.
    None,
}

/// How a close ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It is closed there and cannot be paid.
    Closed,
    /// It is paid there: query it.
    Paid,
    /// It is not a trade there (Alipay, nobody scanned): its code stays payable until it expires.
    NotThere,
}

/// Where a bill file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillTicket {
    /// The address as given, already encoded.
    pub url: String,
    /// The hash that the provider gives for the unpacked file, lower-case hexadecimal SHA-1.
    pub sha1: Option<String>,
}

/// What a provider says when it is asked for a day's bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillAnswer {
    /// The file is there.
    Ready(BillTicket),
    /// Nothing happened on that day: an empty day is a result.
    EmptyDay,
    /// It is still being made: ask again later.
    NotYet,
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
