//! Merchants of the hub that are one account at the provider: its bill holds the orders of all, and
//! nobody's are differences.

use payhub::demo::WECHAT;
use payhub::reconcile;
use sandbox::{Action, Fault, Place, SandboxConfig};
use serde_json::{Value, json};

use crate::bank::{csv, hand_in};
use crate::combined::payee;
use crate::harness::{World, at, word};
use crate::products::{LEGACY, legacy};

/// The same account as the registry's own merchant, through the old interface.
fn sibling() -> String {
    legacy().replace("mchid = \"1900000109\"", "mchid = \"1900000001\"")
}

fn with_old_key(providers: &mut SandboxConfig) {
    for merchant in &mut providers.wechat {
        merchant.api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
    }
}

/// Pays an order through each of two merchants of one account; the orders' numbers.
async fn both_paid(world: &World) -> Vec<String> {
    let mut numbers = Vec::new();
    for (merchant, case) in [(WECHAT, "1"), (LEGACY, "2")] {
        let fee = world.fee(case).await;
        let body = json!({"merchant_id": merchant, "product": "native", "fee_ids": [fee]});
        let (status, order) = world.post("/v1/orders", &body).await.unwrap();
        assert_eq!(status, 201, "{order}");
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
        world.settle().await.unwrap();
        assert_eq!(world.fee_status(&fee).await, "paid");
        numbers.push(word(&order, "out_trade_no"));
    }
    numbers
}

async fn text(world: &World, query: &str) -> String {
    world.database().await.query_one(query, &[]).await.unwrap().get(0)
}

/// The Saturday after, when the Friday's bill is there.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bill_of_three_merchants_is_matched_once_and_balances() {
    // First by name is none: the registry's own stands first in the file, and is of APIv3.
    let more = format!("{}{}", sibling(), payee("a-wechat", "1900000001"));
    let world = World::open_at(&more, with_old_key).await;
    both_paid(&world).await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let runs = "SELECT string_agg(merchant_id || ' ' || status || ' ' || (summary #>> '{matched,count}'), ',')
                  FROM runs WHERE merchant_id LIKE '%wechat'";
    assert_eq!(text(&world, runs).await, "registry-wechat balanced 2", "once for the account");
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    // A cut tail of either journal must show: both heads stand on the report.
    let heads = "SELECT string_agg(merchant_id || ':' || seq || ':' || encode(mac, 'hex'), ' ' ORDER BY merchant_id DESC)
                   FROM journal_heads";
    let heads = text(&world, heads).await;
    assert_eq!(heads.split(' ').count(), 2, "{heads}");
    let shown = "SELECT report ->> 'journal_head' FROM runs WHERE merchant_id = 'registry-wechat'";
    assert_eq!(text(&world, shown).await, heads);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_by_hand_is_the_accounts_whichever_merchant_is_named() {
    let world = World::open_at(&sibling(), with_old_key).await;
    let numbers = both_paid(&world).await;
    let mut missing = Fault::new(Place::Bill, Action::MissingRow);
    missing.of.out_trade_no = numbers.last().cloned();
    world.sandbox.engine().set_fault(missing).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let differences = "SELECT count(*) FROM differences WHERE same_as IS NULL";
    assert_eq!(world.count(differences).await, 1);
    let by_hand = async |merchant: &str| -> Value {
        let body = json!({"merchant_id": merchant, "date": "2018-11-30"});
        let (status, run) = world.post("/v1/reconciliations", &body).await.unwrap();
        assert_eq!(status, 202, "{run}");
        world.settle().await.unwrap();
        run
    };
    let given = by_hand(LEGACY).await;
    assert_eq!((word(&given, "merchant_id").as_str(), &given["version"]), (WECHAT, &json!(1)));
    assert_eq!(word(&given, "status"), "unbalanced", "as it stands");
    assert_eq!(world.count(differences).await, 1, "nothing is opened twice");
    // Named by its first merchant, the account's day is made again; so does the command.
    assert_eq!(by_hand(WECHAT).await["version"], json!(2));
    let day = "2018-11-30".parse().unwrap();
    let again = reconcile::now(&world.hub, &LEGACY.parse().unwrap(), day, "张三").await.unwrap();
    assert_eq!((again.merchant_id.as_str(), again.version), (WECHAT, 3));
    assert_eq!(
        world.count("SELECT count(*) FROM runs WHERE merchant_id = 'legacy-wechat'").await,
        0
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_another_merchant_of_the_account_began_are_gone_on_with() {
    let world = World::open_at(&sibling(), with_old_key).await;
    // Another was the first of the account until the Tuesday; then the hub stood still.
    world
        .database()
        .await
        .execute(
            "INSERT INTO runs (run_id, merchant_id, bill_date, version, status, started_at)
             VALUES ('run_of_before', 'legacy-wechat', '2018-11-27', 1, 'failed', '2018-11-28T02:05:00Z')",
            &[],
        )
        .await
        .unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let days = "SELECT string_agg(bill_date::text, ' ' ORDER BY bill_date) FROM runs WHERE merchant_id = 'registry-wechat'";
    assert_eq!(text(&world, days).await, "2018-11-28 2018-11-29 2018-11-30");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_of_the_account_is_each_merchants_by_the_rows_of_its_bills() {
    let world = World::open_at(&sibling(), with_old_key).await;
    both_paid(&world).await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    // On Saturday the one takes 160 yuan, and the other gives its 80 back.
    world.paid(WECHAT, "3").await;
    world.paid(WECHAT, "4").await;
    let order = "SELECT order_id FROM orders WHERE merchant_id = 'legacy-wechat'";
    let order = text(&world, order).await;
    let body = json!({"amount_fen": 8000, "reason": "多收"});
    let (status, refund) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert!(status < 300, "{refund}");
    world.seconds(120).await;
    for morning in ["2018-12-02T02:05:00Z", "2018-12-03T02:05:00Z"] {
        world.clock.set(at(morning));
        world.settle().await.unwrap();
    }
    let shares = "SELECT string_agg(bill_date || ' ' || merchant_id || ' ' || h.net_fen, ', ' ORDER BY bill_date, position)
                    FROM settlements JOIN settlement_shares h USING (settlement_id)
                   WHERE account = 'wechat:1900000001' AND bill_date < '2018-12-02'";
    assert_eq!(
        text(&world, shares).await,
        "2018-11-30 registry-wechat 8000, 2018-11-30 legacy-wechat 8000, \
         2018-12-01 registry-wechat 16000, 2018-12-01 legacy-wechat -8000"
    );
    // The whole account's money comes as two credits; each merchant's books get their own.
    let rows = ["B1,2018-12-03,in,16000,20181130,n,a", "B2,2018-12-03,in,8000,20181201,n,a"];
    let (status, taken) = hand_in(&world, &csv(&rows)).await;
    assert_eq!((status, &taken["matched"]), (201, &json!(2)), "{taken}");
    let entries = "SELECT string_agg(e.merchant_id || ' ' || e.kind || ' ' || l.amount_fen, ', ' ORDER BY e.recorded_at, e.kind, e.merchant_id, l.amount_fen)
                     FROM journal_entries e JOIN journal_lines l USING (merchant_id, seq)
                    WHERE e.kind IN ('provider_settled', 'settlement_netted')";
    assert_eq!(
        text(&world, entries).await,
        "legacy-wechat provider_settled 8000, registry-wechat provider_settled 8000, \
         registry-wechat provider_settled 16000, legacy-wechat settlement_netted 8000"
    );
    let open = "SELECT COALESCE(string_agg(merchant_id || ' ' || fen, ', '), 'nothing') FROM (
                    SELECT merchant_id, sum(CASE WHEN debit = 'provider_clearing' THEN amount_fen
                                                 WHEN credit = 'provider_clearing' THEN -amount_fen ELSE 0 END) AS fen
                      FROM journal_lines GROUP BY merchant_id) b WHERE fen <> 0";
    assert_eq!(text(&world, open).await, "nothing");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_arrival_is_short_of_is_each_merchants_in_proportion() {
    let world = World::open_at(&sibling(), with_old_key).await;
    both_paid(&world).await;
    world.paid(WECHAT, "3").await;
    for morning in [NEXT_MORNING, "2018-12-02T02:05:00Z", "2018-12-03T02:05:00Z"] {
        world.clock.set(at(morning));
        world.settle().await.unwrap();
    }
    // Of 160 yuan and 80 yuan a yuan is missing: 67 fen of the one's, 33 of the other's.
    hand_in(&world, &csv(&["B1,2018-12-03,in,23900,20181130,n,a"])).await;
    let id = text(&world, "SELECT settlement_id FROM settlements WHERE bill_date = '2018-11-30' AND account = 'wechat:1900000001'").await;
    let ids = [id.parse().unwrap()];
    for by in ["张三", "李四"] {
        let asked = payhub::bank::Confirming {
            serial: "B1",
            settlements: &ids,
            by,
            reason: Some("渠道少付"),
        };
        payhub::bank::confirm(&world.hub, &asked).await.unwrap();
    }
    let shares = "SELECT string_agg(merchant_id || ' ' || amount_fen, ', ' ORDER BY merchant_id DESC) FROM settlement_match_shares";
    assert_eq!(text(&world, shares).await, "registry-wechat 15933, legacy-wechat 7967");
    // The database knows the rule: nobody gives it all to one.
    let client = world.database().await;
    let wrong = "INSERT INTO bank_lines SELECT 'B9', statement_id, 9, value_date, direction, amount_fen, reference, counter, digest FROM bank_lines;
         INSERT INTO settlement_unmatches SELECT match_id, '张三', 'x', matched_at FROM settlement_matches;
         INSERT INTO unmatch_claims SELECT match_id, p, n, 'x', matched_at FROM settlement_matches, (VALUES (1, '张三'), (2, '李四')) v (p, n);
         INSERT INTO settlement_claims SELECT 'B9', position, settlements, \"by\", reason, claimed_at, difference_fen, 1 FROM settlement_claims;
         INSERT INTO settlement_matches SELECT 'stm_9', 'B9', amount_fen, expected_fen, difference_fen, cause, claimed_by, confirmed_by, reason, matched_at, 1 FROM settlement_matches;
         INSERT INTO settlement_match_days SELECT settlement_id, 'stm_9', 2 FROM settlement_match_days;
         INSERT INTO settlement_match_shares VALUES ('stm_9', 'registry-wechat', 15900), ('stm_9', 'legacy-wechat', 8000);";
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute(wrong).await.unwrap();
    let refused = client.batch_execute("COMMIT").await.unwrap_err();
    let rule = "a_difference_is_shared_as_the_money_was_expected";
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some(rule), "{refused:?}");
    drop(client);
    world.finish().await;
}
