//! Callback bodies: raw, signed as the provider would, sealed as its resource, and as a kept
//! plaintext. Whatever comes, it is opened, refused or kept as unreadable, and nothing panics; what
//! is not signed is never opened, and what is opened opens again to the same.
#![no_main]

use adapters::PaymentProvider;
use adapters::provider::{Acknowledgement, Notice, OpenedNotice};
use adapters::wire::Headers;
use fuzz::claims::opened;
use fuzz::{ALIPAY, ALIPAY_CERTIFIED, WECHAT};
use fuzz::{alipay_notice, now, pairs, wechat_headers, wechat_notice};
use libfuzzer_sys::fuzz_target;

fn open(merchant: &dyn PaymentProvider, headers: &Headers, body: &[u8]) -> Option<OpenedNotice> {
    let notice = Notice { headers, body, received_at: now() };
    let read = merchant.open_notice(&notice).ok();
    if let Some(notice) = &read {
        opened(merchant, notice);
    }
    read
}

fuzz_target!(|data: &[u8]| {
    let Some((way, body)) = data.split_first() else { return };
    let none = Headers::default();
    match way % 8 {
        0 => {
            let read = open(&*WECHAT, &none, body);
            // The old interface's refund notice is sealed, not signed: it may hint, no more.
            assert!(read.is_none_or(|notice| notice.facts.is_empty()), "an unsigned notice");
            let _reply = WECHAT.acknowledge(body, Acknowledgement::Refused);
        }
        1 => {
            let read = open(&*WECHAT, &wechat_headers(body), body);
            assert!(read.is_some() || is_xml(body), "an authentic notice is refused");
        }
        2 | 3 => {
            let event = if way % 8 == 2 { "TRANSACTION.SUCCESS" } else { "REFUND.SUCCESS" };
            let sealed = wechat_notice(event, body);
            let read = open(&*WECHAT, &wechat_headers(&sealed), &sealed);
            assert!(read.is_some(), "an authentic notice is refused");
        }
        4 => {
            let _read = open(&*ALIPAY, &none, body);
            let _reply = ALIPAY.acknowledge(body, Acknowledgement::Refused);
        }
        5 => {
            let read = open(&*ALIPAY, &none, &alipay_notice(pairs(body)));
            assert!(read.is_some(), "an authentic notice is refused");
        }
        6 => {
            let _read = open(&*ALIPAY_CERTIFIED, &none, &alipay_notice(pairs(body)));
        }
        _ => {
            let _read = WECHAT.reread_notice(body);
            let _read = ALIPAY.reread_notice(body);
        }
    }
});

fn is_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") || body.starts_with("\u{feff}".as_bytes())
}
