//! What the old interface alone does to the hub's adapter: probes, its kinds of bills, reversals in
//! them; and a service provider's orders.

use std::sync::Arc;

use adapters::PaymentProvider as _;
use adapters::provider::{BillAnswer, BillKind, FundAccount, Notice, Product};
use adapters::wechat_v2::{SignType, WechatV2, WechatV2Config};
use adapters::wire::{Headers, Outcome};
use domain::ManualClock;
use domain::bill::Direction;
use domain::fact::{OrderStanding, RefundStanding};
use sandbox::{Action, Engine, Fault, Place, Sandbox, SubMerchant};

use super::hub::{
    NO, PAYS, URL, accepted, ask, close, deviates_in_nothing, hub, hubs, offer, paid, place,
    refund, refund_standing, settings, standing,
};
use crate::office::{Office, config, morning, office};
use crate::receiver::Receiver;

#[actix_web::test]
async fn the_hub_refuses_the_probe_for_external_entities() {
    let hub = hub(SignType::Md5);
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config(), Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    let receiver = Receiver::start();
    accepted(place(&office, &hub, Product::Native, PAYS, &receiver.url));
    office.engine.pay(NO, true).unwrap();
    let probe = Fault::new(Place::Callback, Action::XxeProbe).times(1);
    office.engine.set_fault(probe).unwrap();
    running.deliver_due().await;
    let taken = receiver.taken().pop().unwrap();
    let headers = Headers(taken.headers.into_iter().collect());
    let received_at = office.engine.now();
    let opened = hub.open_notice(&Notice { headers: &headers, body: &taken.body, received_at });
    assert!(opened.is_err());
    running.stop().await;
}

fn bill(office: &Office, hub: &WechatV2, kind: BillKind) -> Outcome<BillAnswer> {
    let call = hub.ask_bill(kind, "2026-11-20".parse().unwrap()).unwrap();
    let answer = ask(office, hub, &call);
    hub.read_bill_ticket(&answer, office.engine.now())
}

#[test]
fn the_hub_reads_every_row_of_every_bill() {
    for hub in hubs() {
        let office = office();
        offer(&office, &hub, Product::Native);
        office.engine.pay(NO, false).unwrap();
        accepted(refund(&office, &hub, 3000, URL));
        assert_eq!(accepted(bill(&office, &hub, BillKind::Trade)), BillAnswer::NotYet);
        office.pass(86_400);
        for (kind, rows) in [(BillKind::Trade, 2), (BillKind::Payments, 1), (BillKind::Refunds, 1)]
        {
            let BillAnswer::Here(file) = accepted(bill(&office, &hub, kind)) else {
                panic!("{kind:?}")
            };
            let mut found = 0;
            let totals = adapters::bill::read(&file, &mut |row| {
                assert_eq!(row.out_trade_no, NO);
                found += 1;
            })
            .unwrap();
            assert_eq!((found, totals.footer_ok), (rows, true), "{kind:?}");
        }
    }
    let (shop, hub) = (office(), hub(SignType::HmacSha256));
    shop.pass(86_400);
    assert_eq!(accepted(bill(&shop, &hub, BillKind::Trade)), BillAnswer::EmptyDay);
}

#[test]
fn a_reversal_is_in_the_bill_as_money_that_went_back() {
    let (office, hub) = (office(), hub(SignType::Md5));
    accepted(place(&office, &hub, Product::Codepay, PAYS, URL));
    accepted(close(&office, &hub, Product::Codepay));
    office.pass(86_400);
    let BillAnswer::Here(file) = accepted(bill(&office, &hub, BillKind::Trade)) else {
        panic!("no file")
    };
    let mut rows = Vec::new();
    let totals = adapters::bill::read(&file, &mut |row| {
        rows.push((row.direction, row.out_trade_no == NO, row.amount.get()));
    })
    .unwrap();
    let row = |direction| (direction, true, 8000);
    assert_eq!(rows, [row(Direction::Payment), row(Direction::Refund)]);
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
}

#[test]
fn a_service_provider_orders_for_its_sub_merchant_alone() {
    let clock = ManualClock::at(morning());
    let mut config = config();
    for merchant in &mut config.wechat {
        let sub = SubMerchant { mchid: "1900000401".to_owned(), appid: None };
        merchant.sub_merchants.push(sub);
    }
    let engine = Arc::new(Engine::new(&config, Arc::new(clock.clone())).unwrap());
    let office = Office { engine, clock };
    let for_sub = WechatV2::new(WechatV2Config {
        sub_merchant: Some(adapters::wechat::SubMerchant {
            mchid: "1900000401".to_owned(),
            appid: None,
        }),
        ..settings(SignType::HmacSha256)
    })
    .unwrap();
    offer(&office, &for_sub, Product::Native);
    assert_eq!(standing(&office, &hub(SignType::HmacSha256)), OrderStanding::Absent);
    office.engine.pay(NO, false).unwrap();
    paid(&office, &for_sub);
    accepted(refund(&office, &for_sub, 3000, URL));
    office.pass(60);
    assert_eq!(refund_standing(&office, &for_sub), Some(RefundStanding::Succeeded));
    office.pass(86_400);
    let file = accepted(bill(&office, &for_sub, BillKind::Trade));
    assert!(matches!(file, BillAnswer::Here(_)), "{file:?}");
    deviates_in_nothing(&office);
}

#[test]
fn fund_flows_are_read_under_hmac() {
    let (office, hub) = (office(), hub(SignType::HmacSha256));
    offer(&office, &hub, Product::Native);
    office.engine.pay(NO, false).unwrap();
    office.pass(86_400);
    let flow = accepted(bill(&office, &hub, BillKind::FundFlow(FundAccount::Basic)));
    assert!(matches!(flow, BillAnswer::Here(_)), "{flow:?}");
}
