//! The hub's adapter for the old interface as client of what only that has: repeated closes, odd
//! barcodes, reversals. What holds for every adapter is in `conformance`.

use adapters::PaymentProvider as _;
use adapters::provider::{Closing, NewOrder, NewRefund, OrderKey, Pay, Placed, Product, RefundKey};
use adapters::wechat_v2::{SignType, WechatV2, WechatV2Config};
use adapters::wire::{Answer, Call, Headers, Outcome, Reason, Request, Stamp};
use domain::Fen;
use domain::fact::{OrderStanding, RefundFact, RefundStanding};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderTradeNo};
use domain::personal::{Personal, Secret};
use sandbox::Received;

use super::{API_KEY, PAYEE};
use crate::office::{APPID, Office, morning, office};

pub(super) const NO: &str = "P20261120ABCDEF0001";
pub(super) const REFUND_NO: &str = "R20261120ABCDEF0001";
pub(super) const URL: &str = "http://127.0.0.1:9/callbacks/a";
pub(super) const PAYS: &str = "134567890123456789";

pub(super) fn settings(sign_type: SignType) -> WechatV2Config {
    WechatV2Config {
        mchid: PAYEE.to_owned(),
        appid: APPID.to_owned(),
        sub_merchant: None,
        api_key: Secret::new(API_KEY),
        sign_type,
        has_client_identity: true,
        base_url: "http://127.0.0.1:0".to_owned(),
        second_base_url: None,
    }
}

pub(super) fn hub(sign_type: SignType) -> WechatV2 {
    WechatV2::new(settings(sign_type)).unwrap()
}

pub(super) fn hubs() -> [WechatV2; 2] {
    [hub(SignType::Md5), hub(SignType::HmacSha256)]
}

fn sent(office: &Office, request: Request) -> Answer {
    let target = request.url.strip_prefix("http://127.0.0.1:0").unwrap().to_owned();
    let reply = office.engine.answer(&Received {
        method: request.method.as_str().to_owned(),
        target,
        headers: request.headers,
        body: request.body,
    });
    let headers =
        reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Answer { status: reply.status, headers: Headers(headers), body: reply.body }
}

fn stamp(office: &Office) -> Stamp {
    let count = office.engine.state().requests.len();
    Stamp { now: office.engine.now(), nonce: format!("{count:032}") }
}

pub(super) fn ask(office: &Office, hub: &WechatV2, call: &Call) -> Answer {
    sent(office, hub.sign(call, &stamp(office)).unwrap())
}

#[track_caller]
pub(super) fn accepted<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Accepted(value) => value,
        other @ (Outcome::Refused(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
    }
}

fn no() -> OutTradeNo {
    NO.parse().unwrap()
}

pub(super) fn place(
    office: &Office,
    hub: &WechatV2,
    product: Product,
    code: &str,
    url: &str,
) -> Outcome<Placed> {
    let openid = Personal::new("oHUB");
    let code = Personal::new(code);
    let call = hub
        .place(&NewOrder {
            product,
            out_trade_no: &no(),
            amount: Fen::new(8000),
            subject: "不动产登记费",
            expires_at: "2026-11-20T04:00:00Z".parse().unwrap(),
            notify_url: url,
            return_url: Some("http://127.0.0.1:8080/pay/1"),
            payer: Some(&openid),
            identity: None,
            auth_code: Some(&code),
            client_ip: Some("192.0.2.7"),
            now: morning(),
            chance: &[7; 32],
        })
        .unwrap();
    let answer = ask(office, hub, &call);
    hub.read_placed(&call, &answer, &stamp(office))
}

pub(super) fn standing(office: &Office, hub: &WechatV2) -> OrderStanding {
    let out_trade_no = no();
    let key = OrderKey { out_trade_no: &out_trade_no, provider_trade_no: None };
    let answer = ask(office, hub, &hub.query_order(&key));
    accepted(hub.read_order(&key, &answer, office.engine.now()))
}

#[track_caller]
pub(super) fn paid(office: &Office, hub: &WechatV2) -> ProviderTradeNo {
    match standing(office, hub) {
        OrderStanding::Paid(fact) => {
            assert_eq!((fact.out_trade_no.as_str(), fact.amount), (NO, Fen::new(8000)));
            fact.provider_trade_no
        }
        other @ (OrderStanding::GivenBack(_)
        | OrderStanding::Unpaid
        | OrderStanding::Closed
        | OrderStanding::Absent) => {
            panic!("{other:?}")
        }
    }
}

pub(super) fn close(office: &Office, hub: &WechatV2, product: Product) -> Outcome<Closing> {
    let call = hub.close_order(&no(), product);
    let answer = ask(office, hub, &call);
    hub.read_closed(&call, &answer, office.engine.now())
}

pub(super) fn offer(office: &Office, hub: &WechatV2, product: Product) -> Pay {
    match accepted(place(office, hub, product, PAYS, URL)) {
        Placed::Offered(pay) => pay,
        Placed::Paid(fact) => panic!("{fact:?}"),
    }
}

/// What the manual would have otherwise; closing sooner than five minutes is its advice only.
#[track_caller]
pub(super) fn deviates_in_nothing(office: &Office) {
    for request in office.engine.state().requests {
        let mut deviations = request.deviations;
        deviations.retain(|one| !one.starts_with("closeorder:") && !one.starts_with("reverse:"));
        assert!(deviations.is_empty(), "{} {deviations:?}", request.target);
    }
}

#[test]
fn closing_is_closed_and_closed_again_was_closed_already() {
    let (office, hub) = (office(), hub(SignType::Md5));
    offer(&office, &hub, Product::Native);
    assert_eq!(accepted(close(&office, &hub, Product::Native)), Closing::Closed);
    match close(&office, &hub, Product::Native) {
        Outcome::Refused(refusal) => assert_eq!(refusal.reason, Reason::AlreadyClosed),
        other @ (Outcome::Accepted(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
    }
    assert_eq!(standing(&office, &hub), OrderStanding::Closed);
}

#[test]
fn what_the_counter_cannot_know_is_unknown_and_a_query_decides() {
    let hub = hub(SignType::HmacSha256);
    let shop = office();
    let placed = place(&shop, &hub, Product::Codepay, "134567890123459901", URL);
    assert!(matches!(placed, Outcome::Unknown(_)), "{placed:?}");
    paid(&shop, &hub);

    let shop = office();
    let placed = place(&shop, &hub, Product::Codepay, "134567890123459904", URL);
    assert!(matches!(placed, Outcome::Unknown(_)), "{placed:?}");
    assert_eq!(standing(&shop, &hub), OrderStanding::Unpaid);

    for code in ["134567890123459902", "134567890123459903"] {
        let placed = place(&office(), &hub, Product::Codepay, code, URL);
        assert!(matches!(placed, Outcome::Refused(_)), "{code}: {placed:?}");
    }
}

#[test]
fn a_reversal_is_repeated_until_it_need_not_be() {
    let (office, hub) = (office(), hub(SignType::Md5));
    accepted(place(&office, &hub, Product::Codepay, "134567890123459906", URL));
    let first = close(&office, &hub, Product::Codepay);
    assert!(matches!(first, Outcome::Unknown(_)), "{first:?}");
    assert_eq!(accepted(close(&office, &hub, Product::Codepay)), Closing::Closed);
    assert_eq!(office.engine.state().moves.len(), 2, "paid, and given back");
    let shop = crate::office::office();
    let never_arrived = accepted(close(&shop, &hub, Product::Codepay));
    assert_eq!(never_arrived, Closing::NotThere);
}

pub(super) fn refund(office: &Office, hub: &WechatV2, fen: i64, url: &str) -> Outcome<RefundFact> {
    let out_refund_no: OutRefundNo = REFUND_NO.parse().unwrap();
    let provider_trade_no = paid(office, hub);
    let now = office.engine.now();
    let call = hub
        .refund(&NewRefund {
            out_trade_no: &no(),
            provider_trade_no: &provider_trade_no,
            out_refund_no: &out_refund_no,
            amount: Fen::new(fen),
            total: Fen::new(8000),
            reason: "重复缴费",
            notify_url: url,
            paid_at: now,
            now,
            earlier: 0,
        })
        .unwrap();
    let key =
        RefundKey { out_trade_no: &no(), out_refund_no: &out_refund_no, amount: Fen::new(fen) };
    let answer = ask(office, hub, &call);
    hub.read_refunded(&key, &answer, now)
}

pub(super) fn refund_standing(office: &Office, hub: &WechatV2) -> Option<RefundStanding> {
    let out_refund_no: OutRefundNo = REFUND_NO.parse().unwrap();
    let key =
        RefundKey { out_trade_no: &no(), out_refund_no: &out_refund_no, amount: Fen::new(3000) };
    let answer = ask(office, hub, &hub.query_refund(&key));
    accepted(hub.read_refund(&key, &answer, office.engine.now())).map(|fact| fact.standing)
}
