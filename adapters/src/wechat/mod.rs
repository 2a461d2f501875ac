//! WeChat Pay (微信支付) APIv3, for a merchant or a service provider: what is sent, what is read, what
//! is called back.
//!
//! WeChat signs bytes, so paths and bodies leave this folder exactly as they were signed, and
//! nothing is parsed before its signature is verified over the bytes as they came.

mod answer;
pub(crate) mod bill;
mod certificates;
mod combined;
mod download;
mod notice;
mod order;
mod parties;
mod pay;
mod place;
mod rates;
mod refund;
mod ring;
mod seal;
mod sign;
mod statement;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::OutTradeNo;
use domain::personal::Secret;
use domain::provider::Provider;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use parties::Parties;
use ring::Ring;

use crate::keys::{SigningKey, VerifyingKey};
use crate::provider::{
    Account, Acknowledgement, BillAnswer, BillKind, BillTicket, Closing, CombinedPayments,
    LimitError, NewOrder, NewRefund, Notice, NoticeError, NoticeFault, OpenedNotice, OrderKey, Pay,
    PaymentProvider, Placed, Product, Rate, Redirect, RefundKey, RenewedKeys, Reply, SignError,
};
use crate::settings::{self, SettingError};
use crate::wechat_v2;
use crate::wire::{Answer, Call, Outcome, Request, Stamp};

/// What a WeChat Pay merchant is made of; each field is the key of `payhub.toml`.
#[derive(Debug)]
pub struct WechatConfig {
    /// The merchant's number (商户号).
    pub mchid: String,
    /// The application that is bound to it.
    pub appid: String,
    /// In service-provider mode (服务商模式), on whose behalf; `mchid` and `appid` are then the
    /// service provider's.
    pub sub_merchant: Option<SubMerchant>,
    /// Serial of the merchant's API certificate, hexadecimal.
    pub merchant_serial_no: String,
    /// The key of that certificate.
    pub merchant_private_key: SigningKey,
    /// The 32 characters with which WeChat seals its notices.
    pub apiv3_key: Secret,
    /// The key with which v2 notices are sealed (APIv2 密钥), where the merchant has one: refunds
    /// made in the merchant platform are told in v2.
    pub api_key: Option<Secret>,
    /// WeChat Pay's public key (微信支付公钥); absent: platform certificates are fetched.
    pub public_key: Option<PublicKey>,
    /// `https://api.mch.weixin.qq.com`, or the sandbox's address.
    pub base_url: String,
    /// Where to turn when the first address cannot be reached.
    pub second_base_url: Option<String>,
}

/// The merchant for whom a service provider acts (特约商户).
#[derive(Clone, Debug)]
pub struct SubMerchant {
    /// Its number.
    pub mchid: String,
    /// Its own application, where it has one: payers are then named by it.
    pub appid: Option<String>,
}

/// A public key of WeChat Pay with its name.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// `PUB_KEY_ID_…`.
    pub id: String,
    /// The key.
    pub key: VerifyingKey,
}

/// WeChat Pay for one merchant.
pub struct Wechat {
    parties: Parties,
    serial_no: String,
    private_key: SigningKey,
    apiv3_key: Secret,
    api_key: Option<Secret>,
    /// Every key with which WeChat may sign.
    ring: Ring,
    base: sign::Base,
}

impl Wechat {
    /// Builds the adapter.
    ///
    /// # Errors
    /// The first setting that cannot be right, by its key in `payhub.toml`.
    pub fn new(config: WechatConfig) -> Result<Self, SettingError> {
        settings::token("mchid", &config.mchid)?;
        settings::token("appid", &config.appid)?;
        if let Some(sub) = &config.sub_merchant {
            settings::token("sub_mchid", &sub.mchid)?;
            sub.appid.as_ref().map_or(Ok(()), |appid| settings::token("sub_appid", appid))?;
            if sub.mchid == config.mchid {
                let mend = "must be another merchant than the service provider (mchid)";
                return Err(SettingError::new("sub_mchid", mend));
            }
        }
        settings::token("merchant_serial_no", &config.merchant_serial_no)?;
        if let Some(public_key) = &config.public_key {
            settings::token("wechatpay_public_key_id", &public_key.id)?;
        }
        if config.apiv3_key.expose().len() != 32 {
            return Err(SettingError::new("apiv3_key", "must have exactly 32 characters"));
        }
        if config.api_key.as_ref().is_some_and(|key| key.expose().len() != 32) {
            return Err(SettingError::new("api_key", "must have exactly 32 characters"));
        }
        let first = settings::endpoint("base_url", &config.base_url)?;
        let second = config.second_base_url.as_deref();
        let second = second.map(|url| settings::endpoint("second_base_url", url)).transpose()?;
        Ok(Self {
            parties: Parties::new(config.mchid, config.appid, config.sub_merchant),
            serial_no: config.merchant_serial_no,
            private_key: config.merchant_private_key,
            apiv3_key: config.apiv3_key,
            api_key: config.api_key,
            ring: Ring::new(config.public_key),
            base: sign::Base::new(&first, second.as_ref())?,
        })
    }
}

impl Wechat {
    /// A refund that was made in the merchant platform is told in v2, sealed and not signed.
    fn open_v2_refund(&self, body: &[u8]) -> Result<OpenedNotice, NoticeError> {
        let Some(api_key) = &self.api_key else {
            let why = "a v2 notice (XML) came, and the merchant has no api_key to open it with";
            return Err(NoticeError::new(NoticeFault::UnknownKey, why));
        };
        wechat_v2::refund_notice(api_key, body)
    }
}

impl fmt::Debug for Wechat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wechat({})", self.parties.account.payee)
    }
}

impl PaymentProvider for Wechat {
    fn provider(&self) -> Provider {
        Provider::Wechat
    }

    fn account(&self) -> &Account {
        &self.parties.account
    }

    fn products(&self) -> &'static [Product] {
        &[Product::Native, Product::Jsapi, Product::H5, Product::App]
    }

    fn refund_gap(&self) -> SignedDuration {
        SignedDuration::from_mins(1)
    }

    fn rate(&self, call: &Call) -> Rate {
        rates::of(call)
    }

    fn place(&self, order: &NewOrder<'_>) -> Result<Call, LimitError> {
        place::place(&self.parties, &self.ring, order)
    }

    fn query_order(&self, key: &OrderKey<'_>) -> Call {
        order::query(&self.parties, key)
    }

    fn close_order(&self, out_trade_no: &OutTradeNo, _product: Product) -> Call {
        order::close(&self.parties, out_trade_no)
    }

    fn refund(&self, refund: &NewRefund<'_>) -> Result<Call, LimitError> {
        refund::refund(&self.parties, refund)
    }

    fn query_refund(&self, refund: &RefundKey<'_>) -> Call {
        refund::query(&self.parties, refund)
    }

    fn redirect_refund(&self, redirect: &Redirect<'_>) -> Result<Call, LimitError> {
        refund::redirect(&self.parties, &self.ring, redirect)
    }

    fn ask_bill(&self, bill: BillKind, day: Date) -> Result<Call, LimitError> {
        download::ask(&self.parties, bill, day)
    }

    fn fetch_bill(&self, ticket: &BillTicket) -> Call {
        download::fetch(ticket)
    }

    fn offer(&self, _call: &Call, _stamp: &Stamp) -> Result<Option<Pay>, SignError> {
        Ok(None)
    }

    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError> {
        self.sign_call(call, stamp)
    }

    fn read_placed(&self, call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed> {
        let app = self.parties.sub_appid().unwrap_or(&self.parties.appid);
        match answer::placed(self.said(answer, stamp.now)) {
            Ok(body) => self.offered(app, call, body, stamp),
            Err(other) => other,
        }
    }

    fn read_order(
        &self,
        key: &OrderKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<OrderStanding> {
        answer::order(&self.parties, key, self.said(answer, now))
    }

    fn read_closed(&self, _call: &Call, answer: &Answer, now: Timestamp) -> Outcome<Closing> {
        answer::closed(self.said(answer, now))
    }

    fn read_refunded(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<RefundFact> {
        answer::refunded(&self.parties, refund, self.said(answer, now))
    }

    fn read_refund(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<Option<RefundFact>> {
        answer::refund(&self.parties, refund, self.said(answer, now))
    }

    fn read_bill_ticket(&self, answer: &Answer, now: Timestamp) -> Outcome<BillAnswer> {
        download::ticket(self.said(answer, now))
    }

    fn read_bill_file(&self, ticket: &BillTicket, answer: &Answer) -> Outcome<Vec<u8>> {
        download::file(ticket, answer)
    }

    fn open_notice(&self, notice: &Notice<'_>) -> Result<OpenedNotice, NoticeError> {
        if notice::is_v2(notice.body) {
            return self.open_v2_refund(notice.body);
        }
        self.verify(notice.headers, notice.body, notice.received_at)?;
        Ok(notice::open(&self.parties, &self.apiv3_key, notice.body))
    }

    fn reread_notice(&self, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
        if notice::is_v2(plaintext) {
            return wechat_v2::reread_refund_notice(plaintext);
        }
        notice::reread(&self.parties, &self.apiv3_key, plaintext)
    }

    fn acknowledge(&self, body: &[u8], acknowledgement: Acknowledgement) -> Reply {
        if notice::is_v2(body) {
            return wechat_v2::acknowledge(acknowledgement);
        }
        notice::acknowledge(acknowledgement)
    }

    fn renewed_keys(&self) -> Option<&dyn RenewedKeys> {
        Some(self)
    }

    fn combined(&self) -> Option<&dyn CombinedPayments> {
        Some(self)
    }
}
