//! Combined orders: one payment, two payees, one notice; all or nothing.

use std::sync::Arc;

use domain::{Fen, ManualClock};
use sandbox::{Engine, Sandbox};
use serde_json::{Value, json};

use crate::callbacks::opened;
use crate::office::{APPID, MCHID, Office, Told, config, morning, native, office};
use crate::receiver::Receiver;

const URL: &str = "http://127.0.0.1:9/callbacks/a";
const TAX: &str = "1900000109";
const PATH: &str = "/v3/combine-transactions";

fn parts() -> Value {
    json!([
        {"mchid": MCHID, "attach": "fee", "amount": {"total_amount": 8000, "currency": "CNY"},
         "out_trade_no": "FEE0001", "description": "不动产登记费"},
        {"mchid": TAX, "attach": "tax", "amount": {"total_amount": 120_000, "currency": "CNY"},
         "out_trade_no": "TAX0001", "description": "契税"},
    ])
}

fn whole(change: impl Fn(&mut Value), url: &str) -> String {
    let mut body = json!({
        "combine_appid": APPID, "combine_mchid": MCHID, "combine_out_trade_no": "WHOLE0001",
        "sub_orders": parts(), "time_expire": "2026-11-20T12:00:00+08:00", "notify_url": url,
    });
    change(&mut body);
    body.to_string()
}

fn place(office: &Office, body: &str) -> Told {
    office.wechat("POST", &format!("{PATH}/native"), body)
}

fn query(office: &Office) -> Told {
    office.wechat("GET", &format!("{PATH}/out-trade-no/WHOLE0001"), "")
}

fn close(office: &Office, parts: &[(&str, &str)]) -> Told {
    let parts: Vec<Value> =
        parts.iter().map(|(mchid, no)| json!({"mchid": mchid, "out_trade_no": no})).collect();
    let body = json!({"combine_appid": APPID, "sub_orders": parts}).to_string();
    office.wechat("POST", &format!("{PATH}/out-trade-no/WHOLE0001/close"), &body)
}

#[track_caller]
fn refused(told: &Told, status: u16, code: &str) {
    assert_eq!((told.status, told.code()), (status, code), "{told:?}");
}

/// The tax's merchant asks the same sandbox: the same keys under another number.
fn as_tax(office: &Office, method: &str, target: &str, body: &str) -> Told {
    let request = office.wechat_request_as(TAX, method, target, body);
    office.told(&office.engine.answer(&request))
}

#[actix_web::test]
async fn one_payment_pays_every_payee_and_one_notice_tells_of_all() {
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config(), Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    let hub = Receiver::start();
    assert!(place(&office, &whole(|_| (), &hub.url)).body["code_url"].is_string());
    let paid = office.engine.pay("WHOLE0001", true).unwrap();
    assert_eq!((paid.amount_fen, paid.parts.len()), (Fen::new(128_000), 2));
    let numbers: Vec<&str> =
        paid.parts.iter().map(|part| part.provider_trade_no.as_str()).collect();
    assert_ne!(numbers[0], numbers[1], "each part has its own number");

    assert_eq!(running.deliver_due().await.acknowledged, 1);
    let taken = hub.taken();
    assert_eq!(taken.len(), 1);
    let (plain, notice) = opened(&taken[0]);
    assert_eq!(notice["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(plain, query(&office).body);
    assert_eq!(plain["combine_out_trade_no"], "WHOLE0001");
    for (place, no) in numbers.iter().enumerate() {
        let part = &plain["sub_orders"][place];
        assert_eq!(part["transaction_id"], json!(no));
        assert_eq!(part["trade_state"], "SUCCESS");
        assert_eq!(part["success_time"], "2026-11-20T10:00:00.000+08:00");
    }
    assert_eq!(plain["sub_orders"][1]["amount"]["total_amount"], 120_000);
    running.stop().await;
}

#[test]
fn a_part_is_neither_queried_closed_nor_paid_alone_but_refunded_by_its_payee() {
    let office = office();
    assert_eq!(place(&office, &whole(|_| (), URL)).status, 200);
    refused(&office.query("FEE0001"), 400, "INVALID_REQUEST");
    refused(&office.close("FEE0001"), 400, "INVALID_REQUEST");
    refused(&office.native("FEE0001", 8000, URL), 403, "OUT_TRADE_NO_USED");
    assert!(office.engine.pay("FEE0001", false).is_err());
    assert_eq!(query(&office).body["sub_orders"][0]["trade_state"], "NOTPAY");

    let paid = office.engine.pay("WHOLE0001", false).unwrap();
    refused(&close(&office, &[(MCHID, "FEE0001"), (TAX, "TAX0001")]), 400, "ORDER_PAID");
    let body = json!({
        "transaction_id": paid.parts[1].provider_trade_no, "out_refund_no": "R1",
        "amount": {"refund": 20_000, "total": 120_000, "currency": "CNY"},
    })
    .to_string();
    let target = "/v3/refund/domestic/refunds";
    refused(&office.wechat("POST", target, &body), 404, "RESOURCE_NOT_EXISTS");
    assert_eq!(as_tax(&office, "POST", target, &body).body["status"], "PROCESSING");
    let told = query(&office).body;
    assert_eq!(told["sub_orders"][0]["trade_state"], "SUCCESS");
    assert_eq!(told["sub_orders"][1]["trade_state"], "REFUND");
}

#[test]
fn a_close_names_every_part_and_closes_all_or_none() {
    let office = office();
    place(&office, &whole(|_| (), URL));
    refused(&close(&office, &[(MCHID, "FEE0001")]), 400, "INVALID_REQUEST");
    refused(&close(&office, &[(MCHID, "FEE0001"), (TAX, "TAX0002")]), 400, "INVALID_REQUEST");
    assert!(office.engine.state().orders.iter().all(|order| order.state == "open"));
    let all = [(TAX, "TAX0001"), (MCHID, "FEE0001")];
    assert_eq!(close(&office, &all).status, 204);
    assert_eq!(close(&office, &all).status, 204, "closing again is fine");
    assert!(office.engine.state().orders.iter().all(|order| order.state == "closed"));
    assert!(office.engine.pay("WHOLE0001", false).is_err());
}

#[test]
fn limits_of_a_combined_order_are_held() {
    let office = office();
    let one = |body: &mut Value| drop(body["sub_orders"].as_array_mut().unwrap().pop());
    let eleven = |body: &mut Value| {
        let part = body["sub_orders"][0].clone();
        let more: Vec<Value> = (0..11)
            .map(|count| {
                let mut part = part.clone();
                part["out_trade_no"] = json!(format!("PART{count:03}"));
                part
            })
            .collect();
        body["sub_orders"] = json!(more);
    };
    let stranger = |body: &mut Value| body["sub_orders"][1]["mchid"] = json!("1900000404");
    let twice = |body: &mut Value| body["sub_orders"][1]["out_trade_no"] = json!("FEE0001");
    let mute = |body: &mut Value| {
        body["sub_orders"][0].as_object_mut().unwrap().remove("attach");
    };
    let changes: [&dyn Fn(&mut Value); 5] = [&one, &eleven, &stranger, &twice, &mute];
    for change in changes {
        refused(&place(&office, &whole(change, URL)), 400, "PARAM_ERROR");
    }
    assert!(office.engine.state().orders.is_empty(), "all or nothing");
    assert_eq!(place(&office, &whole(|_| (), URL)).status, 200);
    assert_eq!(place(&office, &whole(|_| (), URL)).status, 200, "a repeat");
    let dearer = |body: &mut Value| {
        body["sub_orders"][0]["amount"]["total_amount"] = json!(8001);
    };
    refused(&place(&office, &whole(dearer, URL)), 403, "OUT_TRADE_NO_USED");

    office.native("FEE0009", 100, URL);
    let taken = |body: &mut Value| {
        body["combine_out_trade_no"] = json!("WHOLE0002");
        body["sub_orders"][0]["out_trade_no"] = json!("FEE0009");
        body["sub_orders"][1]["out_trade_no"] = json!("TAX0009");
    };
    refused(&place(&office, &whole(taken, URL)), 403, "OUT_TRADE_NO_USED");
}

#[test]
fn inside_wechat_the_payer_is_named_and_a_mini_program_has_a_path_of_its_own() {
    let office = office();
    let ask = |product: &str, body: &str| office.wechat("POST", &format!("{PATH}/{product}"), body);
    refused(&ask("jsapi", &whole(|_| (), URL)), 400, "PARAM_ERROR");
    let named = |body: &mut Value| body["combine_payer_info"] = json!({"openid": "o1"});
    let told = ask("miniprogram", &whole(named, URL));
    assert!(told.body["prepay_id"].is_string(), "{told:?}");
    office.engine.pay("WHOLE0001", false).unwrap();
    assert_eq!(query(&office).body["combine_payer_info"]["openid"], "o1");
}

#[test]
fn the_bill_of_each_payee_lists_its_own_part() {
    let office = office();
    place(&office, &whole(|_| (), URL));
    office.engine.pay("WHOLE0001", false).unwrap();
    office.pass(86_400);
    let target = "/v3/bill/tradebill?bill_date=2026-11-20";
    for (told, mine, other) in [
        (office.wechat("GET", target, ""), "FEE0001", "TAX0001"),
        (as_tax(&office, "GET", target, ""), "TAX0001", "FEE0001"),
    ] {
        let url = told.body["download_url"].as_str().unwrap().to_owned();
        let fetch = url.split_once(":0").unwrap().1;
        let mchid = if mine == "FEE0001" { MCHID } else { TAX };
        let request = office.wechat_request_as(mchid, "GET", fetch, "");
        let text = String::from_utf8(office.engine.answer(&request).body).unwrap();
        assert!(text.contains(mine) && !text.contains(other), "{text}");
    }
}

#[test]
fn the_state_shows_the_whole_and_whose_the_parts_are() {
    let office = office();
    place(&office, &whole(|_| (), URL));
    office.native("ORDER0001", 100, URL);
    let engine: &Engine = &office.engine;
    let state = engine.state();
    assert_eq!(state.combined[0].amount_fen, Fen::new(128_000));
    assert_eq!(state.combined[0].parts.len(), 2);
    let of = |no: &str| state.orders.iter().find(|order| order.out_trade_no == no).unwrap();
    assert_eq!(of("TAX0001").combined.as_deref(), Some("WHOLE0001"));
    assert_eq!(of("ORDER0001").combined, None);
    let _body = native("ORDER0001", 100, URL);
}
