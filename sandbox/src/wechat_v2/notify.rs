//! Callbacks of the old interface: payments signed, refunds sealed and unsigned, nonces and
//! signatures fresh for each try. The probe that every merchant must refuse is here too.

use domain::Fen;
use domain::time::business_day;
use jiff::Timestamp;

use super::sign::{self, SignType};
use super::xml::{self, Fields};
use super::{orders, refunds};
use crate::delivery::{Delivery, DeliveryState, Letter};
use crate::engine::World;
use crate::faults::{Action, Operation};
use crate::keys::Keys;
use crate::random::Random;
use crate::state::{OrderKey, Payment, Refund};
use crate::text::wall;

/// Headers and body of a callback.
type Sealed = (Vec<(&'static str, String)>, Vec<u8>);

/// A probe of the kind that the provider sends to find merchants whose XML reader follows
/// references to the outside. The right answer is any but the success.
const PROBE: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE probe [<!ENTITY outside SYSTEM \"http://127.0.0.1:9/sandbox-xxe-probe\">]>\n",
    "<probe><seen>&outside;</seen></probe>\n"
);

/// What a receiver must answer, to the byte.
pub(crate) const TAKEN: &[u8] = b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

/// Puts the notice of a payment on its way.
pub(crate) fn announce_payment(
    world: &mut World,
    key: &OrderKey,
    payment: &Payment,
    now: Timestamp,
) {
    let (Some(order), Some(slip)) = (world.book.orders.get(key), world.book.slips.get(key)) else {
        return;
    };
    let Some(url) = order.notify_url.clone() else { return };
    let mut fields = orders::paid(order, payment);
    if let Some(device) = &slip.device_info {
        fields.insert("device_info".to_owned(), device.clone());
    }
    fields.extend(super::behalf(order.sub.as_ref()));
    fields.insert("result_code".to_owned(), "SUCCESS".to_owned());
    let letter = Letter::WechatXml { fields, signed: Some(slip.sign_type), sealed: None };
    let numbers = (Some(key.1.clone()), None);
    add(world, Operation::Payment, &key.0, numbers, url, letter, (&payment.trade_no, now));
}

/// Puts the notice of a refund on its way, due when the refund is done. Refunds of the newer
/// interface's merchants that are made in the portal are told like this too; a merchant without a
/// key of the old interface hears nothing.
pub(crate) fn announce_refund(world: &mut World, refund: &Refund, url: String) {
    let mut plain = Fields::new();
    let mut put = |name: &str, value: &str| drop(plain.insert(name.to_owned(), value.to_owned()));
    let (fen, total) = (refund.amount.get().to_string(), refund.total.get().to_string());
    let left = |all: Fen, coupon| all.minus(coupon).unwrap_or(all).get().to_string();
    put("transaction_id", &refund.trade_no);
    put("out_trade_no", &refund.out_trade_no);
    put("refund_id", &refund.refund_no);
    put("out_refund_no", &refund.out_refund_no);
    put("total_fee", &total);
    put("settlement_total_fee", &left(refund.total, refund.total_coupon));
    put("refund_fee", &fen);
    put("settlement_refund_fee", &left(refund.amount, refund.coupon));
    put("refund_status", refunds::word(refund.standing(refund.done_at)));
    put("success_time", &wall(refund.done_at));
    put("refund_recv_accout", "支付用户零钱");
    put("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS");
    put("refund_request_source", if refund.portal { "VENDOR_PLATFORM" } else { "API" });
    let sealed = Some(xml::written("root", &plain));
    let fields = super::behalf(refund.sub.as_ref());
    let letter = Letter::WechatXml { fields, signed: None, sealed };
    let numbers = (Some(refund.out_trade_no.clone()), Some(refund.out_refund_no.clone()));
    let when = (refund.refund_no.as_str(), refund.done_at);
    add(world, Operation::Refund, &refund.merchant, numbers, url, letter, when);
}

fn add(
    world: &mut World,
    operation: Operation,
    mchid: &str,
    (out_trade_no, out_refund_no): (Option<String>, Option<String>),
    url: String,
    letter: Letter,
    (about, due): (&str, Timestamp),
) {
    let config = world.keys.wechat(mchid).map(|merchant| &merchant.config);
    if config.is_none_or(|config| config.api_key.is_none()) {
        return;
    }
    // Its notices have no id: this one is the sandbox's own, for its state.
    let mut chance = Random::of(world.seed, &["v2event", mchid, about]);
    let event_id = format!("V2-{}-{}", business_day(due), chance.digits(8));
    world.outbox.add(Delivery {
        id: world.outbox.next_id(),
        merchant: mchid.to_owned(),
        operation,
        out_trade_no,
        out_refund_no,
        url,
        event_id,
        letter,
        created_at: due,
        due,
        tries: 0,
        held: false,
        state: DeliveryState::Waiting,
        attempts: Vec::new(),
    });
}

/// The probe instead of a notice.
pub(crate) fn probe() -> Sealed {
    (headers(), PROBE.as_bytes().to_vec())
}

fn headers() -> Vec<(&'static str, String)> {
    vec![("Content-Type", "text/xml".to_owned()), ("User-Agent", "Mozilla/4.0".to_owned())]
}

/// Seals and signs a notice for one try, or spoils it as the fault says.
pub(crate) fn seal(
    keys: &Keys,
    delivery: &Delivery,
    chance: &mut Random,
    action: Option<Action>,
) -> Option<Sealed> {
    let Letter::WechatXml { fields, signed, sealed } = &delivery.letter else { return None };
    let config = &keys.wechat(&delivery.merchant)?.config;
    let wrong =
        matches!(action, Some(Action::WrongSignature | Action::UnknownSerial | Action::SignTest));
    let api_key = config.api_key.as_ref()?;
    let used = if wrong { wrong_key(api_key) } else { api_key.clone() };
    let mut told = fields.clone();
    let mut put = |name: &str, value: String| drop(told.insert(name.to_owned(), value));
    put("return_code", "SUCCESS".to_owned());
    put("appid", config.appid.clone());
    put("mch_id", config.mchid.clone());
    put("nonce_str", chance.nonce(32));
    if let Some(plain) = sealed {
        put("req_info", sign::seal(plain, &used)?);
    }
    let mut body = finished(told, &used, *signed).into_bytes();
    if action == Some(Action::Corrupt) {
        crate::wechat::corrupt(&mut body);
    }
    Some((headers(), body))
}

/// A document, signed where it is one that is signed.
pub(super) fn finished(mut fields: Fields, api_key: &str, signed: Option<SignType>) -> String {
    if let Some(kind) = signed {
        let signature = sign::signature(&fields, api_key, kind);
        fields.insert("sign".to_owned(), signature);
    }
    xml::written("xml", &fields)
}

/// A key that is not the merchant's.
pub(super) fn wrong_key(api_key: &str) -> String {
    api_key.chars().rev().collect()
}
