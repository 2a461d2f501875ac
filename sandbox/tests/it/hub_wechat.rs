//! The hub's adapter for WeChat Pay as client of what only WeChat Pay has: combined orders, absent
//! certificates, named payers, coupons, abnormal refunds, fund flows, notices in the old XML.

mod combined;

use std::sync::Arc;

use adapters::PaymentProvider;
use adapters::provider::{
    AccountKind, BillAnswer, BillKind, Document, FundAccount, Identity, Learned, NewOrder,
    NewRefund, Notice, OrderKey, Pay, Placed, Product, Redirect, RefundKey,
};
use adapters::wechat::{Wechat, WechatConfig};
use adapters::wire::{Answer, Call, Headers};
use domain::fact::{OrderStanding, ProviderFact, RefundFact, RefundStanding};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderTradeNo};
use domain::personal::{Personal, Secret};
use domain::{Fen, ManualClock};
use sandbox::{
    Action, Engine, Fault, Operation, Pay as Payment, Person, Place, PortalRefund, Verification,
};

use self::combined::Whole;
use crate::hub::{accepted, ask, sent, stamp, wechat_config};
use crate::office::{Office, config, morning};

const URL: &str = "http://127.0.0.1:9/callbacks/a";
const API_KEY: &str = "payhubtestsonlyapiv2key012345678";

/// A sandbox whose first merchant speaks the old interface too and is proved to as said.
fn office(verification: Verification) -> Office {
    let mut config = config();
    config.wechat[0].verification = verification;
    config.wechat[0].api_key = Some(API_KEY.to_owned());
    let clock = ManualClock::at(morning());
    let engine = Arc::new(Engine::new(&config, Arc::new(clock.clone())).unwrap());
    Office { engine, clock }
}

fn hub() -> Wechat {
    Wechat::new(WechatConfig { api_key: Some(Secret::new(API_KEY)), ..wechat_config() }).unwrap()
}

fn no(text: &str) -> OutTradeNo {
    text.parse().unwrap()
}

/// Asks by one adapter and reads by it.
fn told(office: &Office, hub: &Wechat, call: &Call) -> Answer {
    ask(office, hub, call)
}

fn place(office: &Office, hub: &Wechat, identity: Option<&Identity>) {
    let number = no("P20261120ABCDEF0001");
    let call = hub
        .place(&NewOrder {
            product: Product::Native,
            out_trade_no: &number,
            amount: Fen::new(8000),
            subject: "不动产登记费",
            expires_at: "2026-11-20T04:00:00Z".parse().unwrap(),
            notify_url: URL,
            return_url: None,
            payer: None,
            identity,
            auth_code: None,
            client_ip: None,
            now: office.engine.now(),
            chance: &[7; 32],
        })
        .unwrap();
    let answer = told(office, hub, &call);
    let placed = accepted(hub.read_placed(&call, &answer, &stamp(office)));
    assert!(matches!(placed, Placed::Offered(Pay::QrCode { .. })), "{placed:?}");
}

fn standing(office: &Office, hub: &Wechat) -> OrderStanding {
    let number = no("P20261120ABCDEF0001");
    let key = OrderKey { out_trade_no: &number, provider_trade_no: None };
    let answer = told(office, hub, &hub.query_order(&key));
    accepted(hub.read_order(&key, &answer, office.engine.now()))
}

fn opened(office: &Office, hub: &Wechat, number: &str) -> Vec<ProviderFact> {
    let sealed = office.engine.sealed_callback(number).unwrap();
    let headers = sealed.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
    let headers = Headers(headers.collect());
    let notice = Notice { headers: &headers, body: &sealed.body, received_at: office.engine.now() };
    let opened = hub.open_notice(&notice).unwrap();
    assert_eq!(opened.unreadable, None);
    opened.facts
}

#[test]
fn a_merchant_in_public_key_mode_learns_that_there_are_no_certificates() {
    let office = office(Verification::PublicKey);
    let hub = Wechat::new(WechatConfig { public_key: None, ..wechat_config() }).unwrap();
    let keys = hub.renewed_keys().unwrap();
    let request = hub.sign(&keys.ask_keys().unwrap(), &stamp(&office)).unwrap();
    let learned = keys.learn_keys(&sent(&office, request), office.engine.now());
    assert_eq!(accepted(learned), Learned::NoneThere);
}

#[test]
fn only_the_person_of_the_application_can_pay() {
    let (office, hub) = (office(Verification::PublicKey), hub());
    let identity = Identity {
        name: Personal::new("张三"),
        id_no: Personal::new("11010519491231002X"),
        document: Document::IdentityCard,
    };
    place(&office, &hub, Some(&identity));
    let pay = |name: &str| Payment {
        out_trade_no: "P20261120ABCDEF0001".to_owned(),
        payer: Some(Person {
            name: Personal::new(name),
            id_no: Personal::new("11010519491231002X"),
            document: None,
        }),
        ..Payment::default()
    };
    assert!(office.engine.pay_as(&pay("李四")).is_err());
    assert_eq!(standing(&office, &hub), OrderStanding::Unpaid);
    assert!(office.engine.pay_as(&pay("张三")).is_ok());
}

#[test]
fn t24_a_payment_with_a_coupon_is_the_whole_amount_and_says_the_coupon() {
    let (office, hub) = (office(Verification::PublicKey), hub());
    place(&office, &hub, None);
    let pay = Payment {
        out_trade_no: "P20261120ABCDEF0001".to_owned(),
        coupon_fen: Some(Fen::new(1000)),
        ..Payment::default()
    };
    office.engine.pay_as(&pay).unwrap();
    let OrderStanding::Paid(fact) = standing(&office, &hub) else { panic!("it is paid") };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(1000)));
    match &opened(&office, &hub, "P20261120ABCDEF0001")[..] {
        [ProviderFact::Payment(noticed)] => assert_eq!(*noticed, fact),
        other => panic!("{other:?}"),
    }
    let refund = refund(&office, &hub, &fact.provider_trade_no);
    assert_eq!(refund.amount, Some(Fen::new(3000)), "as asked, whatever of it is coupon");

    office.pass(86_400);
    let mut rows = Vec::new();
    let totals = adapters::bill::read(&bill(&office, &hub, BillKind::Trade), &mut |row| {
        rows.push(row.amount.get());
    });
    assert_eq!(rows, [8000, 3000]);
    assert!(totals.unwrap().footer_ok);
}

fn bill(office: &Office, hub: &Wechat, kind: BillKind) -> Vec<u8> {
    let call = hub.ask_bill(kind, "2026-11-20".parse().unwrap()).unwrap();
    let answer = told(office, hub, &call);
    match accepted(hub.read_bill_ticket(&answer, office.engine.now())) {
        BillAnswer::Ready(ticket) => {
            let file = told(office, hub, &hub.fetch_bill(&ticket));
            accepted(hub.read_bill_file(&ticket, &file))
        }
        other @ (BillAnswer::Here(_) | BillAnswer::EmptyDay | BillAnswer::NotYet) => {
            panic!("{kind:?}: {other:?}")
        }
    }
}

#[test]
fn every_bill_and_fund_flow_is_read_and_foots() {
    let (office, hub) = (office(Verification::PublicKey), hub());
    place(&office, &hub, None);
    office.engine.pay("P20261120ABCDEF0001", false).unwrap();
    let OrderStanding::Paid(fact) = standing(&office, &hub) else { panic!("it is paid") };
    refund(&office, &hub, &fact.provider_trade_no);
    office.pass(86_400);
    for (kind, payments, refunds) in
        [(BillKind::Trade, 1, 1), (BillKind::Payments, 1, 0), (BillKind::Refunds, 0, 1)]
    {
        let totals = adapters::bill::read(&bill(&office, &hub, kind), &mut |_| ()).unwrap();
        assert_eq!((totals.payments.count, totals.refunds.count), (payments, refunds), "{kind:?}");
        assert!(totals.footer_ok, "{kind:?}: {:?}", totals.footer_fault);
        assert_eq!(totals.unknown_columns, Vec::<String>::new(), "{kind:?}");
    }
    office.take_charges();
    let basic = bill(&office, &hub, BillKind::FundFlow(FundAccount::Basic));
    let flow = adapters::bill::read_fund_flow(&basic).unwrap();
    assert!(flow.footer_ok, "{:?}", flow.footer_fault);
    assert_eq!((flow.income.count, flow.expense.count), (1, 2));
    assert_eq!(flow.from_trade, Fen::new(8000 - 48 - 3000 + 18));
    let empty = hub.ask_bill(BillKind::FundFlow(FundAccount::Fees), "2026-11-20".parse().unwrap());
    let answer = told(&office, &hub, &empty.unwrap());
    let answer = accepted(hub.read_bill_ticket(&answer, office.engine.now()));
    assert_eq!(answer, BillAnswer::EmptyDay);
}

const REFUND_NO: &str = "R20261120ABCDEF0001";

fn refund(office: &Office, hub: &Wechat, provider_trade_no: &ProviderTradeNo) -> RefundFact {
    let number = no("P20261120ABCDEF0001");
    let out_refund_no: OutRefundNo = REFUND_NO.parse().unwrap();
    let wanted = NewRefund {
        out_trade_no: &number,
        provider_trade_no,
        out_refund_no: &out_refund_no,
        amount: Fen::new(3000),
        total: Fen::new(8000),
        reason: "重复缴费",
        notify_url: URL,
        paid_at: office.engine.now(),
        now: office.engine.now(),
        earlier: 0,
    };
    let key =
        RefundKey { out_trade_no: &number, out_refund_no: &out_refund_no, amount: Fen::new(3000) };
    let answer = told(office, hub, &hub.refund(&wanted).unwrap());
    accepted(hub.read_refunded(&key, &answer, office.engine.now()))
}

#[test]
fn an_abnormal_refund_is_sent_to_the_payers_card_and_arrives() {
    let (office, hub) = (office(Verification::PublicKey), hub());
    place(&office, &hub, None);
    office.engine.pay("P20261120ABCDEF0001", false).unwrap();
    let OrderStanding::Paid(fact) = standing(&office, &hub) else { panic!("it is paid") };
    let fault = Fault::new(Place::Answer, Action::Abnormal).during(Operation::Refund).times(1);
    office.engine.set_fault(fault).unwrap();
    let provider_refund_no =
        refund(&office, &hub, &fact.provider_trade_no).provider_refund_no.unwrap();
    office.pass(60);
    let number = no("P20261120ABCDEF0001");
    let out_refund_no: OutRefundNo = REFUND_NO.parse().unwrap();
    let key =
        RefundKey { out_trade_no: &number, out_refund_no: &out_refund_no, amount: Fen::new(3000) };
    let look = || {
        let answer = told(&office, &hub, &hub.query_refund(&key));
        accepted(hub.read_refund(&key, &answer, office.engine.now())).unwrap().standing
    };
    assert_eq!(look(), RefundStanding::Abnormal);
    let card = Personal::new("6222020200112230");
    let holder = Personal::new("张三");
    let redirect = Redirect {
        provider_refund_no: &provider_refund_no,
        out_refund_no: &out_refund_no,
        to: AccountKind::PayerCard,
        bank: Some("ICBC_DEBIT"),
        card: Some(&card),
        holder: Some(&holder),
        now: office.engine.now(),
        chance: &[9; 32],
    };
    let answer = told(&office, &hub, &hub.redirect_refund(&redirect).unwrap());
    let fact = accepted(hub.read_refunded(&key, &answer, office.engine.now()));
    assert_eq!(fact.standing, RefundStanding::Processing);
    office.pass(60);
    assert_eq!(look(), RefundStanding::Succeeded);
    match &opened(&office, &hub, "P20261120ABCDEF0001")[..] {
        [ProviderFact::Refund(fact)] => assert_eq!(fact.standing, RefundStanding::Succeeded),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refund_in_the_portal_comes_as_the_old_xml_and_is_only_a_hint() {
    let (office, hub) = (office(Verification::PublicKey), hub());
    place(&office, &hub, None);
    office.engine.pay("P20261120ABCDEF0001", false).unwrap();
    let portal = PortalRefund {
        out_trade_no: "P20261120ABCDEF0001".to_owned(),
        merchant: None,
        amount_fen: Fen::new(3000),
        out_refund_no: Some(REFUND_NO.to_owned()),
    };
    office.engine.refund(&portal).unwrap();
    office.pass(60);
    let sealed = office.engine.sealed_callback("P20261120ABCDEF0001").unwrap();
    let headers = sealed.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
    let headers = Headers(headers.collect());
    let received_at = office.engine.now();
    let opened = hub.open_notice(&Notice { headers: &headers, body: &sealed.body, received_at });
    let opened = opened.unwrap();
    assert_eq!(opened.facts, [], "nobody signed it");
    assert_eq!(opened.hints.len(), 1);
    assert_eq!(opened.hints[0].amount, Fen::new(3000));
    assert_eq!(opened.hints[0].out_refund_no.as_str(), REFUND_NO);
}

#[test]
fn the_adapter_deviates_from_the_manual_in_nothing() {
    let (office, hub, whole) = (office(Verification::PublicKey), hub(), Whole::new());
    whole.place(&office, &hub, Product::H5);
    office.engine.pay(whole.whole.as_str(), false).unwrap();
    whole.standings(&office, &hub);
    // The sandbox is called back on loopback, where there is no https; and the stamp of these tests
    // has one nonce.
    let known = ["notify_url: not https", "nonce: used before"];
    for verdict in office.engine.state().requests {
        let odd: Vec<&String> =
            verdict.deviations.iter().filter(|said| !known.contains(&said.as_str())).collect();
        assert!(odd.is_empty(), "{} {}: {odd:?}", verdict.method, verdict.target);
    }
}
