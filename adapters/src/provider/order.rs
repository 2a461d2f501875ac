//! An order on its way to a provider: placed, named, closed, and what the payer needs.

use std::fmt;

use domain::fact::PaymentFact;
use domain::ids::{OutTradeNo, ProviderTradeNo};
use domain::money::Fen;
use domain::personal::Personal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Product;

/// An order to be placed.
#[derive(Clone)]
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

impl fmt::Debug for NewOrder<'_> {
    /// Neither who pays and from where, nor what encryption draws from, nor what is paid for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewOrder")
            .field("product", &self.product)
            .field("out_trade_no", &self.out_trade_no)
            .field("amount", &self.amount)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
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
