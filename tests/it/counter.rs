//! At the counter: the clerk scans the payer, and within a minute the order is paid, refused or
//! taken back. Nothing calls back, and a barcode is never kept in clear.

use payhub::demo::ALIPAY;
use payhub::orders::{Closed, Why, close};
use payhub::store::orders::{OrderRecord, by_ids};
use sandbox::{Action, Fault, Operation, Place, Verdict};
use serde_json::{Value, json};

use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

/// A merchant, its product, and barcodes: one that pays, one that asks the payer, one that pays
/// while the answer says that nobody knows, one that is not good.
type Counter = (&'static str, &'static str, [&'static str; 4]);

const COUNTERS: [Counter; 2] = [
    (
        LEGACY,
        "codepay",
        ["134567890123456788", "134567890123459900", "134567890123459901", "134567890123459902"],
    ),
    (
        ALIPAY,
        "pay",
        ["281234567890123488", "281234567890129900", "281234567890129901", "281234567890129902"],
    ),
];

/// What places an order at each counter, and what takes it back.
const CALLS: [[&str; 2]; 2] =
    [["/pay/micropay", "/secapi/pay/reverse"], ["alipay.trade.pay", "alipay.trade.cancel"]];

/// How often a provider was asked to do something.
fn asked(world: &World, call: &str) -> usize {
    let state = world.sandbox.engine().state();
    let is = |said: &&Verdict| said.target.starts_with(call) || said.call.as_deref() == Some(call);
    state.requests.iter().filter(is).count()
}

async fn scan(world: &World, counter: &Counter, fee: &str, code: &str) -> (u16, Value) {
    let body = json!({
        "merchant_id": counter.0, "product": counter.1, "fee_ids": [fee], "auth_code": code,
    });
    world.post("/v1/orders", &body).await.unwrap()
}

async fn status(world: &World, order: &Value) -> String {
    word(&world.order_now(&word(order, "id")).await, "status")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barcode_pays_in_the_same_breath() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let [pays, _, unseen, bad] = counter.2;
        let fee = world.fee(counter.0).await;
        let (code, order) = scan(&world, &counter, &fee, pays).await;
        assert_eq!((code, word(&order, "status").as_str()), (201, "paid"), "{order}");
        assert_eq!(order["pay"], json!({"kind": "none"}));
        assert_eq!(order["payments"][0]["source"], "query");
        assert_eq!(world.fee_status(&fee).await, "paid");
        let fee = world.fee(&format!("{}-bad", counter.0)).await;
        let (code, refused) = scan(&world, &counter, &fee, bad).await;
        assert_eq!((code, &refused["code"]), (422, &json!("provider_refused")), "{refused}");
        // Its answer is lost, and it was paid all the same: a query tells.
        let (_, order) = scan(&world, &counter, &fee, unseen).await;
        world.seconds(6).await;
        assert_eq!(status(&world, &order).await, "paid", "{order}");
    }
    let clear = "SELECT (SELECT count(*) FROM orders WHERE to_jsonb(orders)::text ~ '(13456|28123)[0-9]{12}')
                      + (SELECT count(*) FROM provider_calls WHERE to_jsonb(provider_calls)::text ~ '(13456|28123)[0-9]{12}')";
    assert_eq!(world.count(clear).await, 0, "barcodes are sealed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_who_is_asked_has_a_minute() {
    let world = World::open_with(&legacy()).await;
    for (counter, calls) in COUNTERS.iter().zip(CALLS) {
        let fee = world.fee(counter.0).await;
        let (code, order) = scan(&world, counter, &fee, counter.2[1]).await;
        assert_eq!((code, word(&order, "status").as_str()), (201, "pending"), "{order}");
        assert_eq!(order["pay"], json!({"kind": "none"}));
        for _ in 0..4 {
            world.seconds(6).await;
            assert_eq!(status(&world, &order).await, "pending", "{}", counter.0);
        }
        assert_eq!(calls.map(|call| asked(&world, call)), [1, 0], "sent once, not taken back");
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        world.seconds(5).await;
        assert_eq!(status(&world, &order).await, "paid", "asked every five seconds");
        assert_eq!(world.fee_status(&fee).await, "paid");
        assert_eq!(calls.map(|call| asked(&world, call)), [1, 0]);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_who_goes_away_is_taken_back_and_the_fee_is_free() {
    let world = World::open_with(&legacy()).await;
    for (counter, calls) in COUNTERS.into_iter().zip(CALLS) {
        let fee = world.fee(counter.0).await;
        let (_, order) = scan(&world, &counter, &fee, counter.2[1]).await;
        for _ in 0..11 {
            world.seconds(5).await;
        }
        assert_eq!(calls.map(|call| asked(&world, call)), [1, 0], "its minute is not over");
        for _ in 0..5 {
            world.seconds(5).await;
        }
        // Alipay closes it by itself when its time is over.
        let taken_back = usize::from(counter.0 == LEGACY);
        assert_eq!(calls.map(|call| asked(&world, call)), [1, taken_back], "{}", counter.0);
        assert_eq!(status(&world, &order).await, "closed", "{}", counter.0);
        let number = word(&order, "out_trade_no");
        assert!(world.sandbox.engine().pay(&number, false).is_err(), "{}", counter.0);
        let (code, paid) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, word(&paid, "status").as_str()), (201, "paid"), "{paid}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_barcode_is_a_new_order_and_the_earlier_one_is_taken_back_first() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (_, first) = scan(&world, &counter, &fee, counter.2[1]).await;
        world.seconds(6).await;
        let (code, same) = scan(&world, &counter, &fee, counter.2[1]).await;
        assert_eq!((code, &same["id"]), (200, &first["id"]), "the same barcode");
        let (code, second) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, word(&second, "status").as_str()), (201, "paid"), "{second}");
        assert_eq!(status(&world, &first).await, "closed");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_came_while_another_barcode_was_scanned_is_kept() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (_, first) = scan(&world, &counter, &fee, counter.2[1]).await;
        world.sandbox.engine().pay(&word(&first, "out_trade_no"), false).unwrap();
        let (code, refused) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, &refused["code"]), (409, &json!("fee_already_paid")), "{refused}");
        assert_eq!(status(&world, &first).await, "paid", "taking it back would give it back");
    }
    world.finish().await;
}

async fn stored(world: &World, order: &Value) -> OrderRecord {
    let client = world.hub.store.client().await.unwrap();
    by_ids(&client, &[word(order, "id").as_str()]).await.unwrap().pop().unwrap()
}

/// The next answer to such a call goes wrong.
fn spoil(world: &World, operation: Operation, action: Action) {
    let fault = Fault::new(Place::Answer, action).during(operation).times(1);
    world.sandbox.engine().set_fault(fault).unwrap();
}

async fn taken_back(world: &World, number: &str) -> i64 {
    let told = format!(
        "SELECT count(*) FROM incidents WHERE kind = 'payment_taken_back'
          AND detail LIKE '%{number}%¥80.00%'"
    );
    world.count(&told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_what_taking_back_gave_back_is_not_booked_though_its_answer_was_lost() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (_, order) = scan(&world, &counter, &fee, counter.2[1]).await;
        let number = word(&order, "out_trade_no");
        // The payer confirms in the moment in which the order is taken back.
        world.sandbox.engine().pay(&number, true).unwrap();
        spoil(&world, Operation::Close, Action::DropAfterCommit);
        let closed = close(&world.hub, &stored(&world, &order).await, Why::Expired).await.unwrap();
        assert_eq!(closed, Closed::Unknown, "{}", counter.0);
        for _ in 0..3 {
            world.seconds(60).await;
            assert_eq!(status(&world, &order).await, "closed", "{}", counter.0);
        }
        assert_eq!(taken_back(&world, &number).await, 1, "{}: once for the order", counter.0);
        let booked =
            "SELECT count(*) FROM payments JOIN orders USING (order_id) WHERE out_trade_no";
        assert_eq!(world.count(&format!("{booked} = '{number}'")).await, 0);
        assert_ne!(world.fee_status(&fee).await, "paid", "the payer has the money back");
        let (code, paid) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, word(&paid, "status").as_str()), (201, "paid"), "{paid}");
    }
    world.finish().await;
}

/// An order whose first sending got no answer while its payer is asked, which the replica that is
/// asked does not have yet, and whose repeat is refused.
async fn refused_when_repeated(world: &World, counter: &Counter) -> (String, Value) {
    let fee = world.fee(counter.0).await;
    spoil(world, Operation::Place, Action::DropAfterCommit);
    spoil(world, Operation::Query, Action::Absent);
    spoil(world, Operation::Place, Action::NotEnough);
    let (code, order) = scan(world, counter, &fee, counter.2[1]).await;
    assert_eq!((code, word(&order, "status").as_str()), (202, "unknown"), "{order}");
    world.seconds(2).await;
    assert_eq!(status(world, &order).await, "unknown", "{}: the first may have paid", counter.0);
    let sent = format!(
        "SELECT count(*) FROM provider_calls WHERE operation = 'place' AND subject_id = '{}'",
        word(&order, "id")
    );
    assert_eq!(world.count(&sent).await, 2, "{}", counter.0);
    (fee, order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_a_repeat_that_is_refused_ends_no_order_that_may_be_paid() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let (fee, order) = refused_when_repeated(&world, &counter).await;
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        world.seconds(10).await;
        assert_eq!(status(&world, &order).await, "paid", "{}", counter.0);
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_repeat_was_refused_is_taken_back_when_its_minute_is_over() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let (_, order) = refused_when_repeated(&world, &counter).await;
        for _ in 0..16 {
            world.seconds(5).await;
        }
        assert_eq!(status(&world, &order).await, "closed", "{}", counter.0);
        let number = word(&order, "out_trade_no");
        assert!(world.sandbox.engine().pay(&number, false).is_err(), "{}", counter.0);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barcode_that_never_left_is_not_charged_when_another_is_scanned() {
    let world = World::open_with(&legacy()).await;
    for (counter, [place, _]) in COUNTERS.into_iter().zip(CALLS) {
        let fee = world.fee(counter.0).await;
        let mut lost = Fault::new(Place::Answer, Action::Drop);
        lost.operation = Some(Operation::Place);
        let lost = world.sandbox.engine().set_fault(lost).unwrap();
        let (_, order) = scan(&world, &counter, &fee, counter.2[0]).await;
        world.sandbox.engine().lift_faults(Some(lost));
        // As a hub leaves it that dies before the call leaves.
        let left = "UPDATE orders SET state = 'created' WHERE state = 'unknown'";
        assert_eq!(world.database().await.execute(left, &[]).await.unwrap(), 1, "{order}");
        world.clock.advance(jiff::SignedDuration::from_secs(25));
        let before = asked(&world, place);
        let (code, second) = scan(&world, &counter, &fee, counter.2[1]).await;
        assert_eq!((code, word(&second, "status").as_str()), (201, "pending"), "{second}");
        assert_eq!(asked(&world, place), before + 1, "the second one's, and no other");
        assert_eq!(status(&world, &order).await, "closed");
    }
    world.close_only().await;
}
