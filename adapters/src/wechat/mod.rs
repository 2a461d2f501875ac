//! WeChat Pay (微信支付) APIv3, in public-key mode: what is sent, what is read, what is called back.
//!
//! WeChat signs bytes, so paths and bodies leave this folder exactly as they were signed, and
//! nothing is parsed before its signature is verified over the bytes as they came.

mod answer;
pub(crate) mod bill;
mod download;
mod notice;
mod order;
mod sign;
mod statement;
#[cfg(test)]
mod tests;
mod verify;

use std::collections::BTreeMap;
use std::fmt;

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::OutTradeNo;
use domain::personal::Secret;
use domain::provider::Provider;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::keys::{SigningKey, VerifyingKey};
use crate::provider::{
    Account, Acknowledgement, BillAnswer, BillKind, BillTicket, Closing, CombinedPayments,
    LimitError, NewOrder, NewRefund, Notice, NoticeError, OpenedNotice, OrderKey, Pay,
    PaymentProvider, Placed, Product, Rate, Redirect, RefundKey, RenewedKeys, Reply, SignError,
};
use crate::settings::{self, SettingError};
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
    account: Account,
    serial_no: String,
    private_key: SigningKey,
    apiv3_key: Secret,
    /// Named in every request, so that WeChat answers with this key.
    answer_key_id: String,
    /// Every key with which WeChat may sign, by serial or key id.
    platform_keys: BTreeMap<String, VerifyingKey>,
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
        settings::token("merchant_serial_no", &config.merchant_serial_no)?;
        let Some(public_key) = config.public_key else {
            return Err(SettingError::new("wechatpay_public_key", "must be given"));
        };
        settings::token("wechatpay_public_key_id", &public_key.id)?;
        if config.apiv3_key.expose().len() != 32 {
            return Err(SettingError::new("apiv3_key", "must have exactly 32 characters"));
        }
        let base = sign::Base::new(&settings::endpoint("base_url", &config.base_url)?);
        Ok(Self {
            account: Account { payee: config.mchid, app: config.appid },
            serial_no: config.merchant_serial_no,
            private_key: config.merchant_private_key,
            apiv3_key: config.apiv3_key,
            platform_keys: BTreeMap::from([(public_key.id.clone(), public_key.key)]),
            answer_key_id: public_key.id,
            base,
        })
    }
}

impl fmt::Debug for Wechat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wechat({})", self.account.payee)
    }
}

impl PaymentProvider for Wechat {
    fn provider(&self) -> Provider {
        Provider::Wechat
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn products(&self) -> &'static [Product] {
        &[Product::Native]
    }

    fn refund_gap(&self) -> SignedDuration {
        SignedDuration::from_mins(1)
    }

    fn rate(&self, _call: &Call) -> Rate {
        Rate { sort: "call", per_second: 300 }
    }

    fn place(&self, order: &NewOrder<'_>) -> Result<Call, LimitError> {
        order::place(&self.account, order)
    }

    fn query_order(&self, key: &OrderKey<'_>) -> Call {
        order::query(&self.account, key.out_trade_no)
    }

    fn close_order(&self, out_trade_no: &OutTradeNo, _product: Product) -> Call {
        order::close(&self.account, out_trade_no)
    }

    fn refund(&self, refund: &NewRefund<'_>) -> Result<Call, LimitError> {
        order::refund(refund)
    }

    fn query_refund(&self, refund: &RefundKey<'_>) -> Call {
        order::query_refund(refund)
    }

    fn redirect_refund(&self, _redirect: &Redirect<'_>) -> Result<Call, LimitError> {
        Err(LimitError { field: "refund", rule: "cannot be redirected".to_owned() })
    }

    fn ask_bill(&self, _bill: BillKind, day: Date) -> Result<Call, LimitError> {
        Ok(download::ask(day))
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

    fn read_placed(&self, _call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed> {
        answer::placed(self.said(answer, stamp.now))
    }

    fn read_order(
        &self,
        key: &OrderKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<OrderStanding> {
        answer::order(key.out_trade_no, self.said(answer, now))
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
        answer::refunded(refund, self.said(answer, now))
    }

    fn read_refund(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<Option<RefundFact>> {
        answer::refund(refund, self.said(answer, now))
    }

    fn read_bill_ticket(&self, answer: &Answer, now: Timestamp) -> Outcome<BillAnswer> {
        download::ticket(self.said(answer, now))
    }

    fn read_bill_file(&self, ticket: &BillTicket, answer: &Answer) -> Outcome<Vec<u8>> {
        download::file(ticket, answer)
    }

    fn open_notice(&self, notice: &Notice<'_>) -> Result<OpenedNotice, NoticeError> {
        self.verify(notice.headers, notice.body, notice.received_at)?;
        Ok(notice::open(&self.apiv3_key, notice.body))
    }

    fn reread_notice(&self, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
        notice::reread(&self.apiv3_key, plaintext)
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
