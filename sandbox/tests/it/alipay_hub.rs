//! The hub's own adapter of Alipay as a client of what only Alipay has: named payers, coupons,
//! tokens, account bills. What holds for every adapter is in `conformance`.

mod products;

use adapters::PaymentProvider;
use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::provider::{
    BillAnswer, BillKind, Document, FundAccount, Identity, NewOrder, Notice, OrderKey, Placed,
    Product,
};
use adapters::wire::{Answer, Call, Headers, Outcome, Reason, Request, Stamp};
use domain::Fen;
use domain::fact::{OrderStanding, ProviderFact};
use domain::ids::OutTradeNo;
use domain::personal::{Personal, Secret};
use sandbox::{Pay as Paying, Person, Proof as Signature, Received};
use serde_json::Value;

use crate::alipay_office::{SUBJECT, office_of};
use crate::office::{APP_ID, Office, SELLER, morning, office};

const NO: &str = "P20261120ABCDEF0001";
const URL: &str = "https://pay.example.cn/callbacks/b";
const APP: &str = include_str!("../../../fixtures/keys/alipay_app.pem");
const ALIPAY: &str = include_str!("../../../fixtures/keys/alipay_platform_pub.pem");

fn configured(change: impl FnOnce(&mut AlipayConfig)) -> Alipay {
    let mut config = AlipayConfig {
        app_id: APP_ID.to_owned(),
        seller_id: SELLER.to_owned(),
        app_private_key: SigningKey::read(APP).unwrap(),
        proof: Proof::Key(VerifyingKey::read(ALIPAY).unwrap()),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: "http://127.0.0.1:0/gateway.do".to_owned(),
    };
    change(&mut config);
    Alipay::new(config).unwrap()
}

fn hub() -> Alipay {
    configured(|_| ())
}

fn connection(office: &Office) -> Value {
    let reply = office.engine.answer(&Received {
        method: "GET".to_owned(),
        target: "/sandbox/connection".to_owned(),
        headers: vec![("Host".to_owned(), "127.0.0.1:9010".to_owned())],
        body: Vec::new(),
    });
    let whole: Value = serde_json::from_slice(&reply.body).unwrap();
    whole["alipay"][0].clone()
}

fn certified(office: &Office) -> Alipay {
    let told = connection(office);
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let (app, alipay, root) = (text("app_cert"), text("alipay_cert"), text("alipay_root_cert"));
    configured(|config| config.proof = Proof::Certificates { app, alipay, root })
}

/// An address without scheme and host.
fn target(address: &str) -> String {
    let url = url::Url::parse(address).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

fn sent(office: &Office, request: Request) -> Answer {
    let reply = office.engine.answer(&Received {
        method: request.method.as_str().to_owned(),
        target: target(&request.url),
        headers: request.headers,
        body: request.body,
    });
    let headers =
        reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Answer { status: reply.status, headers: Headers(headers), body: reply.body }
}

fn stamp(office: &Office) -> Stamp {
    Stamp { now: office.engine.now(), nonce: "0123456789ABCDEF0123456789abcdef".to_owned() }
}

/// Sends a call; the sandbox must find its signature good and nothing odd about it.
#[track_caller]
fn ask(office: &Office, hub: &Alipay, call: &Call) -> Answer {
    let answer = sent(office, hub.sign(call, &stamp(office)).unwrap());
    by_the_manual(office);
    answer
}

#[track_caller]
fn by_the_manual(office: &Office) {
    let verdict = office.engine.state().requests.last().unwrap().clone();
    assert!(matches!(verdict.signature, Signature::Ok | Signature::NotNeeded), "{verdict:?}");
    assert_eq!(verdict.deviations, Vec::<String>::new(), "{:?}", verdict.call);
}

#[track_caller]
fn accepted<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Accepted(value) => value,
        other @ (Outcome::Refused(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
    }
}

fn no() -> OutTradeNo {
    NO.parse().unwrap()
}

fn wanted<'a>(no: &'a OutTradeNo, product: Product, office: &Office) -> NewOrder<'a> {
    NewOrder {
        product,
        out_trade_no: no,
        amount: Fen::new(8000),
        subject: SUBJECT,
        expires_at: "2026-11-20T04:00:00Z".parse().unwrap(),
        notify_url: URL,
        return_url: None,
        payer: None,
        identity: None,
        auth_code: None,
        client_ip: None,
        now: office.engine.now(),
        chance: &[7; 32],
    }
}

#[track_caller]
fn place(office: &Office, hub: &Alipay, order: &NewOrder<'_>) -> Outcome<Placed> {
    let call = hub.place(order).unwrap();
    hub.read_placed(&call, &ask(office, hub, &call), &stamp(office))
}

#[track_caller]
fn standing(office: &Office, hub: &Alipay) -> OrderStanding {
    let no = no();
    let key = OrderKey { out_trade_no: &no, provider_trade_no: None };
    let answer = ask(office, hub, &hub.query_order(&key));
    accepted(hub.read_order(&key, &answer, office.engine.now()))
}

#[track_caller]
fn is_paid(office: &Office, hub: &Alipay) {
    match standing(office, hub) {
        OrderStanding::Paid(fact) => {
            assert_eq!((fact.amount, fact.paid_at), (Fen::new(8000), morning()));
        }
        other @ (OrderStanding::GivenBack(_)
        | OrderStanding::Unpaid
        | OrderStanding::Closed
        | OrderStanding::Absent) => {
            panic!("{other:?}")
        }
    }
}

/// A mode of the application: the office as the sandbox knows it, and the hub that connects to it.
fn modes() -> [(Office, Alipay); 4] {
    let key = "cGF5aHViIHRlc3QgYWVzIQ==";
    let certificates = office_of(|app| app.certificates = true);
    let hub_of_certificates = certified(&certificates);
    [
        (office(), hub()),
        (certificates, hub_of_certificates),
        (office(), configured(|config| config.encrypt_key = Some(Secret::new(key)))),
        (
            office(),
            configured(|config| {
                config.seller_id = "2088000000000301".to_owned();
                config.app_auth_token = Some(Secret::new("sandboxAppAuthToken"));
            }),
        ),
    ]
}

#[test]
fn only_the_person_whom_the_hub_names_may_pay() {
    let (office, hub, no) = (office(), hub(), no());
    let identity = Identity {
        name: Personal::new("张三"),
        id_no: Personal::new("11010519491231002X"),
        document: Document::IdentityCard,
    };
    let mut order = wanted(&no, Product::Precreate, &office);
    order.identity = Some(&identity);
    accepted(place(&office, &hub, &order));
    let pay = |name: &str| {
        let person = Person {
            name: Personal::new(name),
            id_no: Personal::new("11010519491231002X"),
            document: None,
        };
        let pay = Paying { out_trade_no: NO.to_owned(), payer: Some(person), ..Paying::default() };
        office.engine.pay_as(&pay)
    };
    assert!(pay("李四").is_err());
    assert!(pay("张三").is_ok());
}

#[test]
fn a_token_that_is_not_good_is_refused_for_want_of_permission() {
    let (office, no) = (office(), no());
    let hub = configured(|config| config.app_auth_token = Some(Secret::new("stranger")));
    let order = wanted(&no, Product::Precreate, &office);
    match place(&office, &hub, &order) {
        Outcome::Refused(refusal) => assert_ne!(refusal.reason, Reason::NotEnoughFunds),
        Outcome::Unknown(_) => {}
        Outcome::Accepted(placed) => panic!("{placed:?}"),
    }
    assert!(office.engine.state().orders.is_empty());
}

#[test]
fn t24_a_coupon_is_told_and_the_order_is_paid_in_full() {
    let (office, hub, no) = (office(), hub(), no());
    accepted(place(&office, &hub, &wanted(&no, Product::Precreate, &office)));
    let pay = Paying {
        out_trade_no: NO.to_owned(),
        coupon_fen: Some(Fen::new(1000)),
        ..Paying::default()
    };
    office.engine.pay_as(&pay).unwrap();
    let OrderStanding::Paid(fact) = standing(&office, &hub) else { panic!("not paid") };
    assert_eq!(fact.amount, Fen::new(8000));
    let sealed = office.engine.sealed_callback(NO).unwrap();
    let headers = Headers(Vec::new());
    let received_at = office.engine.now();
    let opened =
        hub.open_notice(&Notice { headers: &headers, body: &sealed.body, received_at }).unwrap();
    let Some(ProviderFact::Payment(told)) = opened.facts.first() else { panic!("no payment") };
    assert_eq!((told.amount, told.coupon), (fact.amount, fact.coupon));
    office.pass(86_400);
    let bytes = fetched(&office, &hub, BillKind::Trade);
    let totals = adapters::bill::read(&bytes, &mut |row| assert_eq!(row.amount, Fen::new(8000)));
    assert!(totals.unwrap().footer_ok);
}

fn fetched(office: &Office, hub: &Alipay, kind: BillKind) -> Vec<u8> {
    let call = hub.ask_bill(kind, "2026-11-20".parse().unwrap()).unwrap();
    let answer = ask(office, hub, &call);
    match accepted(hub.read_bill_ticket(&answer, office.engine.now())) {
        BillAnswer::Ready(ticket) => {
            let answer = sent(office, hub.sign(&hub.fetch_bill(&ticket), &stamp(office)).unwrap());
            accepted(hub.read_bill_file(&ticket, &answer))
        }
        other @ (BillAnswer::Here(_) | BillAnswer::EmptyDay | BillAnswer::NotYet) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn both_bills_are_fetched_in_every_mode() {
    for (office, hub) in modes() {
        let no = no();
        accepted(place(&office, &hub, &wanted(&no, Product::Precreate, &office)));
        office.engine.pay(NO, false).unwrap();
        office.pass(86_400);
        let trade = fetched(&office, &hub, BillKind::Trade);
        let totals = adapters::bill::read(&trade, &mut |_| ()).unwrap();
        assert_eq!((totals.payments.count, totals.footer_ok), (1, true));
        let fund = fetched(&office, &hub, BillKind::FundFlow(FundAccount::Basic));
        assert!(fund.starts_with(b"PK"));
    }
}
