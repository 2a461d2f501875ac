//! What went to the treasury by its items, to the fen of what left the bank.

use payhub::demo::{ALIPAY, Office, WECHAT};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{csv, hand_in, lines};
use crate::harness::{World, at, word};

/// The copies of certificates are an item of the treasury's own; registration fees of every kind are one.
const ITEMS: &str = r#"
[[fiscal_items]]
item = "REG.RES"
code = "103044908"
name = "不动产登记费"
[[fiscal_items]]
item = "REG.NONRES"
code = "103044908"
name = "不动产登记费"
"#;

/// A paid fee of a flat, a shop and an extra certificate.
async fn paid(world: &World, merchant: &str, case_no: &str) -> (String, String) {
    let body = json!({
        "case_no": case_no,
        "items": [
            {"code": "REG.RES", "quantity": 1, "registration_type": "transfer"},
            {"code": "REG.NONRES", "quantity": 1, "registration_type": "transfer"},
            {"code": "CERT.EXTRA", "quantity": 1},
        ],
        "payer": {"name": "张三"},
    });
    let (status, fee) = world.post("/v1/fees", &body).await.unwrap();
    assert_eq!((status, &fee["total_fen"]), (201, &json!(64_000)), "{fee}");
    let fee = word(&fee, "id");
    let (status, order) = world.order(merchant, &[&fee]).await;
    assert_eq!(status, 201, "{order}");
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    (fee, word(&order, "id"))
}

async fn by_item(world: &World, date: &str) -> Vec<Value> {
    let (status, found) = world.get(&format!("/v1/remitted-items?date={date}")).await.unwrap();
    assert_eq!(status, 200, "{found}");
    found["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn remittance_by_item_foots_to_the_bank() {
    let world = World::open_with(ITEMS).await;
    let (first, order) = paid(&world, WECHAT, "1").await;
    let (second, _) = paid(&world, ALIPAY, "2").await;
    let (third, _, _) = world.paid(WECHAT, "3").await;
    // A part of the first goes back before it leaves: what is left is divided as its lines are.
    let body = json!({"amount_fen": 1001, "reason": "多收"});
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    world.seconds(120).await;
    let remit = async |reference: &str, fees: &[&str]| {
        let body = json!({"remitted_on": "2018-11-30", "reference": reference, "fee_ids": fees});
        let (status, told) = world.post("/v1/remittances", &body).await.unwrap();
        assert_eq!(status, 201, "{told}");
        told
    };
    let told = remit("JK-0001", &[&first, &second]).await;
    let other = remit("JK-0002", &[&third]).await;
    assert_eq!(told["amount_fen"], json!(64_000 - 1001 + 64_000));
    world.clock.set(at("2018-12-04T03:00:00Z"));
    world.settle().await.unwrap();
    let amount = told["amount_fen"].as_i64().unwrap();
    let rows = [
        format!("B1,2018-12-03,out,{amount},缴库 JK-0001,国库,1"),
        "B2,2018-12-03,out,7999,缴库 JK-0002,国库,1".to_owned(),
        "B3,2018-12-03,out,50,电费,n,a".to_owned(),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (status, taken) = hand_in(&world, &csv(&rows)).await;
    assert_eq!((status, &taken["unmatched"]), (201, &json!(0)), "debits are no credits: {taken}");
    let [debit] = lines(&world, "matched").await.try_into().unwrap();
    assert_eq!(word(&debit, "bank_serial"), "B1");
    assert_eq!(debit["remittance_id"], told["id"]);
    let items = by_item(&world, "2018-11-30").await;
    let of = |id: &Value| items.iter().filter(|it| it["remittance_id"] == *id).collect::<Vec<_>>();
    let sum =
        |rows: &[&Value]| rows.iter().map(|it| it["amount_fen"].as_i64().unwrap()).sum::<i64>();
    let named: Vec<(Option<&str>, &str)> = of(&told["id"])
        .iter()
        .map(|it| (it["fiscal_item"].as_str(), it["fiscal_name"].as_str().unwrap()))
        .collect();
    assert_eq!(named.len(), 2, "two fee items are one of the treasury's: {items:?}");
    assert!(named.contains(&(Some("103044908"), "不动产登记费")));
    assert!(named.iter().any(|(code, _)| code.is_none()), "an item without a code is not hidden");
    assert_eq!(sum(&of(&told["id"])), debit["amount_fen"].as_i64().unwrap());
    assert!(
        of(&told["id"]).iter().all(|it| it["bank_serial"] == json!("B1") && it["fees"] == json!(2))
    );
    // Another amount left than was told: the two are not taken for one.
    assert_eq!(sum(&of(&other["id"])), 8000);
    assert!(of(&other["id"]).iter().all(|it| it["bank_serial"].is_null()));
    // The file says the same, and its digest is that of its bytes.
    let url = world.url("/v1/settlement-file?date=2018-11-30");
    let answer = world.client().get(url).bearer_auth(Office::api_key()).send().await.unwrap();
    let digest = answer.headers()["payhub-sha256"].to_str().unwrap().to_owned();
    let bytes = answer.bytes().await.unwrap();
    let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, hex);
    let mut reader = csv::Reader::from_reader(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let total: i64 = rows.iter().map(|row| row[6].parse::<i64>().unwrap()).sum();
    assert_eq!((rows.len(), total), (items.len(), amount + 8000));
    // One that is taken back is in no table any more.
    let body = json!({"reason": "误报"});
    let path = format!("/v1/remittances/{}/reverse", word(&other, "id"));
    assert_eq!(world.post(&path, &body).await.unwrap().0, 200);
    assert_eq!(by_item(&world, "2018-11-30").await.len(), items.len() - 1);
    world.finish().await;
}
