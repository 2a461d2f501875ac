//! The papers of a real office: what stands behind each row, that it stays as it was when the run
//! ended, and a month whose opening and days come to its closing.

use std::io::Cursor;

use calamine::{DataType as _, Reader as _, Xlsx};
use payhub::demo::{ALIPAY, Office, WECHAT};
use sandbox::{Action, Fault, Match, Place};
use serde_json::{Value, json};

use crate::harness::typed::Typed;
use crate::harness::{World, at, word};

/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

async fn run_of(world: &World, day: &str) -> String {
    let path = format!("/v1/reconciliations?date={day}&merchant_id={WECHAT}");
    word(&world.get(&path).await.unwrap().1["data"][0], "id")
}

async fn report(world: &World, run: &str) -> Value {
    world.get(&format!("/v1/reconciliations/{run}/report.json")).await.unwrap().1["merchants"][0]
        .clone()
}

/// Every text of a workbook.
fn cells(bytes: &[u8]) -> String {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    let sheets: Vec<_> = names.iter().map(|name| book.worksheet_range(name).unwrap()).collect();
    let texts = sheets.iter().flat_map(|sheet| sheet.rows().flatten());
    texts.filter_map(|cell| cell.get_string()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paper_names_the_fee_behind_each_row_and_no_payer_in_full() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let body = json!({"amount_fen": 3000, "reason": "多收"});
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    world.seconds(120).await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let run = run_of(&world, "2018-11-30").await;
    let found = report(&world, &run).await;
    assert_eq!(found["foots"], true);
    let items = &found["by_item"];
    assert_eq!(items.as_array().unwrap().len(), 1, "{items}");
    assert_eq!(items[0]["payments"], json!({"count": 1, "amount_fen": 8000}));
    assert_eq!(items[0]["refunds"], json!({"count": 1, "amount_fen": -3000}));
    assert_eq!(found["hub"]["net_fen"], 5000);
    let papers = &found["papers"];
    let payer = word(&papers["fees"][0], "payer");
    assert_eq!(payer, "张*");
    let due = &papers["office"]["settlements"][0];
    assert_eq!(due["net_fen"], 5000, "{due}");
    assert_eq!((&due["bill_date"], &due["arrival"]), (&json!("2018-11-30"), &Value::Null));
    let refund = &papers["refunds"][0];
    assert_eq!(
        (word(refund, "route"), word(refund, "state")),
        ("provider".into(), "succeeded".into())
    );
    assert!(!word(refund, "requested_by").is_empty());
    for form in ["xlsx", "html", "csv", "json"] {
        let url = world.url(&format!("/v1/reconciliations/{run}/report.{form}"));
        let answer = world.client().get(url).bearer_auth(Office::api_key()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{form}");
        let named = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(named.contains(&format!("filename=\"{run}.{form}\"")), "{named}");
        assert!(
            named.contains("filename*=UTF-8''%E5%AF%B9%E8%B4%A6%E6%97%A5%E6%8A%A5_"),
            "{named}"
        );
        assert!(named.ends_with(&format!("_20181130_v1.{form}")), "{named}");
        let bytes = answer.bytes().await.unwrap();
        let said =
            if form == "xlsx" { cells(&bytes) } else { String::from_utf8_lossy(&bytes).into() };
        assert!(
            form == "csv" || form == "json" || said.contains("资金到账") || said.contains("应到账"),
            "{form}"
        );
        assert!(!said.contains("张三") && !said.contains("13812345678"), "{form} says who paid");
        assert_eq!(said.contains("张*"), matches!(form, "xlsx" | "json"), "{form}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_later_changes_no_paper() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let run = run_of(&world, "2018-11-30").await;
    let url = world.url(&format!("/v1/reconciliations/{run}/report.xlsx"));
    let book = async || {
        let request = world.client().get(url.clone()).bearer_auth(Office::api_key());
        request.send().await.unwrap().bytes().await.unwrap()
    };
    let (before, first) = (report(&world, &run).await, book().await);
    let body = json!({"amount_fen": 3000, "reason": "多收"});
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    world.seconds(120).await;
    let client = world.database().await;
    client.execute("UPDATE fees SET department = '别处', case_no = 'X'", &[]).await.unwrap();
    assert_eq!(report(&world, &run).await, before);
    assert_eq!(book().await, first);
    drop(client);
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_foots_from_its_opening_over_its_days_to_its_closing() {
    let world = World::open().await;
    let (_, _, missing) = world.paid(WECHAT, "1").await;
    world.paid(ALIPAY, "2").await;
    // Five minutes before midnight: a doubt, which the bill of the next day could have.
    world.clock.set(at("2018-11-30T15:55:00Z"));
    let (_, _, near) = world.paid(WECHAT, "near").await;
    for number in [missing, near] {
        let mut fault = Fault::new(Place::Bill, Action::MissingRow);
        fault.of = Match { out_trade_no: Some(number), ..Match::default() };
        world.sandbox.engine().set_fault(fault).unwrap();
    }
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    world.paid(WECHAT, "3").await;
    world.clock.set(at("2018-12-02T02:05:00Z"));
    world.settle().await.unwrap();

    let month =
        async |query: &str| world.get(&format!("/v1/statements/month?{query}")).await.unwrap();
    let (status, november) = month("month=2018-11").await;
    assert_eq!(status, 200, "{november}");
    assert_eq!(november["foots"], true);
    assert_eq!(november["total"]["hub"]["payments"], json!({"count": 3, "amount_fen": 24_000}));
    assert_eq!(november["total"]["apart_fen"], -16_000);
    assert_eq!(november["total"]["of_differences_fen"], -8000);
    assert_eq!(november["total"]["of_doubts_fen"], -8000);
    let (_, december) = month(&format!("month=2018-12&merchant_id={WECHAT}")).await;
    assert_eq!(december["until"], "2018-12-01", "a month that is not over ends yesterday");
    let accounts = december["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 1);
    let carried = &accounts[0]["differences"];
    let pile = |count: i64| json!({"count": count, "amount_fen": 8000 * count});
    assert_eq!(carried["opening"], pile(1), "{december}");
    assert_eq!((&carried["opened"], &carried["ended"]), (&pile(1), &pile(0)));
    assert_eq!(carried["closing"], pile(2));
    let doubts = &accounts[0]["doubts"];
    assert_eq!((&doubts["opening"], &doubts["ended"]), (&pile(1), &pile(1)));
    assert_eq!((&doubts["opened"], &doubts["closing"]), (&pile(0), &pile(0)));
    assert_eq!(accounts[0]["ended_doubts"][0]["end"], "promoted");
    assert_eq!(december["foots"], true);
    assert_eq!(accounts[0]["open_differences"][0]["age_days"], 1);
    assert_eq!(
        december["total"]["net_by_item_fen"].as_object().unwrap().values().next(),
        Some(&json!(8000))
    );
    for query in
        ["month=2018-13", "month=18-11", "month=2018-11&merchant_id=nobody", "month=2019-01"]
    {
        assert_eq!(month(query).await.0, 422, "{query}");
    }
    // The difference of the day before stands on the day's list, with its age, and in no sum of it.
    let second = report(&world, &run_of(&world, "2018-12-01").await).await;
    assert_eq!(second["papers"]["open"].as_array().unwrap().len(), 1, "{second}");
    assert_eq!(second["hub"]["net_fen"], 8000);
    let history = second["papers"]["history"].as_array().unwrap();
    let before = history.iter().find(|day| day["day"] == "2018-11-30").unwrap();
    assert_eq!((&before["matched"], &before["unmatched"]), (&json!(0), &json!(2)));

    let out = std::env::temp_dir().join(format!("payhub-month-{}", std::process::id()));
    let folder = out.to_str().unwrap();
    let typed = Typed::over(&world);
    let (code, said) = typed.says(&["statement", "--month", "2018-11", "--out", folder]);
    assert_eq!(code, 0, "{said}");
    for file in ["month.xlsx", "month.html", "month.json"] {
        assert!(out.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    std::fs::remove_dir_all(&out).unwrap();
    world.close_only().await;
}
