//! Providers' answers, with and without a good signature, to every call that has one: each is
//! accepted, refused or unknown, and nothing panics.
#![no_main]

use adapters::PaymentProvider;
use adapters::provider::{BillTicket, OrderKey, Product, RefundKey};
use adapters::wire::{Answer, Call, Headers, Method, Stamp};
use domain::Fen;
use domain::ids::{OutRefundNo, OutTradeNo};
use fuzz::{ALIPAY, WECHAT, alipay_answer, now, wechat_headers};
use libfuzzer_sys::fuzz_target;

const NODES: [&str; 6] = [
    "alipay_trade_precreate_response",
    "alipay_trade_query_response",
    "alipay_trade_close_response",
    "alipay_trade_refund_response",
    "alipay_trade_fastpay_refund_query_response",
    "alipay_data_dataservice_bill_downloadurl_query_response",
];

fn read_all(merchant: &dyn PaymentProvider, product: Product, answer: &Answer) {
    let (Ok(order), Ok(refund)) = (
        "P0187A5C3E4D7F3A9B2C1D0E4F5A6B7C".parse::<OutTradeNo>(),
        "R0187A5C3E4D7F3A9B2C1D0E4F5A6B7C".parse::<OutRefundNo>(),
    ) else {
        return;
    };
    let stamp = Stamp { now: now(), nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".to_owned() };
    let key = OrderKey { out_trade_no: &order, provider_trade_no: None };
    let refund_key =
        RefundKey { out_trade_no: &order, out_refund_no: &refund, amount: Fen::new(3000) };
    let close = merchant.close_order(&order, product);
    let place = Call {
        method: Method::Post,
        target: if product == Product::Native {
            "/v3/pay/transactions/native".to_owned()
        } else {
            "alipay.trade.precreate".to_owned()
        },
        body: String::new(),
        parameters: Vec::new(),
    };
    let _ = merchant.read_placed(&place, answer, &stamp);
    let _ = merchant.read_order(&key, answer, now());
    let _ = merchant.read_closed(&close, answer, now());
    let _ = merchant.read_refunded(&refund_key, answer, now());
    let _ = merchant.read_refund(&refund_key, answer, now());
    let _ = merchant.read_bill_ticket(answer, now());
    let ticket = BillTicket { url: String::new(), sha1: Some("0".repeat(40)) };
    let _ = merchant.read_bill_file(&ticket, answer);
}

fuzz_target!(|data: &[u8]| {
    let Some((way, body)) = data.split_first() else { return };
    let status = [200, 204, 202, 400, 403, 404, 429, 500][usize::from(way % 8)];
    let plain = Answer { status, headers: Headers::default(), body: body.to_vec() };
    read_all(&*WECHAT, Product::Native, &plain);
    read_all(&*ALIPAY, Product::Precreate, &plain);
    let signed = Answer { status: 200, headers: wechat_headers(body), body: body.to_vec() };
    read_all(&*WECHAT, Product::Native, &signed);
    if let Ok(node) = std::str::from_utf8(body) {
        let name = NODES[usize::from(way / 8) % NODES.len()];
        let body = alipay_answer(name, node);
        read_all(
            &*ALIPAY,
            Product::Precreate,
            &Answer { status: 200, headers: Headers::default(), body },
        );
    }
});
