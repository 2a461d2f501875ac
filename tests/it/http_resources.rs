//! Fees, orders, events and callbacks as a backend service and a provider see them.

use payhub::demo::{ALIPAY, WECHAT};
use payhub::record::Verdict;
use serde_json::{Value, json};

use crate::harness::{World, word};

async fn fee_of(world: &World, change: impl FnOnce(&mut Value)) -> (u16, Value) {
    let mut body = json!({
        "case_no": "201811300001", "accepted_on": "2018-11-30",
        "items": [{"code": "REG.RES", "quantity": 1, "registration_type": "transfer"}],
        "payer": {"name": "张三", "phone": "+86 138-1234-5678", "id_no": "320500199001010000"},
    });
    change(&mut body);
    world.post("/v1/fees", &body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_prices_a_fee_and_takes_no_other_amount() {
    let world = World::open().await;
    let items = json!({"items": [{"code": "REG.RES", "quantity": 2}], "accepted_on": "2018-11-30"});
    let (status, quote) = world.post("/v1/fees/quote", &items).await.unwrap();
    assert_eq!((status, &quote["total_fen"]), (200, &json!(16000)), "{quote}");
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 0);
    let (status, refused) = fee_of(&world, |body| body["total_fen"] = json!(7999)).await;
    assert_eq!((status, &refused["code"]), (422, &json!("amount_mismatch")));
    assert_eq!(refused["expected_total_fen"], json!(8000));
    let (status, fee) = fee_of(&world, |body| body["total_fen"] = json!(8000)).await;
    assert_eq!((status, &fee["status"], &fee["total_fen"]), (201, &json!("issued"), &json!(8000)));
    assert_eq!(fee["lines"][0]["amount_fen"], json!(8000));
    let (status, again) = world.get(&format!("/v1/fees/{}", word(&fee, "id"))).await.unwrap();
    assert_eq!((status, again), (200, fee));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_is_shown_masked_and_stored_sealed() {
    let world = World::open().await;
    let (_, fee) = fee_of(&world, |_| {}).await;
    assert_eq!(fee["payer"], json!({"name": "张*", "phone": "138****5678"}));
    let (status, refused) = fee_of(&world, |body| body["payer"]["phone"] = json!("12345")).await;
    assert_eq!((status, &refused["path"]), (422, &json!("payer.phone")));
    let client = world.database().await;
    let rows = client.query("SELECT fees::text, notifications::text FROM fees, notifications", &[]);
    let rows = rows.await.unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let text = row.get::<_, String>(0) + row.get::<_, &str>(1);
        for clear in ["张三", "13812345678", "320500199001010000"] {
            assert!(!text.contains(clear), "{clear}");
        }
    }
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fees_of_a_case_come_in_pages() {
    let world = World::open().await;
    let mut issued = Vec::new();
    for _ in 0..5 {
        issued.push(word(&fee_of(&world, |_| {}).await.1, "id"));
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/fees?case_no=201811300001&limit=2{cursor}");
        let (_, page) = world.get(&path).await.unwrap();
        seen.extend(page["data"].as_array().unwrap().iter().map(|fee| word(fee, "id")));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, issued);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_is_void_only_while_nobody_can_pay_it() {
    let world = World::open().await;
    let fee = word(&fee_of(&world, |_| {}).await.1, "id");
    let void = format!("/v1/fees/{fee}/void");
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    let (status, refused) = world.post(&void, &json!({})).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("fee_has_live_order")));
    let close = format!("/v1/orders/{}/close", word(&order, "id"));
    for _ in 0..2 {
        let (status, closed) = world.post(&close, &json!({})).await.unwrap();
        assert_eq!((status, &closed["status"]), (200, &json!("closed")));
    }
    for _ in 0..2 {
        let (status, fee) = world.post(&void, &json!({})).await.unwrap();
        assert_eq!((status, &fee["status"]), (200, &json!("void")));
    }
    let (status, refused) = world.order(WECHAT, &[&fee]).await;
    assert_eq!((status, &refused["code"]), (409, &json!("fee_void")));
    let (paid, order, _) = world.paid(ALIPAY, "2").await;
    let (status, refused) = world.post(&format!("/v1/fees/{paid}/void"), &json!({})).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("fee_already_paid")));
    let close = format!("/v1/orders/{order}/close");
    let (status, refused) = world.post(&close, &json!({})).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("order_paid")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_tells_what_a_service_missed_page_by_page() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.paid(ALIPAY, "2").await;
    // The feed holds back what is younger than any transaction still open in the whole cluster, so
    // tests beside this one may delay it; it never skips.
    let mut all = Value::Null;
    for _ in 0..5000 {
        all = world.get("/v1/events").await.unwrap().1;
        if all["data"].as_array().is_some_and(|data| data.len() == 4) {
            break;
        }
    }
    let ids: Vec<String> =
        all["data"].as_array().unwrap().iter().map(|event| word(event, "id")).collect();
    assert_eq!((ids.len(), &all["next_cursor"]), (4, &Value::Null));
    let (_, page) = world.get(&format!("/v1/events?limit=2&after={}", ids[0])).await.unwrap();
    assert_eq!(page["data"], json!([all["data"][1], all["data"][2]]));
    assert_eq!(page["next_cursor"], json!(ids[2]));
    let (_, end) = world.get(&format!("/v1/events?after={}", ids[3])).await.unwrap();
    assert_eq!(end, json!({"data": [], "next_cursor": null}));
    let sent = world.receiver.heard();
    assert!(
        all["data"].as_array().unwrap().iter().all(|event| sent.iter().any(|it| it.body == *event))
    );
    let (status, refused) = world.get("/v1/events?after=evt_0").await.unwrap();
    assert_eq!((status, &refused["code"]), (422, &json!("after_unknown")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_for_which_an_order_came_meanwhile_is_not_called_void() {
    let world = World::open().await;
    let (a, b) = (world.fee("1").await, world.fee("2").await);
    let (_, order) = world.order(WECHAT, &[&a]).await;
    let creating = world.database().await;
    let begun = format!(
        "BEGIN; SELECT 1 FROM fee_balances WHERE fee_id = '{b}' FOR UPDATE;
         INSERT INTO live_orders VALUES ('{b}', '{}')",
        word(&order, "id")
    );
    creating.batch_execute(&begun).await.unwrap();
    let (path, nothing) = (format!("/v1/fees/{b}/void"), json!({}));
    let commit = async {
        let waits = "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while world.count(waits).await == 0 {}
        creating.batch_execute("COMMIT").await.unwrap();
    };
    let (answer, ()) = tokio::join!(world.post(&path, &nothing), commit);
    let (status, refused) = answer.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("fee_has_live_order")), "{refused}");
    assert_eq!(refused["order_id"], order["id"]);
    assert_eq!(world.fee_status(&b).await, "issued");
    world.close_only().await;
}

/// The ids of the first page of the feed that is not empty: an event is held back while any older
/// transaction of the cluster is open, so tests beside this one may delay it.
async fn page(world: &World, after: &str) -> Vec<String> {
    for _ in 0..5000 {
        let (_, page) = world.get(&format!("/v1/events{after}")).await.unwrap();
        let ids: Vec<String> =
            page["data"].as_array().unwrap().iter().map(|event| word(event, "id")).collect();
        if !ids.is_empty() {
            return ids;
        }
    }
    Vec::new()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_skips_no_event_however_transactions_overlap() {
    let world = World::open().await;
    let (early, late) = (world.database().await, world.database().await);
    let insert = |id: &str| {
        format!(
            "INSERT INTO events (event_id, application_id, type, subject_id, occurred_at, body)
             VALUES ('{id}', 'registry', 'order.paid', 'x', '2018-11-30', '{{\"id\":\"{id}\"}}')"
        )
    };
    // The first to begin is the last to write, and the first to commit.
    early.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
    late.batch_execute(&format!("BEGIN; {}", insert("evt_b"))).await.unwrap();
    early.batch_execute(&format!("{}; COMMIT", insert("evt_a"))).await.unwrap();
    assert_eq!(page(&world, "").await, ["evt_a"]);
    late.batch_execute("COMMIT").await.unwrap();
    assert_eq!(page(&world, "?after=evt_a").await, ["evt_b"]);
    assert_eq!(world.get("/v1/events?after=evt_b").await.unwrap().1["data"], json!([]));
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runs_asked_for_at_once_do_not_wait_for_one_another() {
    let world = World::open().await;
    let bodies: Vec<_> = (1..=30)
        .flat_map(|day| [(WECHAT, day), (ALIPAY, day)])
        .map(
            |(merchant, day)| json!({"merchant_id": merchant, "date": format!("2018-09-{day:02}")}),
        )
        .collect();
    let all = bodies.iter().map(|body| world.post("/v1/reconciliations", body));
    let answers = futures_util::future::join_all(all).await;
    let mut statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().0).collect();
    statuses.dedup();
    assert_eq!(statuses, [202]);
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_is_not_the_providers_changes_nothing_and_is_kept_within_bounds() {
    let world = World::open().await;
    for (merchant, says) in [(WECHAT, r#"{"code":"FAIL""#), (ALIPAY, "failure")] {
        let all = (0..60).map(|_| {
            let url = world.url(&format!("/callbacks/{merchant}"));
            let request = world.client().post(url).body("{\"forged\":true}");
            async move {
                let answer = request.send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            }
        });
        for (status, body) in futures_util::future::join_all(all).await {
            assert_eq!(status, 401);
            assert!(body.starts_with(says), "{body}");
        }
    }
    let refused = "SELECT count(*) FROM refused_callbacks";
    world.becomes(&refused.replace("count(*)", "(count(*) > 0)::int::bigint"), 1).await;
    let kept = world.count(refused).await;
    assert!((1..120).contains(&kept), "{kept} of 120 are kept");
    assert_eq!(world.count("SELECT count(*) FROM callbacks").await, 0);
    let nobody = world.client().post(world.url("/callbacks/nobody")).send().await.unwrap();
    assert_eq!(nobody.status().as_u16(), 404);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_cannot_be_stored_is_never_answered_with_success() {
    let world = World::open().await;
    for (merchant, case, says) in [(WECHAT, "1", r#"{"code":"FAIL""#), (ALIPAY, "2", "failure")] {
        let fee = world.fee(case).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        let number = word(&order, "out_trade_no");
        world.sandbox.engine().pay(&number, true).unwrap();
        let notice = world.sandbox.engine().sealed_callback(&number).unwrap();
        let client = world.database().await;
        client.batch_execute("ALTER TABLE payments RENAME TO payments_away").await.unwrap();
        let mut request = world.client().post(world.url(&format!("/callbacks/{merchant}")));
        for (name, value) in &notice.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(notice.body.clone()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 503);
        assert!(answer.text().await.unwrap().starts_with(says));
        client.batch_execute("ALTER TABLE payments_away RENAME TO payments").await.unwrap();
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_callback_is_replayed_without_a_second_effect() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        world.paid(merchant, case).await;
    }
    let client = world.database().await;
    let stored = client.query("SELECT callback_id FROM callbacks", &[]).await.unwrap();
    assert_eq!(stored.len(), 2);
    for row in stored {
        let id = row.get::<_, &str>(0).parse().unwrap();
        let verdict = payhub::replay::replay(&world.hub, &id).await.unwrap();
        assert_eq!(verdict, Verdict::Known);
    }
    // A replay can itself be replayed.
    let again = "SELECT callback_id FROM callbacks WHERE replay_of IS NOT NULL LIMIT 1";
    let id = client.query_one(again, &[]).await.unwrap().get::<_, &str>(0).parse().unwrap();
    payhub::replay::replay(&world.hub, &id).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM callbacks").await, 5);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2);
    let unknown = "cbk_00000000000000000000000000000000".parse().unwrap();
    assert_eq!(payhub::replay::replay(&world.hub, &unknown).await.unwrap_err().status, 404);
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_holds_a_nul_leads_nowhere() {
    let world = World::open().await;
    for path in [
        "/v1/fees/%00",
        "/v1/orders/ord_%00",
        "/v1/refunds/%00",
        "/v1/cases/a%00b",
        "/v1/reconciliations/%00/report.csv",
        "/v1/differences/%00",
        "/v1/bank-statements/%00",
    ] {
        let (status, problem) = world.get(path).await.unwrap();
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{path}");
    }
    for path in [
        "/v1/reconciliations?merchant_id=%00",
        "/v1/events?after=evt_%00",
        "/v1/incidents?kind=%00",
        "/v1/differences?owner=%00",
        "/v1/bank-lines?cursor=%00",
    ] {
        let (status, problem) = world.get(path).await.unwrap();
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_query")), "{path}");
    }
    for path in ["/v1/orders/%00/close", "/v1/fees/%00/void", "/v1/cases/%00/progress"] {
        let (status, problem) = world.post(path, &json!({})).await.unwrap();
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{path}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_written_in_one_way() {
    let world = World::open().await;
    for day in ["20181130", "2018-11-30T23:30:00", "+002018-11-30", "2018-02-30", " 2018-11-30"] {
        let (status, refused) = fee_of(&world, |body| body["accepted_on"] = json!(day)).await;
        assert_eq!((status, &refused["path"]), (422, &json!("accepted_on")), "{day}: {refused}");
        let body = json!({"merchant_id": WECHAT, "date": day});
        let (status, refused) = world.post("/v1/reconciliations", &body).await.unwrap();
        assert_eq!((status, &refused["path"]), (422, &json!("date")), "{day}: {refused}");
    }
    let (status, refused) = world.get("/v1/reconciliations?date=20181130").await.unwrap();
    assert_eq!((status, &refused["code"]), (400, &json!("invalid_query")));
    assert_eq!(fee_of(&world, |body| body["accepted_on"] = Value::Null).await.0, 201);
    assert_eq!(fee_of(&world, |body| body["due_on"] = json!("2018-12-31")).await.0, 201);
    world.finish().await;
}
