//! The one trait that a payment provider's adapter implements.

mod combined;
mod keys;
mod notice;
mod refund;

use domain::fact::{OrderStanding, PaymentFact, RefundFact};
use domain::ids::{OutTradeNo, ProviderTradeNo};
use domain::money::Fen;
use domain::personal::Personal;
use domain::provider::{Provider, UnknownWord};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use combined::{CombinedKey, CombinedPayments, NewCombined, NewPart, PartKey, PartStanding};
pub use keys::{Learned, RenewedKeys};
pub(crate) use notice::own_word;
pub use notice::{
    Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice, RefundHint, Reply,
};
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
    /// The call that asks for a bill of a day; its answer names the file.
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
    /// Every product.
    pub const ALL: [Self; 10] = [
        Self::Native,
        Self::Jsapi,
        Self::H5,
        Self::App,
        Self::Codepay,
        Self::Precreate,
        Self::Page,
        Self::Wap,
        Self::Create,
        Self::Pay,
    ];

    /// Whether the counter scans the payer: the order is paid, refused or taken back within a
    /// minute, and nothing calls back.
    #[must_use]
    pub const fn is_at_counter(self) -> bool {
        matches!(self, Self::Codepay | Self::Pay)
    }

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

impl std::str::FromStr for Product {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let word = || text.chars().take(64).collect();
        Self::ALL
            .into_iter()
            .find(|product| product.as_str() == text)
            .ok_or_else(|| UnknownWord { what: "product", word: word() })
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
    /// Who alone may pay it, where the office asks for that.
    pub identity: Option<&'a Identity>,
    /// The payer's barcode, at the counter.
    pub auth_code: Option<&'a Personal>,
    /// The payer's address, for browsers on phones.
    pub client_ip: Option<&'a str>,
    /// When it is made.
    pub now: Timestamp,
    /// 32 random bytes, from which encryption draws: given, never taken from the machine.
    pub chance: &'a [u8; 32],
}

/// A person by name and document (实名): only this person may pay.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The name as on the document.
    pub name: Personal,
    /// The document's number.
    pub id_no: Personal,
    /// Which document.
    #[serde(default)]
    pub document: Document,
}

/// A document that proves who somebody is (证件类型).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// 居民身份证.
    #[default]
    IdentityCard,
    /// 港澳居民来往内地通行证.
    HongKongMacaoPermit,
    /// 港澳居民居住证.
    HongKongMacaoResidence,
    /// 台湾居民居住证.
    TaiwanResidence,
    /// 外国人永久居留身份证.
    ForeignResidence,
    /// 护照.
    Passport,
}

/// What names an order at its provider.
#[derive(Clone, Copy, Debug)]
pub struct OrderKey<'a> {
    /// The hub's number.
    pub out_trade_no: &'a OutTradeNo,
    /// The provider's number, to be asked for instead where it is given.
    pub provider_trade_no: Option<&'a ProviderTradeNo>,
}

/// What an accepted order is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It waits for the payer, who needs this.
    Offered(Pay),
    /// It is paid already: the counter scanned the payer.
    Paid(PaymentFact),
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

/// Which bill of a day (账单).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillKind {
    /// Payments and refunds (交易账单).
    Trade,
    /// Payments alone.
    Payments,
    /// Refunds alone.
    Refunds,
    /// What moved on an account (资金账单).
    FundFlow(FundAccount),
}

/// An account of the merchant at its provider (资金账户).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FundAccount {
    /// Where payments arrive (基本账户).
    Basic,
    /// From which the merchant pays (运营账户).
    Operation,
    /// From which the provider takes its fees (手续费账户).
    Fees,
}

/// How often calls of one sort may be sent for one merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The sort: calls of the same sort share the limit.
    pub sort: &'static str,
    /// At most so many in a second.
    pub per_second: u32,
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
