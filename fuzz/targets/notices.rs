//! Callback bodies: raw, signed as the provider would, sealed as its resource, and as a kept
//! plaintext. Whatever comes, it is opened, refused or kept as unreadable, and nothing panics.
#![no_main]

use adapters::PaymentProvider as _;
use adapters::provider::{Acknowledgement, Notice};
use adapters::wire::Headers;
use fuzz::{ALIPAY, WECHAT, merchants, now, wechat_headers, wechat_notice};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((way, body)) = data.split_first() else { return };
    let none = Headers::default();
    match way % 4 {
        0 => {
            for merchant in merchants() {
                let notice = Notice { headers: &none, body, received_at: now() };
                let _refused = merchant.open_notice(&notice);
                let _reply = merchant.acknowledge(body, Acknowledgement::Refused);
            }
        }
        1 => {
            let headers = wechat_headers(body);
            let notice = Notice { headers: &headers, body, received_at: now() };
            assert!(WECHAT.open_notice(&notice).is_ok() || body.starts_with(b"<"), "authentic");
        }
        2 => {
            for event in ["TRANSACTION.SUCCESS", "REFUND.SUCCESS"] {
                let sealed = wechat_notice(event, body);
                let headers = wechat_headers(&sealed);
                let notice = Notice { headers: &headers, body: &sealed, received_at: now() };
                let opened = WECHAT.open_notice(&notice).expect("it is signed");
                let _again = WECHAT.reread_notice(&opened.plaintext);
            }
        }
        _ => {
            let _read = WECHAT.reread_notice(body);
            let _read = ALIPAY.reread_notice(body);
        }
    }
});
