//! The hub's own adapters as clients of the sandbox: written apart from the same documents, they
//! must understand each other on every call, callback and bill.

mod bills;
mod messages;

use std::sync::Arc;

use adapters::PaymentProvider;
use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::provider::{
    Acknowledgement, Closing, NewOrder, NewRefund, Notice, OrderKey, Pay, Placed, Product,
    RefundKey,
};
use adapters::wechat::{PublicKey, SubMerchant, Wechat, WechatConfig};
use adapters::wire::{Answer, Call, Headers, Outcome, Reason, Request, Stamp};
use domain::fact::{OrderStanding, ProviderFact, RefundStanding};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderTradeNo};
use domain::personal::{Personal, Secret};
use domain::{Fen, ManualClock};
use sandbox::{Action, Fault, Operation, Place, Received, Sandbox};

use crate::office::{
    APIV3_KEY, APP_ID, APPID, MCHID, Office, PLATFORM_ID, SELLER, SERIAL, config, morning, office,
};
use crate::receiver::Receiver;

const BASE: &str = "http://127.0.0.1:0";
const NO: &str = "P20261120ABCDEF0001";
const REFUND_NO: &str = "R20261120ABCDEF0001";

macro_rules! key {
    ($kind:ident, $file:literal) => {
        $kind::read(include_str!(concat!("../../../fixtures/keys/", $file))).unwrap()
    };
}

/// An adapter and how its orders are paid.
pub(crate) struct Hub {
    adapter: Box<dyn PaymentProvider>,
    product: Product,
}

impl std::ops::Deref for Hub {
    type Target = dyn PaymentProvider;
    fn deref(&self) -> &Self::Target {
        self.adapter.as_ref()
    }
}

impl std::fmt::Display for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} of {}", self.provider(), self.product.as_str(), self.account().payee)
    }
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

fn wechat_by(product: Product, sub_merchant: Option<SubMerchant>) -> Hub {
    let config = WechatConfig { sub_merchant, ..wechat_config() };
    Hub { adapter: Box::new(Wechat::new(config).unwrap()), product }
}

fn wechat() -> Hub {
    wechat_by(Product::Native, None)
}

fn alipay() -> Hub {
    let adapter = Alipay::new(AlipayConfig {
        app_id: APP_ID.to_owned(),
        seller_id: SELLER.to_owned(),
        app_private_key: key!(SigningKey, "alipay_app.pem"),
        proof: Proof::Key(key!(VerifyingKey, "alipay_platform_pub.pem")),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: format!("{BASE}/gateway.do"),
    });
    Hub { adapter: Box::new(adapter.unwrap()), product: Product::Precreate }
}

/// Every adapter with every product that offers the payer something, and a service provider.
fn hubs() -> Vec<Hub> {
    let sub = || Some(SubMerchant { mchid: "1900000301".to_owned(), appid: None });
    let products = [Product::Native, Product::Jsapi, Product::H5, Product::App];
    let mut hubs: Vec<Hub> = products.map(|product| wechat_by(product, None)).into();
    hubs.extend(products.map(|product| wechat_by(product, sub())));
    hubs.push(alipay());
    hubs
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

fn no() -> OutTradeNo {
    NO.parse().unwrap()
}

fn key(out_trade_no: &OutTradeNo) -> OrderKey<'_> {
    OrderKey { out_trade_no, provider_trade_no: None }
}

fn place(office: &Office, hub: &Hub, url: &str) -> Outcome<Pay> {
    let openid = Personal::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
    let call = hub
        .place(&NewOrder {
            product: hub.product,
            out_trade_no: &no(),
            amount: Fen::new(8000),
            subject: "不动产登记费",
            expires_at: "2026-11-20T04:00:00Z".parse().unwrap(),
            notify_url: url,
            return_url: None,
            payer: (hub.product == Product::Jsapi).then_some(&openid),
            identity: None,
            auth_code: None,
            client_ip: (hub.product == Product::H5).then_some("203.0.113.9"),
            now: office.engine.now(),
            chance: &[7; 32],
        })
        .unwrap();
    match hub.read_placed(&call, &ask(office, &**hub, &call), &stamp(office)) {
        Outcome::Accepted(Placed::Offered(pay)) => Outcome::Accepted(pay),
        Outcome::Accepted(Placed::Paid(fact)) => panic!("{fact:?}"),
        Outcome::Refused(refusal) => Outcome::Refused(refusal),
        Outcome::Unknown(why) => Outcome::Unknown(why),
    }
}

fn standing(office: &Office, hub: &Hub) -> OrderStanding {
    let answer = ask(office, &**hub, &hub.query_order(&key(&no())));
    accepted(hub.read_order(&key(&no()), &answer, office.engine.now()))
}

fn close(office: &Office, hub: &Hub) -> Closing {
    let call = hub.close_order(&no(), hub.product);
    let answer = ask(office, &**hub, &call);
    accepted(hub.read_closed(&call, &answer, office.engine.now()))
}

fn paid(office: &Office, hub: &Hub) -> ProviderTradeNo {
    match standing(office, hub) {
        OrderStanding::Paid(fact) => {
            assert_eq!((fact.amount, fact.paid_at), (Fen::new(8000), morning()));
            fact.provider_trade_no
        }
        other @ (OrderStanding::Unpaid | OrderStanding::Closed | OrderStanding::Absent) => {
            panic!("{other:?}")
        }
    }
}

const URL: &str = "http://127.0.0.1:9/callbacks/a";

/// What the payer of each product is given.
fn kind(pay: &Pay) -> &'static str {
    match pay {
        Pay::QrCode { .. } => "qr_code",
        Pay::Redirect { .. } => "redirect",
        Pay::Form { .. } => "form",
        Pay::Jsapi { .. } => "jsapi",
        Pay::App { .. } => "app",
        Pay::None => "none",
    }
}

#[test]
fn an_order_lives_in_the_hubs_words_by_every_product() {
    for hub in hubs() {
        let office = office();
        let table = [
            (Product::Native, "qr_code", OrderStanding::Unpaid),
            (Product::Jsapi, "jsapi", OrderStanding::Unpaid),
            (Product::H5, "redirect", OrderStanding::Unpaid),
            (Product::App, "app", OrderStanding::Unpaid),
            (Product::Precreate, "qr_code", OrderStanding::Absent),
        ];
        let expected = table.into_iter().find(|(product, ..)| *product == hub.product);
        let (_, given, unpaid) = expected.unwrap();
        assert_eq!(kind(&accepted(place(&office, &hub, URL))), given, "{hub}");
        assert_eq!(kind(&accepted(place(&office, &hub, URL))), given, "{hub}: a repeat");
        assert_eq!(standing(&office, &hub), unpaid, "{hub}");
        office.engine.pay(NO, false).unwrap();
        paid(&office, &hub);
        assert_eq!(close(&office, &hub), Closing::Paid, "{hub}");
    }
}

#[test]
fn closing_is_closed_at_wechat_and_not_there_at_alipay_until_a_scan() {
    let (office, hub) = (office(), wechat());
    accepted(place(&office, &hub, URL));
    assert_eq!(close(&office, &hub), Closing::Closed);
    assert_eq!(standing(&office, &hub), OrderStanding::Closed);

    let (office, hub) = (crate::office::office(), alipay());
    accepted(place(&office, &hub, URL));
    assert_eq!(close(&office, &hub), Closing::NotThere);
    office.engine.scan(NO, None).unwrap();
    assert_eq!(close(&office, &hub), Closing::Closed);
    assert_eq!(standing(&office, &hub), OrderStanding::Closed);
}

#[test]
fn no_answer_of_a_fault_is_taken_for_a_decision() {
    for action in [
        Action::Garbage,
        Action::Corrupt,
        Action::WrongSignature,
        Action::UnknownSerial,
        Action::Status500,
    ] {
        for hub in hubs() {
            let office = office();
            let fault = Fault::new(Place::Answer, action).during(Operation::Place).times(1);
            office.engine.set_fault(fault).unwrap();
            let placed = place(&office, &hub, URL);
            assert!(
                matches!(placed, Outcome::Unknown(_)),
                "{action:?} {hub:?}",
                hub = hub.provider()
            );
            accepted(place(&office, &hub, URL));
        }
    }
}

fn refund(office: &Office, hub: &Hub, fen: i64) -> Outcome<RefundStanding> {
    let out_refund_no: OutRefundNo = REFUND_NO.parse().unwrap();
    let provider_trade_no = paid(office, hub);
    let wanted = NewRefund {
        out_trade_no: &no(),
        provider_trade_no: &provider_trade_no,
        out_refund_no: &out_refund_no,
        amount: Fen::new(fen),
        total: Fen::new(8000),
        reason: "重复缴费",
        notify_url: URL,
        paid_at: office.engine.now(),
        now: office.engine.now(),
        earlier: 0,
    };
    let key =
        RefundKey { out_trade_no: &no(), out_refund_no: &out_refund_no, amount: Fen::new(fen) };
    let answer = ask(office, &**hub, &hub.refund(&wanted).unwrap());
    match hub.read_refunded(&key, &answer, office.engine.now()) {
        Outcome::Accepted(fact) => {
            assert_eq!(fact.amount, Some(Fen::new(fen)));
            Outcome::Accepted(fact.standing)
        }
        Outcome::Refused(refusal) => Outcome::Refused(refusal),
        Outcome::Unknown(why) => Outcome::Unknown(why),
    }
}

fn refund_standing(office: &Office, hub: &Hub) -> Option<RefundStanding> {
    let out_refund_no: OutRefundNo = REFUND_NO.parse().unwrap();
    let key =
        RefundKey { out_trade_no: &no(), out_refund_no: &out_refund_no, amount: Fen::new(3000) };
    let answer = ask(office, &**hub, &hub.query_refund(&key));
    accepted(hub.read_refund(&key, &answer, office.engine.now())).map(|fact| fact.standing)
}

#[test]
fn a_refund_lives_in_the_hubs_words_by_every_product() {
    for hub in &hubs() {
        let office = office();
        let at_once = hub.product == Product::Precreate;
        let first = if at_once { RefundStanding::Succeeded } else { RefundStanding::Processing };
        accepted(place(&office, hub, URL));
        office.engine.pay(NO, false).unwrap();
        assert_eq!(refund_standing(&office, hub), None);
        let poor = Fault::new(Place::Answer, Action::NotEnough).during(Operation::Refund).times(1);
        office.engine.set_fault(poor).unwrap();
        match refund(&office, hub, 3000) {
            Outcome::Refused(refusal) => assert_eq!(refusal.reason, Reason::NotEnoughFunds),
            other @ (Outcome::Accepted(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
        }
        assert_eq!(accepted(refund(&office, hub, 3000)), first);
        office.pass(60);
        assert_eq!(refund_standing(&office, hub), Some(RefundStanding::Succeeded));
        let other = refund(&office, hub, 4000);
        assert!(!matches!(other, Outcome::Accepted(_)), "another amount: {other:?}");
    }
}

#[actix_web::test]
async fn the_hub_opens_every_callback_and_its_word_of_success_is_heard() {
    for hub in hubs() {
        let clock = ManualClock::at(morning());
        let running = Sandbox::start(&config(), Arc::new(clock.clone())).unwrap();
        let office = Office { engine: running.engine().clone(), clock };
        let receiver = Receiver::start();
        let word = hub.acknowledge(b"", Acknowledgement::TryAgain);
        receiver.answers(word.status, std::str::from_utf8(word.body).unwrap());
        accepted(place(&office, &hub, &receiver.url));
        office.engine.pay(NO, true).unwrap();
        assert_eq!(running.deliver_due().await.failed, 1);
        let word = hub.acknowledge(b"", Acknowledgement::Taken);
        receiver.answers(word.status, std::str::from_utf8(word.body).unwrap());
        office.pass(240);
        assert_eq!(running.deliver_due().await.acknowledged, 1);
        for (taken, received_at) in receiver.taken().iter().zip([morning(), office.engine.now()]) {
            let headers = Headers(taken.headers.clone().into_iter().collect());
            let notice = Notice { headers: &headers, body: &taken.body, received_at };
            let opened = hub.open_notice(&notice).unwrap();
            let Some(ProviderFact::Payment(fact)) = opened.facts.first() else {
                panic!("{:?}", opened.facts)
            };
            assert_eq!((fact.out_trade_no.as_str(), fact.amount), (NO, Fen::new(8000)));
            assert_eq!(fact.stated.payee.as_deref(), Some(hub.account().payee.as_str()));
            assert_eq!(fact.stated.app.as_deref(), Some(hub.account().app.as_str()));
        }
        running.stop().await;
    }
}
