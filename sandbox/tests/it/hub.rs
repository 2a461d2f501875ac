//! How the tests of one provider's own matters send what the hub's adapters sign; what holds for
//! every adapter is in `conformance`.

mod messages;

use adapters::PaymentProvider;
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::wechat::{PublicKey, WechatConfig};
use adapters::wire::{Answer, Call, Headers, Outcome, Request, Stamp};
use domain::personal::Secret;
use sandbox::Received;

use crate::office::{APIV3_KEY, APPID, MCHID, Office, PLATFORM_ID, SERIAL};

const BASE: &str = "http://127.0.0.1:0";

macro_rules! key {
    ($kind:ident, $file:literal) => {
        $kind::read(include_str!(concat!("../../../fixtures/keys/", $file))).unwrap()
    };
}

pub(crate) fn wechat_config() -> WechatConfig {
    WechatConfig {
        mchid: MCHID.to_owned(),
        appid: APPID.to_owned(),
        merchant_serial_no: SERIAL.to_owned(),
        merchant_private_key: key!(SigningKey, "wechat_merchant.pem"),
        apiv3_key: Secret::new(APIV3_KEY),
        sub_merchant: None,
        api_key: None,
        public_key: Some(PublicKey {
            id: PLATFORM_ID.to_owned(),
            key: key!(VerifyingKey, "wechatpay_platform_pub.pem"),
        }),
        base_url: BASE.to_owned(),
        second_base_url: None,
    }
}

/// Sends a request to the engine as the server would hand it over.
pub(crate) fn sent(office: &Office, request: Request) -> Answer {
    let host = request.url.strip_prefix("http://").unwrap().find('/').unwrap();
    let target = request.url.get(host.checked_add(7).unwrap()..).unwrap().to_owned();
    let mut headers = request.headers;
    headers.push(("Host".to_owned(), "127.0.0.1:0".to_owned()));
    let reply = office.engine.answer(&Received {
        method: request.method.as_str().to_owned(),
        target,
        headers,
        body: request.body,
    });
    let headers =
        reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Answer { status: reply.status, headers: Headers(headers), body: reply.body }
}

pub(crate) fn stamp(office: &Office) -> Stamp {
    Stamp { now: office.engine.now(), nonce: "0123456789ABCDEF0123456789abcdef".to_owned() }
}

pub(crate) fn ask(office: &Office, hub: &dyn PaymentProvider, call: &Call) -> Answer {
    sent(office, hub.sign(call, &stamp(office)).unwrap())
}

#[track_caller]
pub(crate) fn accepted<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Accepted(value) => value,
        other @ (Outcome::Refused(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
    }
}
