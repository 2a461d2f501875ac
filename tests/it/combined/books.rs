//! Parts of combined orders in the books: whose a fact is, what the bill says, and what the
//! database itself refuses.

use callbacks::Claim;
use domain::Fen;
use domain::fact::{PaymentFact, ProviderFact, Source, Stated};
use payhub::demo::{ALIPAY, WECHAT};
use payhub::record::{Arrival, Verdict, record};
use sandbox::{Action, Fault, Match, Operation, Place};
use serde_json::Value;

use super::{TAX, office, pay, stands, waiting};
use crate::harness::{World, at, word};

/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

/// Records that the tax was paid, heard through a merchant and naming a payee and an application.
async fn heard(world: &World, whole: &Value, through: &str, payee: &str, app: &str) -> Verdict {
    let fact = PaymentFact {
        stated: Stated {
            payee: Some(payee.to_owned()),
            app: Some(app.to_owned()),
            currency: Some("CNY".to_owned()),
        },
        out_trade_no: word(&whole["orders"][1], "out_trade_no").parse().unwrap(),
        provider_trade_no: "T-tax".parse().unwrap(),
        amount: Fen::new(8000),
        coupon: Fen::ZERO,
        paid_at: world.hub.clock.now(),
    };
    let claims = vec![Claim { fact: ProviderFact::Payment(fact), source: Source::Callback }];
    let merchant = world.hub.merchant(through).unwrap();
    record(&world.hub, &[Arrival { merchant, claims, evidence: None }]).await.unwrap()[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_about_a_part_must_name_its_payee_and_come_from_who_asked() {
    let world = office().await;
    let (_, tax, whole) = waiting(&world).await;
    let app = "wx8888888888888888";
    for (through, payee, app) in [
        (WECHAT, "1900000001", app),
        (WECHAT, "1900000109", "wx0000000000000000"),
        (ALIPAY, "1900000109", app),
    ] {
        let verdict = heard(&world, &whole, through, payee, app).await;
        assert_eq!(verdict, Verdict::Incident, "{through} {payee} {app}");
    }
    assert_eq!(world.fee_status(&tax).await, "issued");
    assert_eq!(heard(&world, &whole, WECHAT, "1900000109", app).await, Verdict::Applied);
    assert_eq!(heard(&world, &whole, TAX, "1900000109", app).await, Verdict::Known);
    assert_eq!(world.fee_status(&tax).await, "paid");
    // One part is paid and the other is not: the whole is still open, and is asked for.
    assert_eq!(stands(&world, &whole).await, ["pending", "pending", "paid"]);
    world.close_only().await;
}

async fn differences(world: &World, merchant: &str) -> (Value, Value) {
    let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={merchant}");
    let (_, list) = world.get(&path).await.unwrap();
    let run = list["data"][0].clone();
    let path = format!("/v1/reconciliations/{}/differences", word(&run, "id"));
    (run, world.get(&path).await.unwrap().1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_the_bill_alone_tells_of_is_booked_by_asking_for_its_whole() {
    let world = office().await;
    let (_, _, whole) = waiting(&world).await;
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::Query);
    let dark = world.sandbox.engine().set_fault(dark).unwrap();
    pay(&world, &whole, false);
    world.seconds(60).await;
    assert_eq!(stands(&world, &whole).await, ["pending", "pending", "pending"]);
    world.sandbox.engine().lift_faults(Some(dark));
    world.clock.set(at(NEXT_MORNING));
    // Nobody follows orders meanwhile: the bill alone tells.
    while payhub::reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
    for merchant in [WECHAT, TAX] {
        let (run, _) = differences(&world, merchant).await;
        assert_eq!(word(&run, "status"), "balanced", "{merchant}: {run}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_its_bill_lacks_is_asked_for_with_its_whole() {
    let world = office().await;
    let (_, _, whole) = waiting(&world).await;
    pay(&world, &whole, true);
    world.settle().await.unwrap();
    let mut fault = Fault::new(Place::Bill, Action::MissingRow);
    let number = word(&whole["orders"][1], "out_trade_no");
    fault.of = Match { out_trade_no: Some(number), ..Match::default() };
    world.sandbox.engine().set_fault(fault).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let (run, _) = differences(&world, WECHAT).await;
    assert_eq!(word(&run, "status"), "balanced", "the other payee's day is right: {run}");
    let (_, found) = differences(&world, TAX).await;
    let detail = word(&found["data"][0], "detail");
    assert!(detail.contains("its provider says: paid"), "{detail}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_refuses_a_whole_that_is_not_its_parts() {
    let world = office().await;
    let (_, _, whole) = waiting(&world).await;
    let id = word(&whole, "id");
    let part = word(&whole["orders"][0], "id");
    let another = |amount: i64| {
        format!(
            "INSERT INTO combined_orders (combined_id, application_id, merchant_id, product, out_trade_no, amount_fen,
                                          place_call, created_at, expires_at)
             SELECT 'cmb_x', application_id, merchant_id, product, 'PX', {amount}, place_call, created_at, expires_at
               FROM combined_orders WHERE combined_id = '{id}'"
        )
    };
    // Two orders of their own, to be made parts by hand.
    let loose = "INSERT INTO orders (order_id, application_id, merchant_id, provider, product, out_trade_no, amount_fen,
                                     subject, state, place_call, created_at, expires_at)
                 SELECT 'ord_' || n, application_id, merchant_id, provider, product, 'PX' || n, 5, subject, 'closed', '',
                        created_at, expires_at
                   FROM orders, generate_series(1, 2) AS n WHERE out_trade_no = (SELECT min(out_trade_no) FROM orders)";
    let join = |order: &str, n: i32| {
        format!(
            "INSERT INTO combined_parts (order_id, combined_id, position, payee, asked_by, out_trade_no)
             VALUES ('{order}', 'cmb_x', {n}, 'payee{n}', '{WECHAT}', 'PX{n}')"
        )
    };
    let both = format!("{loose}; {}; {}", join("ord_1", 1), join("ord_2", 2));
    for (refused, statement) in [
        (Some("a_combined_order_has_two_to_ten_parts"), another(16_000)),
        (
            Some("a_part_belongs_to_one_combined_order"),
            format!("{}; {}", another(16_000), join(&part, 1)),
        ),
        (Some("a_combined_order_is_the_sum_of_its_parts"), format!("{}; {both}", another(11))),
        (
            Some("facts_are_never_changed"),
            format!("UPDATE combined_parts SET payee = '1' WHERE combined_id = '{id}'"),
        ),
        (None, format!("{}; {both}", another(10))),
    ] {
        let client = world.database().await;
        let done = client.batch_execute(&format!("BEGIN; {statement}; COMMIT")).await;
        let found = done.err().map(|error| {
            error.as_db_error().and_then(|error| error.constraint()).unwrap_or("?").to_owned()
        });
        assert_eq!(found.as_deref(), refused, "{statement}");
    }
    world.close_only().await;
}
