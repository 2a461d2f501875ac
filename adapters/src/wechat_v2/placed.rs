//! Reads the answer to placing an order, and signs what the payer's script or app is given.

use serde_json::{Value, json};

use super::answer::{Said, decided};
use super::order::REDIRECT_URL;
use super::sign::Seal;
use super::statement;
use super::xml::{self, Fields};
use super::{MICROPAY, Parties};
use crate::percent;
use crate::provider::{Pay, Placed};
use crate::wire::{Call, Outcome, Reason, Refusal, Stamp};

/// The answer to placing an order.
pub(super) fn placed(
    parties: &Parties,
    seal: &Seal,
    call: &Call,
    said: Said,
    stamp: &Stamp,
) -> Outcome<Placed> {
    let asked = match xml::read("xml", call.body.as_bytes()) {
        Ok(asked) => asked,
        Err(why) => return Outcome::Unknown(format!("the stored call: {why}")),
    };
    let at_counter = call.target == MICROPAY;
    if at_counter && matches!(&said, Said::Failed { code, .. } if code == "USERPAYING") {
        return Outcome::Accepted(Placed::Offered(Pay::None));
    }
    let answered = match decided(said) {
        Ok(fields) => fields,
        Err(Outcome::Refused(refusal)) => return refused(refusal, at_counter),
        Err(other) => return other,
    };
    if at_counter {
        return paid(parties, &asked, &answered);
    }
    match offered(parties, seal, call, &asked, &answered, stamp) {
        Ok(pay) => Outcome::Accepted(Placed::Offered(pay)),
        Err(field) => Outcome::Unknown(format!("{field} is missing")),
    }
}

/// A refusal of an order. The number may stand for a payment already: only a query can say.
fn refused(refusal: Refusal, at_counter: bool) -> Outcome<Placed> {
    match refusal.reason {
        Reason::AlreadyPaid | Reason::NumberReused => {
            Outcome::Unknown(format!("placing was answered {}", refusal.code))
        }
        // At the counter it is the payer who has not enough.
        Reason::NotEnoughFunds if at_counter => {
            Outcome::Refused(Refusal { reason: Reason::NotAllowed, ..refusal })
        }
        Reason::InvalidRequest
        | Reason::Configuration
        | Reason::NotFound
        | Reason::AlreadyClosed
        | Reason::NotEnoughFunds
        | Reason::NotAllowed => Outcome::Refused(refusal),
    }
}

/// The counter's scan that was paid at once.
fn paid(parties: &Parties, asked: &Fields, answered: &Fields) -> Outcome<Placed> {
    if answered.get("out_trade_no") != asked.get("out_trade_no") {
        return Outcome::Unknown("the answer is about another order".to_owned());
    }
    match statement::payment(parties, answered) {
        Ok(fact) => Outcome::Accepted(Placed::Paid(fact)),
        Err(why) => Outcome::Unknown(why.to_string()),
    }
}

/// What the payer needs; or the field that is missing for it.
fn offered(
    parties: &Parties,
    seal: &Seal,
    call: &Call,
    asked: &Fields,
    answered: &Fields,
    stamp: &Stamp,
) -> Result<Pay, &'static str> {
    let given = |name: &'static str| answered.get(name).ok_or(name);
    match asked.get("trade_type") {
        Some("NATIVE") => Ok(Pay::QrCode { code_url: given("code_url")?.to_owned() }),
        Some("MWEB") => Ok(Pay::Redirect { url: page(given("mweb_url")?, call) }),
        Some("JSAPI") => {
            Ok(Pay::Jsapi { params: for_script(parties, seal, given("prepay_id")?, stamp) })
        }
        Some("APP") => Ok(Pay::App { params: for_app(parties, seal, given("prepay_id")?, stamp) }),
        Some(_) | None => Err("trade_type of the stored call"),
    }
}

/// The wallet's page, with the address to which it leads back.
fn page(mweb_url: &str, call: &Call) -> String {
    match call.parameters.iter().find(|(name, _)| name == REDIRECT_URL) {
        Some((_, back)) => format!("{mweb_url}&{REDIRECT_URL}={}", percent::encode(back)),
        None => mweb_url.to_owned(),
    }
}

/// What an official account's or mini program's script takes.
fn for_script(parties: &Parties, seal: &Seal, prepay_id: &str, stamp: &Stamp) -> Value {
    let package = format!("prepay_id={prepay_id}");
    let time = stamp.now.as_second().to_string();
    let app = parties.sub_appid().unwrap_or(&parties.appid);
    let sign_type = seal.sign_type.as_str();
    let signed = seal.sign(&Fields::from_iter([
        ("appId", app),
        ("timeStamp", time.as_str()),
        ("nonceStr", stamp.nonce.as_str()),
        ("package", package.as_str()),
        ("signType", sign_type),
    ]));
    json!({
        "appId": app, "timeStamp": time, "nonceStr": stamp.nonce, "package": package,
        "signType": sign_type, "paySign": signed,
    })
}

/// What the wallet's kit in the office's own app takes. For a service provider it is the merchant
/// that it acts for who stands in there, as npm `tenpay` has it; the manual was not at hand.
fn for_app(parties: &Parties, seal: &Seal, prepay_id: &str, stamp: &Stamp) -> Value {
    let time = stamp.now.as_second().to_string();
    let app = parties.sub_appid().unwrap_or(&parties.appid);
    let partner = parties.payee();
    let signed = seal.sign(&Fields::from_iter([
        ("appid", app),
        ("partnerid", partner),
        ("prepayid", prepay_id),
        ("package", "Sign=WXPay"),
        ("noncestr", stamp.nonce.as_str()),
        ("timestamp", time.as_str()),
    ]));
    json!({
        "appid": app, "partnerid": partner, "prepayid": prepay_id, "package": "Sign=WXPay",
        "noncestr": stamp.nonce, "timestamp": time, "sign": signed,
    })
}
