//! Providers' answers, with and without a good signature, in the clear and sealed, to every call
//! that has one: each is accepted, refused or unknown, nothing panics, an answer without a
//! signature is never binding, and what is accepted is about what was asked.
#![no_main]

use adapters::PaymentProvider;
use adapters::wire::{Answer, Headers};
use fuzz::claims::{Claim, ORDER, place, product, read};
use fuzz::{ALIPAY, ALIPAY_CERTIFIED, ALIPAY_SEALED, WECHAT};
use fuzz::{alipay_answer, alipay_sealed, wechat_headers};
use libfuzzer_sys::fuzz_target;

/// The node under which Alipay answers the call that `which` chooses.
fn node_name(merchant: &dyn PaymentProvider, which: u8) -> String {
    let order = ORDER.parse().expect("a number");
    let method = match which % 11 {
        0 => place(merchant, product(merchant, which)).target,
        1 => "alipay.trade.query".to_owned(),
        2 => merchant.close_order(&order, product(merchant, which)).target,
        3 => "alipay.trade.refund".to_owned(),
        4 => "alipay.trade.fastpay.refund.query".to_owned(),
        7 => "alipay.open.app.alipaycert.download".to_owned(),
        _ => "alipay.data.dataservice.bill.downloadurl.query".to_owned(),
    };
    format!("{}_response", method.replace('.', "_"))
}

fn answer(status: u16, headers: Headers, body: Vec<u8>) -> Answer {
    Answer { status, headers, body }
}

fuzz_target!(|data: &[u8]| {
    let [way, which, body @ ..] = data else { return };
    let status = [200, 204, 202, 400, 403, 404, 429, 500][usize::from(way / 8) % 8];
    let plain = || answer(status, Headers::default(), body.to_vec());
    match way % 8 {
        0 | 1 => {
            let said = read(&*WECHAT, *which, &plain());
            assert!(said != Claim::Binding, "an unsigned answer is binding");
            assert!(status >= 300 || said == Claim::Nothing || which % 11 == 6, "unsigned 2xx");
        }
        2 | 3 => {
            let signed = answer(200, wechat_headers(body), body.to_vec());
            let _said = read(&*WECHAT, *which, &signed);
        }
        4 => {
            // Whatever it says, a signature of Alipay's over another node is none over this one.
            let unsigned = body.iter().map(|b| if *b == b'g' { b'q' } else { *b }).collect();
            let said = read(&*ALIPAY, *which, &answer(200, Headers::default(), unsigned));
            assert!(said == Claim::Nothing || which % 11 == 6, "an unsigned answer is accepted");
        }
        _ => {
            let Ok(node) = std::str::from_utf8(body) else { return };
            let (merchant, node) = match way % 8 {
                5 => (&*ALIPAY, node.to_owned()),
                6 => (&*ALIPAY_SEALED, alipay_sealed(node)),
                _ => (&*ALIPAY_CERTIFIED, node.to_owned()),
            };
            let body = alipay_answer(&node_name(merchant, *which), &node);
            let _said = read(merchant, *which, &answer(200, Headers::default(), body));
        }
    }
});
