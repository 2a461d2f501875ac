//! Turns at the counter, over two hubs or two requests at once: what is on its way there, and what
//! is being taken back. A barcode is charged once, and money that the payer has back is not booked.

use std::time::Duration;

use callbacks::Claim;
use domain::Clock as _;
use domain::fact::{PaymentFact, ProviderFact, Source, Stated};
use domain::ids::OrderId;
use payhub::demo::ALIPAY;
use payhub::orders::{Closed, Why, close, follow};
use payhub::record::{Arrival, Verdict, record};
use payhub::store::orders::{OrderRecord, by_ids};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, at, word};
use crate::products::{LEGACY, legacy};

/// A merchant with its product, and its provider's words for what it is asked.
struct Counter {
    merchant: &'static str,
    product: &'static str,
    place: &'static str,
    query: &'static str,
    take_back: &'static str,
    /// The first digits of a barcode; the last four say what becomes of it.
    code: &'static str,
}

const COUNTERS: [Counter; 2] = [
    Counter {
        merchant: LEGACY,
        product: "codepay",
        place: "/pay/micropay",
        query: "/pay/orderquery",
        take_back: "/secapi/pay/reverse",
        code: "13456789012345",
    },
    Counter {
        merchant: ALIPAY,
        product: "pay",
        place: "alipay.trade.pay",
        query: "alipay.trade.query",
        take_back: "alipay.trade.cancel",
        code: "28123456789012",
    },
];

/// The payer is asked for a password.
const ASKED: &str = "9900";
/// Two payers, who pay in the same breath.
const ONE: &str = "6788";
const OTHER: &str = "6799";

impl Counter {
    async fn scan(&self, world: &World, fee: &str, tail: &str) -> (u16, Value) {
        let body = json!({
            "merchant_id": self.merchant, "product": self.product, "fee_ids": [fee],
            "auth_code": format!("{}{tail}", self.code),
        });
        world.post("/v1/orders", &body).await.unwrap()
    }
}

/// The next call of that kind goes wrong, or is answered `delay_s` seconds later.
fn spoil(world: &World, operation: Operation, action: Action, delay_s: Option<u32>) {
    let mut fault = Fault::new(Place::Answer, action).during(operation).times(1);
    fault.delay_s = delay_s;
    world.sandbox.engine().set_fault(fault).unwrap();
}

/// How often the provider was asked to do something.
fn asked(world: &World, call: &str) -> usize {
    let state = world.sandbox.engine().state();
    let is = |said: &&sandbox::Verdict| {
        said.target.starts_with(call) || said.call.as_deref() == Some(call)
    };
    state.requests.iter().filter(is).count()
}

/// What the payers of these orders are charged in all, after what they have back.
fn charged(world: &World, orders: &[&Value]) -> i64 {
    let state = world.sandbox.engine().state();
    let numbers: Vec<String> = orders.iter().map(|order| word(order, "out_trade_no")).collect();
    let theirs = state.orders.iter().filter(|order| numbers.contains(&order.out_trade_no));
    theirs.map(|order| order.paid_fen.get() - order.refunded_fen.get()).sum()
}

async fn status(world: &World, order: &Value) -> String {
    word(&world.order_now(&word(order, "id")).await, "status")
}

async fn stored(world: &World, order: &Value) -> OrderRecord {
    let client = world.hub.store.client().await.unwrap();
    by_ids(&client, &[word(order, "id").as_str()]).await.unwrap().pop().unwrap()
}

async fn told(world: &World, order: &Value) -> i64 {
    let told = format!(
        "SELECT count(*) FROM incidents WHERE kind = 'payment_taken_back'
          AND order_id = '{}' AND detail LIKE '%{}%¥80.00%'",
        word(order, "id"),
        word(order, "out_trade_no")
    );
    world.count(&told).await
}

/// Waits until the provider has been asked `count` times.
async fn until_asked(world: &World, call: &str, count: usize) {
    for _ in 0..400 {
        if asked(world, call) >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{call} was not asked {count} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barcode_that_was_superseded_is_not_sent_by_whoever_read_it_before() {
    let world = World::open_with(&legacy()).await;
    for counter in &COUNTERS {
        let fee = world.fee(counter.merchant).await;
        spoil(&world, Operation::Place, Action::Drop, None);
        let (code, first) = counter.scan(&world, &fee, ONE).await;
        assert_eq!((code, word(&first, "status").as_str()), (202, "unknown"), "{first}");
        // The clerk comes again half a minute later, while a worker's query is under way.
        world.clock.set(world.hub.clock.now() + Duration::from_secs(30));
        spoil(&world, Operation::Query, Action::Delay, Some(3));
        let id: OrderId = word(&first, "id").parse().unwrap();
        let before = asked(&world, counter.query);
        let follower = follow(&world.hub, &id);
        let second = async {
            until_asked(&world, counter.query, before + 1).await;
            counter.scan(&world, &fee, OTHER).await
        };
        let (followed, (code, second)) = tokio::join!(follower, second);
        assert_eq!(followed.unwrap().status.as_str(), "closed", "{}", counter.merchant);
        assert_eq!((code, word(&second, "status").as_str()), (201, "paid"), "{second}");
        assert_eq!(charged(&world, &[&first, &second]), 8000, "{}", counter.merchant);
        assert_eq!(asked(&world, counter.place), 2, "{}", counter.merchant);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barcode_that_may_still_be_on_its_way_is_not_superseded_and_not_sent_again() {
    let world = World::open_with(&legacy()).await;
    for counter in &COUNTERS {
        let fee = world.fee(counter.merchant).await;
        spoil(&world, Operation::Place, Action::Drop, None);
        let (_, first) = counter.scan(&world, &fee, ONE).await;
        let body = json!({
            "merchant_id": counter.merchant, "product": counter.product, "fee_ids": [fee],
            "auth_code": format!("{}{OTHER}", counter.code),
        });
        let (code, refused) = world.post("/v1/orders", &body).await.unwrap();
        assert_eq!((code, &refused["code"]), (409, &json!("fee_has_live_order")), "{refused}");
        assert_eq!(refused["order_id"], first["id"]);
        for _ in 0..9 {
            world.seconds(2).await;
            assert_eq!(counter.scan(&world, &fee, OTHER).await.0, 409, "{}", counter.merchant);
        }
        assert_eq!(asked(&world, counter.place), 1, "{}", counter.merchant);
        assert_eq!(asked(&world, counter.take_back), 1, "{}", counter.merchant);
        world.seconds(2).await;
        let (code, second) = counter.scan(&world, &fee, OTHER).await;
        assert_eq!((code, word(&second, "status").as_str()), (201, "paid"), "{second}");
        assert_eq!(charged(&world, &[&first, &second]), 8000, "{}", counter.merchant);
        assert_eq!(status(&world, &first).await, "closed");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_paid_meanwhile_is_not_taken_back() {
    let world = World::open_with(&legacy()).await;
    for counter in &COUNTERS {
        let fee = world.fee(counter.merchant).await;
        let (_, order) = counter.scan(&world, &fee, ASKED).await;
        // One hub has heard that nobody paid; then the payer confirms, and another hub books it.
        let stale = stored(&world, &order).await;
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        let refresh = format!("/v1/orders/{}?refresh=true", word(&order, "id"));
        assert_eq!(word(&world.get(&refresh).await.unwrap().1, "status"), "paid");
        assert_eq!(close(&world.hub, &stale, Why::Expired).await.unwrap(), Closed::Paid);
        assert_eq!(asked(&world, counter.take_back), 0, "{}", counter.merchant);
        assert_eq!(charged(&world, &[&order]), 8000, "{}", counter.merchant);
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_an_order_is_taken_back_its_payment_is_not_booked() {
    let world = World::open_with(&legacy()).await;
    for counter in &COUNTERS {
        let fee = world.fee(counter.merchant).await;
        let (_, order) = counter.scan(&world, &fee, ASKED).await;
        let stale = stored(&world, &order).await;
        let paid = paid(&world, counter, &order);
        spoil(&world, Operation::Close, Action::Delay, Some(2));
        let taking_back = close(&world.hub, &stale, Why::Expired);
        let meanwhile = async {
            until_asked(&world, counter.take_back, 1).await;
            let refresh = format!("/v1/orders/{}?refresh=true", word(&order, "id"));
            let now = world.get(&refresh).await.unwrap().1;
            assert_ne!(word(&now, "status"), "paid", "{}", counter.merchant);
            // An older answer of the provider arrives only now.
            assert_eq!(heard(&world, counter, &paid).await, Verdict::Known);
            let other = close(&world.hub, &stale, Why::Expired).await.unwrap();
            assert_eq!(other, Closed::Unknown, "somebody takes it back already");
        };
        let (closed, ()) = tokio::join!(taking_back, meanwhile);
        assert_eq!(closed.unwrap(), Closed::Yes);
        assert_eq!(asked(&world, counter.take_back), 1, "{}", counter.merchant);
        assert_eq!(heard(&world, counter, &paid).await, Verdict::Known, "a straggler");
        assert_eq!(told(&world, &order).await, 0);
        // Once more it is looked at, and then never again.
        for _ in 0..20 {
            world.seconds(20).await;
        }
        assert_eq!(told(&world, &order).await, 1, "the payment came and went");
        assert_eq!(status(&world, &order).await, "closed");
        assert_eq!(charged(&world, &[&order]), 0);
        let asks = "SELECT count(*) FROM orders WHERE next_query_at IS NOT NULL";
        assert_eq!(world.count(asks).await, 0);
        let (code, again) = counter.scan(&world, &fee, ONE).await;
        assert_eq!((code, word(&again, "status").as_str()), (201, "paid"), "{again}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taking_back_that_ends_after_the_payment_was_booked_is_told_to_finance() {
    let world = World::open_with(&legacy()).await;
    for counter in &COUNTERS {
        let fee = world.fee(counter.merchant).await;
        let (_, order) = counter.scan(&world, &fee, ASKED).await;
        let stale = stored(&world, &order).await;
        let paid = paid(&world, counter, &order);
        spoil(&world, Operation::Close, Action::Delay, Some(2));
        let taking_back = close(&world.hub, &stale, Why::Expired);
        let meanwhile = async {
            until_asked(&world, counter.take_back, 1).await;
            // Nobody waits any longer for an answer that takes so long.
            world.clock.set(world.hub.clock.now() + Duration::from_secs(21));
            assert_eq!(heard(&world, counter, &paid).await, Verdict::Applied);
        };
        let (closed, ()) = tokio::join!(taking_back, meanwhile);
        assert_eq!(closed.unwrap(), Closed::Paid);
        assert_eq!(told(&world, &order).await, 1, "{}", counter.merchant);
        assert_eq!(world.fee_status(&fee).await, "paid", "until a person undoes it");
    }
    world.finish().await;
}

/// The payer confirms; the payment as the provider would state it before it is taken back.
fn paid(world: &World, counter: &Counter, order: &Value) -> PaymentFact {
    let number = word(order, "out_trade_no");
    world.sandbox.engine().pay(&number, false).unwrap();
    let state = world.sandbox.engine().state();
    let there = state.orders.iter().find(|order| order.out_trade_no == number).unwrap();
    assert_eq!(there.paid_fen, there.amount_fen, "{}", counter.merchant);
    PaymentFact {
        stated: Stated::default(),
        out_trade_no: number.parse().unwrap(),
        provider_trade_no: there.provider_trade_nos[0].parse().unwrap(),
        amount: there.amount_fen,
        coupon: domain::Fen::ZERO,
        paid_at: at("2018-11-30T01:00:00Z"),
    }
}

/// The hub hears of the payment by a query.
async fn heard(world: &World, counter: &Counter, fact: &PaymentFact) -> Verdict {
    let fact = ProviderFact::Payment(fact.clone());
    let claims = vec![Claim { fact, source: Source::Query }];
    let merchant = world.hub.merchant(counter.merchant).unwrap();
    let arrival = Arrival { merchant, claims, evidence: None };
    record(&world.hub, &[arrival]).await.unwrap()[0]
}
