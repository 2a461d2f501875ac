//! WeChat Pay v2: notices and answers, raw, signed with the merchant's own algorithm and with the
//! other one, and refunds sealed around hostile bytes. Nothing panics; what is unsigned, or signed
//! with the other algorithm, states nothing; a refund's notice hints and no more.
#![no_main]

use adapters::PaymentProvider;
use adapters::provider::{Notice, OpenedNotice};
use adapters::wechat_v2::SignType;
use adapters::wire::{Answer, Headers};
use fuzz::claims::{Claim, opened, read};
use fuzz::v2::{is_plain, merchant_of, refund_notice, signed};
use fuzz::{WECHAT, now, pairs};
use libfuzzer_sys::fuzz_target;

fn open(merchant: &dyn PaymentProvider, body: &[u8]) -> Option<OpenedNotice> {
    let headers = Headers::default();
    let read = merchant.open_notice(&Notice { headers: &headers, body, received_at: now() }).ok();
    if let Some(notice) = &read {
        opened(merchant, notice);
    }
    read
}

fn answer(body: Vec<u8>) -> Answer {
    Answer { status: 200, headers: Headers::default(), body }
}

/// The bytes with every `sign` spoilt.
fn unsigned(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    while let Some(at) = body.windows(4).position(|window| window == b"sign") {
        body[at + 3] = b'm';
    }
    body
}

fuzz_target!(|data: &[u8]| {
    let [way, which, body @ ..] = data else { return };
    let (own, other) = match way / 8 % 2 {
        0 => (SignType::Md5, SignType::HmacSha256),
        _ => (SignType::HmacSha256, SignType::Md5),
    };
    let merchant = merchant_of(own);
    match way % 8 {
        0 => {
            let _read = open(merchant, body);
            let _read = merchant.reread_notice(body);
        }
        1 => {
            let body = unsigned(body);
            let read_it = open(merchant, &body);
            assert!(read_it.is_none_or(|notice| notice.facts.is_empty()), "an unsigned notice");
            assert!(read(merchant, *which, &answer(body)) != Claim::Binding, "an unsigned answer");
        }
        2 | 3 => {
            let mut fields = pairs(body);
            fields.retain(|name, _| name != b"sign" && name != b"sign_type");
            let is_empty = fields.values().all(Vec::is_empty);
            let is_payment = !is_empty && !fields.contains_key(&b"req_info"[..]);
            let must_open = is_payment && is_plain(&fields);
            let read = open(merchant, &signed(fields, own));
            assert!(read.is_some() || !must_open, "an authentic notice is refused");
        }
        4 | 5 => {
            let _said = read(merchant, *which, &answer(signed(pairs(body), own)));
        }
        6 => {
            let text = signed(pairs(body), other);
            let read_it = open(merchant, &text);
            assert!(read_it.is_none_or(|notice| notice.facts.is_empty()), "the other algorithm");
            let said = read(merchant, *which, &answer(text));
            assert!(said != Claim::Binding, "the other algorithm");
        }
        _ => {
            let sealed = refund_notice(body);
            for merchant in [merchant as &dyn PaymentProvider, &*WECHAT] {
                let read = open(merchant, &sealed);
                assert!(read.is_none_or(|notice| notice.facts.is_empty()), "a hint became a fact");
            }
        }
    }
});
