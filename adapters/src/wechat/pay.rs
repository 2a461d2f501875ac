//! What a payer needs in order to pay, from the answer to placing an order: a code, an address, or
//! parameters that the wallet's script or kit takes because they are signed with the merchant's key.

use serde::Deserialize;
use serde_json::json;

use super::{Wechat, place};
use crate::keys::KeyError;
use crate::provider::{Pay, Placed};
use crate::wire::{Call, Outcome, Stamp};
use crate::{json, percent};

/// Where calls that place something begin, so that what follows is the product.
const ROOTS: [&str; 3] =
    ["/v3/pay/transactions/", "/v3/pay/partner/transactions/", super::combined::ROOT];

/// What WeChat gives; one of them, by the product.
#[derive(Deserialize)]
struct Given {
    code_url: Option<String>,
    prepay_id: Option<String>,
    h5_url: Option<String>,
}

/// The text that is signed for the wallet's script.
pub(super) fn jsapi_message(app: &str, timestamp: i64, nonce: &str, prepay_id: &str) -> String {
    format!("{app}\n{timestamp}\n{nonce}\nprepay_id={prepay_id}\n")
}

/// The text that is signed for the wallet's app kit.
pub(super) fn app_message(app: &str, timestamp: i64, nonce: &str, prepay_id: &str) -> String {
    format!("{app}\n{timestamp}\n{nonce}\n{prepay_id}\n")
}

impl Wechat {
    /// Reads the proved answer to `call`; `app` is the application under which the payer pays.
    pub(super) fn offered(
        &self,
        app: &str,
        call: &Call,
        body: &[u8],
        stamp: &Stamp,
    ) -> Outcome<Placed> {
        let given: Given = match serde_json::from_slice(body) {
            Ok(given) => given,
            Err(source) => {
                return Outcome::Unknown(format!("the answer {}", json::fault(&source)));
            }
        };
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (code, address, id) = (some(given.code_url), some(given.h5_url), some(given.prepay_id));
        let product = ROOTS.iter().find_map(|root| call.target.strip_prefix(root));
        let pay = match product {
            Some("native") => code.map(|code_url| Ok(Pay::QrCode { code_url })),
            Some("h5") => address.map(|url| Ok(Pay::Redirect { url: with_return(url, call) })),
            Some("jsapi") => id.map(|id| self.script(app, &id, stamp)),
            Some("app") => id.map(|id| self.kit(app, &id, stamp)),
            _ => return Outcome::Unknown("the stored call places nothing".to_owned()),
        };
        match pay {
            Some(Ok(pay)) => Outcome::Accepted(Placed::Offered(pay)),
            Some(Err(why)) => Outcome::Unknown(why.to_string()),
            None => Outcome::Unknown("the answer gives nothing to pay with".to_owned()),
        }
    }

    /// Parameters for the wallet's script (official account, mini program).
    fn script(&self, app: &str, prepay_id: &str, stamp: &Stamp) -> Result<Pay, KeyError> {
        let (seconds, nonce) = (stamp.now.as_second(), &stamp.nonce);
        let message = jsapi_message(app, seconds, nonce, prepay_id);
        let params = json!({
            "appId": app,
            "timeStamp": seconds.to_string(),
            "nonceStr": nonce,
            "package": format!("prepay_id={prepay_id}"),
            "signType": "RSA",
            "paySign": self.private_key.sign(message.as_bytes())?,
        });
        Ok(Pay::Jsapi { params })
    }

    /// Parameters for the wallet's app kit.
    fn kit(&self, app: &str, prepay_id: &str, stamp: &Stamp) -> Result<Pay, KeyError> {
        let (seconds, nonce) = (stamp.now.as_second(), &stamp.nonce);
        let message = app_message(app, seconds, nonce, prepay_id);
        let params = json!({
            "appId": app,
            "partnerId": self.parties.mchid,
            "prepayId": prepay_id,
            "packageValue": "Sign=WXPay",
            "nonceStr": nonce,
            "timeStamp": seconds.to_string(),
            "sign": self.private_key.sign(message.as_bytes())?,
        });
        Ok(Pay::App { params })
    }
}

/// The address as given, and behind it where the browser goes afterwards: nothing else may be
/// added.
fn with_return(url: String, call: &Call) -> String {
    match call.parameters.iter().find(|(name, _)| name == place::RETURN_URL) {
        Some((name, back)) => format!("{url}&{name}={}", percent::encode(back)),
        None => url,
    }
}
