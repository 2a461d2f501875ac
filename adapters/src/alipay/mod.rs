//! Alipay (支付宝) OpenAPI through its gateway, in key mode or certificate mode: what is sent, what
//! the payer carries there, what is read, what is called back.
//!
//! An answer is proved over the exact characters of its node, a notice over its parameters
//! decoded once; nothing is believed before.

mod answer;
pub(crate) mod bill;
mod certificate;
mod content;
mod download;
mod form;
mod gateway;
mod identity;
mod notice;
mod offer;
mod order;
mod rates;
mod refund;
mod renewal;
mod ring;
mod sign;
mod statement;
mod sub_code;
#[cfg(test)]
mod tests;

use std::fmt;

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::OutTradeNo;
use domain::personal::Secret;
use domain::provider::Provider;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::keys::{SigningKey, VerifyingKey};
use crate::provider::{
    Account, Acknowledgement, BillAnswer, BillKind, BillTicket, Closing, CombinedPayments,
    LimitError, NewOrder, NewRefund, Notice, NoticeError, OpenedNotice, OrderKey, Pay,
    PaymentProvider, Placed, Product, Rate, Redirect, RefundKey, RenewedKeys, Reply, SignError,
};
use crate::settings::{self, SettingError};
use crate::wire::{Answer, Call, Outcome, Request, Stamp};
use content::ContentKey;
use ring::{Ring, Trust};

/// What an Alipay merchant is made of; each field is the key of `payhub.toml`.
#[derive(Debug)]
pub struct AlipayConfig {
    /// The application's number.
    pub app_id: String,
    /// The merchant's number (PID).
    pub seller_id: String,
    /// The application's key.
    pub app_private_key: SigningKey,
    /// How Alipay's signatures are proved.
    pub proof: Proof,
    /// The key under which contents are sealed (接口内容加密, AES), base64; absent: they are not.
    pub encrypt_key: Option<Secret>,
    /// In ISV mode (第三方应用), what lets the application act for the seller.
    pub app_auth_token: Option<Secret>,
    /// `https://openapi.alipay.com/gateway.do`, or the sandbox's.
    pub gateway_url: String,
}

/// How Alipay's signatures are proved.
#[derive(Debug)]
pub enum Proof {
    /// Key mode: Alipay's key for this application (支付宝公钥), not the application's own public half.
    Key(VerifyingKey),
    /// Certificate mode (公钥证书); each the PEM text of its file.
    Certificates {
        /// The application's certificate (应用公钥证书).
        app: String,
        /// Alipay's certificate (支付宝公钥证书).
        alipay: String,
        /// The bundle of Alipay's roots (支付宝根证书).
        root: String,
    },
}

/// Alipay for one merchant.
pub struct Alipay {
    account: Account,
    app_private_key: SigningKey,
    trust: Trust,
    content: Option<ContentKey>,
    app_auth_token: Option<Secret>,
    gateway: Url,
}

impl Alipay {
    /// Builds the adapter.
    ///
    /// # Errors
    /// The first setting that cannot be right, by its key in `payhub.toml`.
    pub fn new(config: AlipayConfig) -> Result<Self, SettingError> {
        settings::token("app_id", &config.app_id)?;
        settings::token("seller_id", &config.seller_id)?;
        let content = match &config.encrypt_key {
            Some(key) => Some(ContentKey::read(key.expose()).ok_or_else(|| {
                let mend = "must be the base64 of 16 bytes (接口内容加密方式, AES)";
                SettingError::new("encrypt_key", mend)
            })?),
            None => None,
        };
        if let Some(token) = &config.app_auth_token {
            settings::token("app_auth_token", token.expose())?;
        }
        let trust =
            match config.proof {
                Proof::Key(key) => Trust::Key(key),
                Proof::Certificates { app, alipay, root } => Trust::Certificates(Box::new(
                    Ring::read(&app, &alipay, &root, &config.app_private_key)?,
                )),
            };
        Ok(Self {
            account: Account { payee: config.seller_id, app: config.app_id },
            app_private_key: config.app_private_key,
            trust,
            content,
            app_auth_token: config.app_auth_token,
            gateway: settings::endpoint("gateway_url", &config.gateway_url)?,
        })
    }
}

impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alipay({})", self.account.app)
    }
}

impl PaymentProvider for Alipay {
    fn provider(&self) -> Provider {
        Provider::Alipay
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn products(&self) -> &'static [Product] {
        &[
            Product::Precreate,
            Product::Page,
            Product::Wap,
            Product::App,
            Product::Create,
            Product::Pay,
        ]
    }

    fn refund_gap(&self) -> SignedDuration {
        SignedDuration::from_secs(3)
    }

    fn rate(&self, call: &Call) -> Rate {
        rates::of(call)
    }

    fn place(&self, order: &NewOrder<'_>) -> Result<Call, LimitError> {
        order::place(&self.account, self.app_auth_token.is_some(), order)
    }

    fn query_order(&self, key: &OrderKey<'_>) -> Call {
        order::query(key)
    }

    fn close_order(&self, out_trade_no: &OutTradeNo, product: Product) -> Call {
        order::close(out_trade_no, product)
    }

    fn refund(&self, refund: &NewRefund<'_>) -> Result<Call, LimitError> {
        refund::refund(refund)
    }

    fn query_refund(&self, refund: &RefundKey<'_>) -> Call {
        refund::query_refund(refund)
    }

    fn redirect_refund(&self, _redirect: &Redirect<'_>) -> Result<Call, LimitError> {
        let rule = "Alipay knows no abnormal refund, and cannot send one elsewhere".to_owned();
        Err(LimitError { field: "refund", rule })
    }

    fn ask_bill(&self, bill: BillKind, day: Date) -> Result<Call, LimitError> {
        download::ask(bill, day)
    }

    fn fetch_bill(&self, ticket: &BillTicket) -> Call {
        download::fetch(ticket)
    }

    fn offer(&self, call: &Call, stamp: &Stamp) -> Result<Option<Pay>, SignError> {
        self.offered(call, stamp.now)
    }

    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError> {
        if sign::is_method(&call.target) {
            self.sign_call(call, stamp.now)
        } else {
            download::request(&self.gateway, call)
        }
    }

    fn read_placed(&self, call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed> {
        answer::placed(call, self.said(&call.target, answer, stamp.now))
    }

    fn read_order(
        &self,
        key: &OrderKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<OrderStanding> {
        answer::order(key, self.said(order::QUERY, answer, now))
    }

    fn read_closed(&self, call: &Call, answer: &Answer, now: Timestamp) -> Outcome<Closing> {
        let said = self.said(&call.target, answer, now);
        match call.target.as_str() {
            order::CANCEL => answer::cancelled(call, said),
            _ => answer::closed(call, said),
        }
    }

    fn read_refunded(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<RefundFact> {
        answer::refunded(refund, self.said(refund::REFUND, answer, now))
    }

    fn read_refund(
        &self,
        refund: &RefundKey<'_>,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<Option<RefundFact>> {
        answer::refund(refund, self.said(refund::REFUND_QUERY, answer, now))
    }

    fn read_bill_ticket(&self, answer: &Answer, now: Timestamp) -> Outcome<BillAnswer> {
        download::ticket(self.said(download::BILL_URL, answer, now))
    }

    fn read_bill_file(&self, _ticket: &BillTicket, answer: &Answer) -> Outcome<Vec<u8>> {
        download::file(answer)
    }

    fn open_notice(&self, notice: &Notice<'_>) -> Result<OpenedNotice, NoticeError> {
        notice::open(&self.trust, notice)
    }

    fn reread_notice(&self, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
        notice::reread(plaintext)
    }

    fn acknowledge(&self, _body: &[u8], acknowledgement: Acknowledgement) -> Reply {
        notice::acknowledge(acknowledgement)
    }

    fn renewed_keys(&self) -> Option<&dyn RenewedKeys> {
        match &self.trust {
            Trust::Key(_) => None,
            Trust::Certificates(_) => Some(self),
        }
    }

    fn combined(&self) -> Option<&dyn CombinedPayments> {
        None
    }
}
