//! WeChat Pay (微信支付) v2: XML, one shared key, and a merchant certificate for what gives money
//! back. Kept for the counter's code-pay, which APIv3 does not have, and for merchants that still
//! have no APIv3 key. Its trade numbers are those of APIv3.
//!
//! A signature proves fields, not bytes, so nothing in a text counts before the strict reader has
//! taken it and the merchant's own algorithm has verified it.

mod answer;
mod download;
mod notice;
mod order;
mod placed;
mod refund;
mod sign;
mod statement;
#[cfg(test)]
mod tests;
mod xml;

use std::fmt;

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::OutTradeNo;
use domain::personal::Secret;
use domain::provider::Provider;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::limits::broken;
use crate::provider::{
    Account, Acknowledgement, BillAnswer, BillKind, BillTicket, Closing, CombinedPayments,
    LimitError, NewOrder, NewRefund, Notice, NoticeError, OpenedNotice, OrderKey, Pay,
    PaymentProvider, Placed, Product, Rate, Redirect, RefundKey, RenewedKeys, Reply, SignError,
};
use crate::settings::{self, SettingError};
use crate::wechat::SubMerchant;
use crate::wire::{Answer, Call, Method, Outcome, Request, Stamp};
use sign::Seal;
use xml::Fields;

pub(crate) use notice::{acknowledge, refund_notice, reread_refund_notice};
pub use sign::SignType;

const PLACE: &str = "/pay/unifiedorder";
const MICROPAY: &str = "/pay/micropay";
const ORDER_QUERY: &str = "/pay/orderquery";
const CLOSE: &str = "/pay/closeorder";
const REVERSE: &str = "/secapi/pay/reverse";
const REFUND: &str = "/secapi/pay/refund";
const REFUND_QUERY: &str = "/pay/refundquery";
const TRADE_BILL: &str = "/pay/downloadbill";
/// Every call that is signed; a stored call with any other target is none of v2's.
const TARGETS: [&str; 9] = [
    PLACE,
    MICROPAY,
    ORDER_QUERY,
    CLOSE,
    REVERSE,
    REFUND,
    REFUND_QUERY,
    TRADE_BILL,
    download::FUND_FLOW,
];

/// What a v2 merchant is made of; each field is the key of `payhub.toml`.
#[derive(Debug)]
pub struct WechatV2Config {
    /// The merchant's number (商户号).
    pub mchid: String,
    /// The application that is bound to it.
    pub appid: String,
    /// In service-provider mode (服务商模式), on whose behalf; `mchid` and `appid` are then the
    /// service provider's.
    pub sub_merchant: Option<SubMerchant>,
    /// The 32 characters with which messages are signed and refund notices sealed (APIv2 密钥).
    pub api_key: Secret,
    /// With which algorithm; WeChat's answers and notices must use the same.
    pub sign_type: SignType,
    /// Whether the hub has the merchant's certificate to show (`client_identity`): refunds, the
    /// counter and fund flow bills need it.
    pub has_client_identity: bool,
    /// `https://api.mch.weixin.qq.com`, or the sandbox's address.
    pub base_url: String,
    /// Where to turn when the first address cannot be reached.
    pub second_base_url: Option<String>,
}

/// WeChat Pay v2 for one merchant.
pub struct WechatV2 {
    account: Account,
    parties: Parties,
    seal: Seal,
    has_client_identity: bool,
    /// Scheme, host, port and path, without a slash behind.
    base: String,
    second_base: Option<String>,
}

/// Who takes the money, and through whom.
struct Parties {
    mchid: String,
    appid: String,
    sub_merchant: Option<SubMerchant>,
}

impl Parties {
    /// The fields with which every call begins.
    fn fields(&self) -> Fields {
        let sub = self.sub_merchant.as_ref();
        Fields::from_iter([("mch_id", self.mchid.as_str()), ("appid", self.appid.as_str())])
            .with("sub_mch_id", sub.map(|sub| sub.mchid.as_str()))
            .with("sub_appid", self.sub_appid())
    }

    /// The application of the merchant that a service provider acts for, where it has its own.
    fn sub_appid(&self) -> Option<&str> {
        self.sub_merchant.as_ref().and_then(|sub| sub.appid.as_deref())
    }

    /// Who is paid.
    fn payee(&self) -> &str {
        self.sub_merchant.as_ref().map_or(&self.mchid, |sub| &sub.mchid)
    }
}

impl WechatV2 {
    /// Builds the adapter.
    ///
    /// # Errors
    /// The first setting that cannot be right, by its key in `payhub.toml`.
    pub fn new(config: WechatV2Config) -> Result<Self, SettingError> {
        settings::token("mchid", &config.mchid)?;
        settings::token("appid", &config.appid)?;
        if let Some(sub) = &config.sub_merchant {
            settings::token("sub_mchid", &sub.mchid)?;
            sub.appid.as_ref().map_or(Ok(()), |appid| settings::token("sub_appid", appid))?;
        }
        if config.api_key.expose().len() != 32 {
            return Err(SettingError::new("api_key", "must have exactly 32 characters"));
        }
        let second = config.second_base_url.as_deref();
        let second_base = second.map(|url| base("second_base_url", url)).transpose()?;
        let parties =
            Parties { mchid: config.mchid, appid: config.appid, sub_merchant: config.sub_merchant };
        Ok(Self {
            account: Account { payee: parties.payee().to_owned(), app: parties.appid.clone() },
            parties,
            seal: Seal { key: config.api_key, sign_type: config.sign_type },
            has_client_identity: config.has_client_identity,
            base: base("base_url", &config.base_url)?,
            second_base,
        })
    }
}

fn base(key: &'static str, text: &str) -> Result<String, SettingError> {
    let url = settings::endpoint(key, text)?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl fmt::Debug for WechatV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WechatV2({})", self.account.payee)
    }
}

impl PaymentProvider for WechatV2 {
    fn provider(&self) -> Provider {
        Provider::Wechat
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn products(&self) -> &'static [Product] {
        const PLAIN: [Product; 4] = [Product::Native, Product::Jsapi, Product::H5, Product::App];
        const ALL: [Product; 5] =
            [Product::Native, Product::Jsapi, Product::H5, Product::App, Product::Codepay];
        // Code-pay is taken back with the merchant's certificate, or not at all.
        if self.has_client_identity { &ALL } else { &PLAIN }
    }

    fn refund_gap(&self) -> SignedDuration {
        SignedDuration::from_mins(1)
    }

    /// Where WeChat names no figure, it is kept well below the others.
    fn rate(&self, call: &Call) -> Rate {
        let (sort, per_second) = match call.target.as_str() {
            PLACE => ("order", 500),
            MICROPAY => ("micropay", 33),
            REVERSE => ("reverse", 33),
            REFUND => ("refund", 150),
            REFUND_QUERY => ("refund_query", 300),
            TRADE_BILL | download::FUND_FLOW => ("bill", 3),
            CLOSE => ("close", 300),
            _ => ("order_query", 300),
        };
        Rate { sort, per_second }
    }

    fn place(&self, order: &NewOrder<'_>) -> Result<Call, LimitError> {
        order::place(&self.parties, self.has_client_identity, order)
    }

    fn query_order(&self, key: &OrderKey<'_>) -> Call {
        order::query(&self.parties, key)
    }

    fn close_order(&self, out_trade_no: &OutTradeNo, product: Product) -> Call {
        order::close(&self.parties, out_trade_no, product)
    }

    fn refund(&self, refund: &NewRefund<'_>) -> Result<Call, LimitError> {
        refund::refund(&self.parties, self.has_client_identity, refund)
    }

    fn query_refund(&self, refund: &RefundKey<'_>) -> Call {
        refund::query(&self.parties, refund)
    }

    fn redirect_refund(&self, _redirect: &Redirect<'_>) -> Result<Call, LimitError> {
        Err(broken("refund", "v2 has no call for it; use the merchant platform"))
    }

    fn ask_bill(&self, bill: BillKind, day: Date) -> Result<Call, LimitError> {
        download::ask(&self.parties, self.has_client_identity, bill, day)
    }

    /// v2 names no files: what a ticket of another adapter names is not signed here.
    fn fetch_bill(&self, ticket: &BillTicket) -> Call {
        Call {
            method: Method::Get,
            target: ticket.url.clone(),
            body: String::new(),
            parameters: Vec::new(),
        }
    }

    fn offer(&self, _call: &Call, _stamp: &Stamp) -> Result<Option<Pay>, SignError> {
        Ok(None)
    }

    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError> {
        self.sign_call(call, stamp)
    }

    fn read_placed(&self, call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed> {
        placed::placed(&self.parties, &self.seal, call, self.said(answer), stamp)
    }

    fn read_order(
        &self,
        key: &OrderKey<'_>,
        answer: &Answer,
        _now: Timestamp,
    ) -> Outcome<OrderStanding> {
        answer::order(&self.parties, key, self.said(answer))
    }

    fn read_closed(&self, call: &Call, answer: &Answer, _now: Timestamp) -> Outcome<Closing> {
        answer::closed(call, self.said(answer))
    }

    fn read_refunded(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        _now: Timestamp,
    ) -> Outcome<RefundFact> {
        refund::refunded(&self.parties, refund, self.said(answer))
    }

    fn read_refund(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        _now: Timestamp,
    ) -> Outcome<Option<RefundFact>> {
        refund::queried(&self.parties, refund, self.said(answer))
    }

    fn read_bill_ticket(&self, answer: &Answer, _now: Timestamp) -> Outcome<BillAnswer> {
        download::read(answer)
    }

    fn read_bill_file(&self, _ticket: &BillTicket, _answer: &Answer) -> Outcome<Vec<u8>> {
        Outcome::Unknown("a v2 bill comes when it is asked for".to_owned())
    }

    fn open_notice(&self, notice: &Notice<'_>) -> Result<OpenedNotice, NoticeError> {
        notice::open(&self.parties, &self.seal, notice.body)
    }

    fn reread_notice(&self, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
        notice::reread(&self.parties, plaintext)
    }

    fn acknowledge(&self, _body: &[u8], acknowledgement: Acknowledgement) -> Reply {
        notice::acknowledge(acknowledgement)
    }

    fn renewed_keys(&self) -> Option<&dyn RenewedKeys> {
        None
    }

    fn combined(&self) -> Option<&dyn CombinedPayments> {
        None
    }
}
