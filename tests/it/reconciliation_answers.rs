//! What was asked and answered is not proposed to be asked: what a report proposes follows from the
//! answer that it shows.

use payhub::demo::{ALIPAY, Office, WECHAT};
use payhub::reconcile;
use sandbox::{Action, Fault, Match, Operation, Place};
use serde_json::Value;

use crate::harness::{World, at, word};

const FRIDAY: &str = "2018-11-30";
/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";
/// The word of each proposal that is to ask.
const ASKS: &str = "向渠道查询";

fn in_the_bill(action: Action, account: &str, number: &str) -> Fault {
    let mut fault = Fault::new(Place::Bill, action);
    fault.of = Match {
        out_trade_no: Some(number.to_owned()),
        merchant: Some(account.to_owned()),
        ..Match::default()
    };
    fault
}

async fn next_morning(world: &World) {
    world.clock.set(at(NEXT_MORNING));
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
}

/// The one difference of the day, and the report as it is printed.
async fn found(world: &World, merchant: &str) -> (Value, String) {
    let path = format!("/v1/reconciliations?date={FRIDAY}&merchant_id={merchant}");
    let run = word(&world.get(&path).await.unwrap().1["data"][0], "id");
    let path = format!("/v1/reconciliations/{run}/differences");
    let differences = world.get(&path).await.unwrap().1;
    assert_eq!(differences["data"].as_array().unwrap().len(), 1, "{differences}");
    let url = world.url(&format!("/v1/reconciliations/{run}/report.html"));
    let page = world.client().get(url).bearer_auth(Office::api_key()).send().await.unwrap();
    (differences["data"][0].clone(), page.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_its_provider_confirms_is_asked_of_the_bill() {
    let world = World::open().await;
    for (merchant, account) in [(WECHAT, "1900000001"), (ALIPAY, "2021000000000000")] {
        let (_, _, number) = world.paid(merchant, merchant).await;
        let fault = in_the_bill(Action::MissingRow, account, &number);
        world.sandbox.engine().set_fault(fault).unwrap();
        // Without another one the day would have no bill.
        world.paid(merchant, &format!("{merchant} too")).await;
    }
    next_morning(&world).await;
    for merchant in [WECHAT, ALIPAY] {
        let (difference, page) = found(&world, merchant).await;
        assert_eq!(difference["cause"], "bill_omits", "{difference}");
        assert_eq!(difference["proposed_action"], "ask_for_bill", "{difference}");
        assert!(page.contains("已支付") && page.contains("向渠道索取更正后的账单"), "{page}");
        assert!(!page.contains(ASKS), "{page}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_that_its_provider_contradicts_is_not_believed() {
    let world = World::open().await;
    for (merchant, account) in [(WECHAT, "1900000001"), (ALIPAY, "2021000000000000")] {
        let fee = world.fee(merchant).await;
        let (status, order) = world.order(merchant, &[&fee]).await;
        assert_eq!(status, 201, "{order}");
        let number = word(&order, "out_trade_no");
        let fault = in_the_bill(Action::ExtraRow, account, &number);
        world.sandbox.engine().set_fault(fault).unwrap();
    }
    next_morning(&world).await;
    for merchant in [WECHAT, ALIPAY] {
        let (difference, page) = found(&world, merchant).await;
        assert_eq!(difference["cause"], "bill_contradicted", "{difference}");
        assert_eq!(difference["proposed_action"], "hold_and_ask", "{difference}");
        assert!(page.contains("请渠道书面说明以何者为准") && !page.contains(ASKS), "{page}");
    }
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 0, "nothing is booked");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_answer_decides_is_still_proposed_to_be_asked() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    let fault = in_the_bill(Action::ExtraRow, "1900000001", &word(&order, "out_trade_no"));
    world.sandbox.engine().set_fault(fault).unwrap();
    let mut silent = Fault::new(Place::Answer, Action::Status500);
    silent.operation = Some(Operation::Query);
    world.sandbox.engine().set_fault(silent).unwrap();
    next_morning(&world).await;
    let (difference, page) = found(&world, WECHAT).await;
    assert_eq!(difference["cause"], "callback_lost", "{difference}");
    assert!(page.contains("渠道未答复") && page.contains(ASKS), "{page}");
    world.finish().await;
}
