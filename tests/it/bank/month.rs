//! A month with weekends and the Spring Festival of 2019: days are paid, billed and reconciled, and
//! the bank pays them out by a calendar of its own.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{BankDays, bank_statement};
use serde_json::json;

use super::{balance, hand_in, lines, settlements};
use crate::harness::World;

/// 4 to 10 February were off; 2 and 3 February, a weekend, were worked for it.
fn spring_festival() -> BankDays {
    BankDays {
        closed: (4..=8).map(|day| date(2019, 2, day)).collect(),
        open: vec![date(2019, 2, 2), date(2019, 2, 3)],
    }
}

/// Sets the clock to an hour of a day in Beijing.
async fn at_hour(world: &World, day: Date, hour: i8) {
    let wall = day.at(hour, 5, 0, 0);
    world.clock.set(domain::time::from_beijing(wall));
    payhub::hub::prepare_months(&world.hub).await.unwrap();
    world.settle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_with_holidays_is_explained_to_the_fen() {
    let world = World::open().await;
    let bank = spring_festival();
    let (first, last) = (date(2019, 1, 21), date(2019, 2, 20));
    let (mut day, mut case, mut told) = (first, 0_u32, 0_usize);
    while day <= last {
        // Yesterday's bill, then the bank's word of what came by this morning.
        at_hour(&world, day, 10).await;
        let credits = world.sandbox.engine().bank_credits(&bank, day);
        let fresh = credits.get(told..).unwrap();
        if !fresh.is_empty() {
            let (status, taken) = hand_in(&world, &bank_statement(fresh)).await;
            assert_eq!(status, 201, "{taken}");
            assert_eq!(taken["matched"], json!(fresh.len()), "{day}: {taken} {fresh:?}");
            told = credits.len();
        }
        // The office takes money on every day, at weekends too; now and then it gives some back.
        at_hour(&world, day, 15).await;
        for merchant in [WECHAT, ALIPAY] {
            let payments = (case + u32::from(merchant == WECHAT)) % 3;
            for _ in 0..=payments {
                case += 1;
                let (_, order, _) = world.paid(merchant, &case.to_string()).await;
                if case % 5 == 0 {
                    let body = json!({"amount_fen": 100 + i64::from(case), "reason": "多收"});
                    let path = format!("/v1/orders/{order}/refunds");
                    assert!(world.post(&path, &body).await.unwrap().0 < 300);
                    world.seconds(120).await;
                }
            }
        }
        day = day.tomorrow().unwrap();
    }
    at_hour(&world, day, 10).await;
    let all = settlements(&world).await;
    let of_month = |it: &&serde_json::Value| {
        let on = it["bill_date"].as_str().unwrap().parse::<Date>().unwrap();
        (first..=last).contains(&on)
    };
    let days: Vec<_> = all.iter().filter(of_month).collect();
    assert_eq!(days.len(), 2 * usize::try_from((last - first).get_days() + 1).unwrap());
    // All that was due has arrived to the fen; what has not is the last day's.
    let mut unsettled = 0;
    for settlement in &days {
        let net = settlement["net_fen"].as_i64().unwrap();
        let due: Date = settlement["due_on"].as_str().unwrap().parse().unwrap();
        let expected_on = bank.arrival(settlement["bill_date"].as_str().unwrap().parse().unwrap());
        assert_eq!(due, expected_on, "{settlement}");
        if settlement["arrival"].is_null() {
            assert!(due > last || net == 0, "{settlement}");
            unsettled += net;
        } else {
            assert_eq!(settlement["arrival"]["difference_fen"], json!(0), "{settlement}");
            assert_eq!(settlement["arrival"]["value_date"], settlement["due_on"], "{settlement}");
        }
    }
    let festival: Vec<_> = days.iter().filter(|it| it["due_on"] == json!("2019-02-11")).collect();
    assert_eq!(festival.len(), 2 * 8, "the 3rd to the 10th arrive together: {festival:?}");
    assert!(unsettled > 0, "the last day is on its way");
    assert_eq!(balance(&world, "provider_clearing").await, unsettled);
    let arrived: i64 = world.count("SELECT sum(amount_fen)::bigint FROM bank_lines").await;
    assert_eq!(balance(&world, "collecting_account").await, arrived);
    for status in ["proposed", "unmatched"] {
        assert_eq!(lines(&world, status).await, Vec::<serde_json::Value>::new(), "{status}");
    }
    assert_eq!(last.checked_add(1.day()).unwrap(), day);
    a_months_statement_carries_what_is_underway(&world, unsettled).await;
    world.finish().await;
}

/// What the statement of one month leaves underway the next one begins with, and its end is the journal's.
async fn a_months_statement_carries_what_is_underway(world: &World, unsettled: i64) {
    let month = async |month: &str| {
        let (status, found) =
            world.get(&format!("/v1/statements/month?month={month}")).await.unwrap();
        assert_eq!((status, &found["foots"]), (200, &json!(true)), "{found}");
        found["bank"].clone()
    };
    let (january, february) = (month("2019-01").await, month("2019-02").await);
    let fen = |of: &serde_json::Value, name: &str| of[name].as_i64().unwrap();
    for of in [&january, &february] {
        let settled = fen(of, "arrived_fen") - fen(of, "apart_fen");
        assert_eq!(fen(of, "opening_fen") + fen(of, "due_fen") - settled, fen(of, "closing_fen"));
        assert!(fen(of, "due_fen") > 0 && fen(of, "arrived_fen") > 0, "{of}");
    }
    assert_eq!(january["opening_fen"], json!(0));
    assert!(fen(&january, "closing_fen") > 0, "the last days of January arrive in February");
    assert_eq!(january["closing_fen"], february["opening_fen"]);
    assert_eq!(fen(&february, "closing_fen"), unsettled);
    let arrived: i64 = world.count("SELECT sum(amount_fen)::bigint FROM bank_lines").await;
    assert_eq!(fen(&january, "arrived_fen") + fen(&february, "arrived_fen"), arrived);
}
