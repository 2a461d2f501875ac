//! The hub's text messages at the vendor.

use adapters::channels::aliyun_sms::{AliyunSms, AliyunSmsConfig};
use adapters::channels::{Arrival, Delivery, Lookup, SmsChannel as _, SmsLookup, SmsMessage};
use adapters::wire::{Call, Stamp};
use domain::personal::{Personal, Secret};
use sandbox::{Action, Fault, Place};

use super::{BASE, sent};
use crate::office::office;

#[test]
fn the_hubs_text_messages_are_sent_throttled_and_looked_up() {
    let office = office();
    let channel = AliyunSms::new(AliyunSmsConfig {
        access_key_id: "sandboxAccessKeyId".to_owned(),
        access_key_secret: Secret::new("sandboxAccessKeySecret"),
        sign_name: "园区不动产".to_owned(),
        endpoint: BASE.to_owned(),
    })
    .unwrap();
    let phone = Personal::new("13800000000");
    let params = [("amount".to_owned(), "80.00 元 + 费".to_owned())];
    let message =
        SmsMessage { phone: &phone, template_code: "SMS_1", params: &params, out_id: "ntf_1" };
    let call = channel.send(&message).unwrap();
    let ask = |call: &Call, nonce: &str| {
        let stamp = Stamp { now: office.engine.now(), nonce: nonce.to_owned() };
        sent(&office, channel.sign(call, &stamp).unwrap())
    };
    let now = office.engine.now();
    office.engine.set_fault(Fault::new(Place::Sms, Action::Throttle).times(1)).unwrap();
    let throttled = channel.read_send(&ask(&call, "nonce1"), now);
    assert!(matches!(throttled, Delivery::Throttled { .. }), "{throttled:?}");
    office.engine.set_fault(Fault::new(Place::Sms, Action::NotEnough).times(1)).unwrap();
    let empty = channel.read_send(&ask(&call, "nonce2"), now);
    assert!(matches!(empty, Delivery::AccountFault { .. }), "{empty:?}");

    let lookup = SmsLookup { phone: &phone, day: "2026-11-20".parse().unwrap(), out_id: "ntf_1" };
    let query = channel.query(&lookup).unwrap();
    let absent = channel.read_query(&lookup, &ask(&query, "nonce3"));
    assert_eq!(absent, Lookup::Absent);
    let accepted = channel.read_send(&ask(&call, "nonce4"), now);
    assert!(matches!(accepted, Delivery::Accepted { vendor_ref: Some(_) }), "{accepted:?}");
    assert_eq!(channel.read_query(&lookup, &ask(&query, "nonce5")), Lookup::Found(None));
    office.pass(5);
    let found = channel.read_query(&lookup, &ask(&query, "nonce6"));
    assert_eq!(found, Lookup::Found(Some(Arrival::Delivered)));
}
