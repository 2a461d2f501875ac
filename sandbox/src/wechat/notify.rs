//! Callbacks of WeChat Pay: what they say, sealed and signed anew for each try.

use adapters::keys::seal_aes_256_gcm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Fen;
use domain::time::rfc3339;
use jiff::Timestamp;
use serde_json::json;

use super::{combined, refunds, signature, standing};
use crate::delivery::{Delivery, DeliveryState, Letter};
use crate::engine::World;
use crate::faults::{Action, Operation};
use crate::keys::Keys;
use crate::random::Random;
use crate::state::{Ending, OrderKey, Payment, Refund, Standing};
use crate::{text, wechat_v2};

/// Headers and body of a callback.
type Sealed = (Vec<(&'static str, String)>, Vec<u8>);

/// Puts the notice of a payment on its way.
pub(crate) fn announce_payment(
    world: &mut World,
    key: &OrderKey,
    payment: &Payment,
    now: Timestamp,
) {
    if world.book.slips.contains_key(key) {
        return wechat_v2::announce_payment(world, key, payment, now);
    }
    let Some(order) = world.book.orders.get(key) else { return };
    let Some(url) = order.notify_url.clone() else { return };
    let plain = standing::described(world, order, Some(payment));
    let letter = Letter::Wechat {
        event_type: "TRANSACTION.SUCCESS",
        original_type: "transaction",
        summary: "支付成功",
        plaintext: plain.to_string(),
    };
    let numbers = (Some(key.1.clone()), None);
    add(world, Operation::Payment, &key.0, numbers, url, letter, (&payment.trade_no, now));
}

/// Puts the only notice of a combined order on its way.
pub(crate) fn announce_combined(world: &mut World, key: &OrderKey, now: Timestamp) {
    let Some(whole) = world.book.combined.get(key) else { return };
    let url = whole.notify_url.clone();
    let letter = Letter::Wechat {
        event_type: "TRANSACTION.SUCCESS",
        original_type: "transaction",
        summary: "支付成功",
        plaintext: combined::described(world, whole).to_string(),
    };
    let numbers = (Some(key.1.clone()), None);
    add(world, Operation::Payment, &key.0, numbers, url, letter, (&key.1, now));
}

/// Puts the notice of a refund on its way, due when the refund is done.
pub(super) fn announce_refund(world: &mut World, refund: &Refund) {
    let Some(url) = refund.notify_url.clone() else { return };
    let (event_type, summary, standing) = match refund.ending {
        Ending::Success => ("REFUND.SUCCESS", "退款成功", Standing::Success),
        Ending::Abnormal => ("REFUND.ABNORMAL", "退款异常", Standing::Abnormal),
        Ending::Closed => ("REFUND.CLOSED", "退款关闭", Standing::Closed),
    };
    let less = |all: Fen, part: Fen| all.minus(part).unwrap_or(all).get();
    let mut plain = json!({
        "out_trade_no": refund.out_trade_no,
        "transaction_id": refund.trade_no,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_no,
        "refund_status": refunds::word(standing),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": refund.total.get(),
            "refund": refund.amount.get(),
            "payer_total": less(refund.total, refund.total_coupon),
            "payer_refund": less(refund.amount, refund.coupon),
        },
    });
    if let Some(fields) = plain.as_object_mut() {
        let mut say = |name: &str, value: &str| fields.insert(name.to_owned(), json!(value));
        if let Some(sub) = &refund.sub {
            say("sp_mchid", &refund.merchant);
            say("sub_mchid", &sub.mchid);
        } else {
            say("mchid", &refund.merchant);
        }
        if refund.ending == Ending::Success {
            say("success_time", &rfc3339(refund.done_at));
        }
    }
    let letter = Letter::Wechat {
        event_type,
        original_type: "refund",
        summary,
        plaintext: plain.to_string(),
    };
    let numbers = (Some(refund.out_trade_no.clone()), Some(refund.out_refund_no.clone()));
    let (mchid, due) = (refund.merchant.clone(), refund.done_at);
    let about = format!("{} {event_type}", refund.refund_no);
    add(world, Operation::Refund, &mchid, numbers, url, letter, (&about, due));
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
    let mut chance = Random::of(world.seed, &["event", mchid, about]);
    let event_id = format!("EV-{}{}", text::day_digits(due), chance.digits(12));
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

/// Seals and signs a notice for one try, or spoils it as the fault says.
pub(crate) fn seal(
    keys: &Keys,
    delivery: &Delivery,
    now: Timestamp,
    chance: &mut Random,
    action: Option<Action>,
) -> Option<Sealed> {
    let Letter::Wechat { event_type, original_type, summary, plaintext } = &delivery.letter else {
        return None;
    };
    let merchant = keys.wechat(&delivery.merchant)?;
    let nonce = chance.nonce(12);
    let sealed = seal_aes_256_gcm(
        merchant.config.apiv3_key.as_bytes(),
        nonce.as_bytes(),
        original_type.as_bytes(),
        plaintext.as_bytes(),
    )
    .ok()?;
    let mut body = json!({
        "id": delivery.event_id,
        "create_time": rfc3339(delivery.created_at),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": summary,
        "resource": {
            "original_type": original_type,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": STANDARD.encode(sealed),
            "associated_data": original_type,
            "nonce": nonce,
        },
    })
    .to_string()
    .into_bytes();
    let turn = usize::try_from(delivery.id).unwrap_or(0).saturating_add(delivery.attempts.len());
    let signer = merchant.caller(turn, chance)?;
    let mut headers = signature(&signer.id, &signer.signing, now, &body, chance, action);
    if action == Some(Action::Corrupt) {
        super::corrupt(&mut body);
    }
    headers.push(("Content-Type", "application/json".to_owned()));
    headers.push(("User-Agent", "Mozilla/4.0".to_owned()));
    Some((headers, body))
}
