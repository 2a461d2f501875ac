//! WeChat Pay's other bills, and the corners of its refunds.

use std::sync::Arc;

use base64::Engine as _;
use domain::{Fen, ManualClock};
use sandbox::{Action, Engine, Fault, Operation, Pay, Place, PortalRefund, Sandbox};
use serde_json::{Value, json};

use crate::callbacks::opened;
use crate::office::{Office, Told, config, morning, office};
use crate::receiver::Receiver;

const URL: &str = "http://127.0.0.1:9/callbacks/a";

#[track_caller]
fn refused(told: &Told, status: u16, code: &str) {
    assert_eq!((told.status, told.code()), (status, code), "{told:?}");
}

/// Payments of 80.00 (10.00 of it a coupon) and 550.00, a refund of 30.00 of the first.
fn day() -> Office {
    let office = office();
    for (no, fen) in [("ORDER0001", 8000), ("ORDER0002", 55_000)] {
        office.native(no, fen, URL);
    }
    let coupon_fen = Some(Fen::new(1000));
    let pay = Pay { out_trade_no: "ORDER0001".to_owned(), coupon_fen, ..Pay::default() };
    office.engine.pay_as(&pay).unwrap();
    office.pass(10);
    office.engine.pay("ORDER0002", false).unwrap();
    office.pass(10);
    assert_eq!(office.wechat_refund("ORDER0001", "R1", 3000, 8000, "").status, 200);
    office.pass(86_400);
    office
}

fn ask(office: &Office, bill: &str) -> Told {
    office.wechat("GET", &format!("/v3/bill/{bill}"), "")
}

fn rows(office: &Office, bill: &str) -> (usize, Vec<Vec<String>>) {
    let told = ask(office, bill);
    assert_eq!(told.status, 200, "{told:?}");
    let url = told.body["download_url"].as_str().unwrap();
    let request = office.wechat_request("GET", url.split_once(":0").unwrap().1, "");
    let text = String::from_utf8(office.engine.answer(&request).body).unwrap();
    let width = text.lines().next().unwrap().split(',').count();
    let rows = text
        .split("\r\n")
        .filter_map(|line| line.strip_prefix('`'))
        .map(|line| line.split(",`").map(str::to_owned).collect())
        .collect();
    (width, rows)
}

#[test]
fn t24_the_bill_settles_without_the_coupon_and_keeps_the_order_whole() {
    let (width, rows) = rows(&day(), "tradebill?bill_date=2026-11-20&bill_type=ALL");
    assert_eq!((width, rows.len()), (27, 4));
    let pick = |row: usize, columns: [usize; 5]| columns.map(|column| rows[row][column].as_str());
    // 应结订单金额, 代金券金额, 手续费, 订单金额, 申请退款金额
    assert_eq!(pick(0, [12, 13, 22, 24, 25]), ["70.00", "10.00", "0.42000", "80.00", "0.00"]);
    // 应结订单金额, 退款金额, 手续费, 订单金额, 申请退款金额
    assert_eq!(pick(2, [12, 16, 22, 24, 25]), ["0.00", "26.25", "-0.16000", "0.00", "30.00"]);
    let totals = ["3.0", "620.00", "26.25", "0.00", "3.56000", "630.00", "30.00"];
    assert_eq!(rows[3], totals);
}

#[test]
fn payments_alone_and_refunds_alone_have_columns_of_their_own() {
    let office = day();
    let (width, payments) = rows(&office, "tradebill?bill_date=2026-11-20&bill_type=SUCCESS");
    assert_eq!((width, payments.len()), (20, 3));
    assert!(payments[..2].iter().all(|row| row.len() == 20 && row[9] == "SUCCESS"));
    assert_eq!(payments[2][0], "2.0");
    let (width, refunds) = rows(&office, "tradebill?bill_date=2026-11-20&bill_type=REFUND");
    assert_eq!((width, refunds.len(), refunds[0].len()), (29, 2, 29));
    let times = [0, 14, 15].map(|column| refunds[0][column].as_str());
    assert_eq!(
        times,
        ["2026-11-20 10:00:00", "2026-11-20 10:00:20", "2026-11-20 10:01:20"],
        "dated by its payment, with the day of the refund beside it"
    );
    refused(&ask(&office, "tradebill?bill_date=2026-11-20&bill_type=REVOKED"), 400, "PARAM_ERROR");
    let none = "tradebill?bill_date=2026-11-20&sub_mchid=1900000301";
    refused(&ask(&office, none), 400, "NO_STATEMENT_EXIST");
}

#[test]
fn the_fund_flow_has_every_movement_with_the_balance_after_it() {
    let office = day();
    let (_, gross) = rows(&office, "fundflowbill?bill_date=2026-11-20");
    assert_eq!(gross[2][6], "26.25", "charges go to an account of their own");
    assert_eq!(gross[3], ["3.0", "2.0", "620.00", "1.0", "26.25"]);
    office.take_charges();
    let (width, rows) = rows(&office, "fundflowbill?bill_date=2026-11-20");
    assert_eq!((width, rows.len()), (11, 6));
    let pick = |row: usize| [3, 5, 6, 7].map(|column| rows[row][column].as_str());
    assert_eq!(pick(0), ["交易", "收入", "70.00", "70.00"]);
    assert_eq!(pick(1), ["扣除交易手续费", "支出", "0.42", "69.58"]);
    assert_eq!(pick(4), ["退款", "支出", "26.09", "590.19"]);
    assert_eq!(rows[4][9], "退款总金额26.25元;含手续费0.16元");
    assert_eq!(rows[5], ["5.0", "2.0", "620.00", "3.0", "29.81"]);
    for account in ["OPERATION", "FEES"] {
        let told =
            ask(&office, &format!("fundflowbill?bill_date=2026-11-20&account_type={account}"));
        refused(&told, 400, "NO_STATEMENT_EXIST");
    }
    refused(&ask(&office, "fundflowbill?bill_date=2026-11-20&account_type=X"), 400, "PARAM_ERROR");

    office.native_until("ORDER0003", 100, URL, "2026-11-25T12:00:00+08:00");
    office.engine.pay("ORDER0003", false).unwrap();
    office.pass(86_400);
    let next = self::rows(&office, "fundflowbill?bill_date=2026-11-21").1;
    assert_eq!(next[0][7], "591.19", "the balance goes on");
}

#[test]
fn bills_go_back_three_months() {
    let office = office();
    refused(&ask(&office, "tradebill?bill_date=2026-08-01"), 400, "INVALID_REQUEST");
    refused(&ask(&office, "tradebill?bill_date=2026-09-01"), 400, "NO_STATEMENT_EXIST");
}

fn paid(office: &Office, url: &str) {
    office.native("ORDER0001", 8000, url);
    office.engine.pay("ORDER0001", false).unwrap();
}

#[test]
fn where_intervals_are_held_refunds_of_one_order_are_a_minute_apart() {
    let mut config = config();
    config.wechat[0].strict_intervals = true;
    let clock = ManualClock::at(morning());
    let engine = Arc::new(Engine::new(&config, Arc::new(clock.clone())).unwrap());
    let office = Office { engine, clock };
    paid(&office, URL);
    assert_eq!(office.wechat_refund("ORDER0001", "R1", 100, 8000, "").status, 200);
    refused(&office.wechat_refund("ORDER0001", "R2", 100, 8000, ""), 429, "FREQUENCY_LIMITED");
    assert_eq!(office.wechat_refund("ORDER0001", "R1", 100, 8000, "").status, 200, "a repeat");
    office.pass(60);
    assert_eq!(office.wechat_refund("ORDER0001", "R2", 100, 8000, "").status, 200);
}

#[test]
fn a_year_after_the_payment_nothing_is_given_back() {
    for (seconds, status) in [(365 * 86_400, 200), (365 * 86_400 + 1, 400)] {
        let office = office();
        paid(&office, URL);
        office.pass(seconds);
        let told = office.wechat_refund("ORDER0001", "R1", 100, 8000, "");
        assert_eq!(told.status, status, "{told:?}");
    }
}

fn fault(office: &Office, action: Action) {
    let fault = Fault::new(Place::Answer, action).during(Operation::Refund).times(1);
    office.engine.set_fault(fault).unwrap();
}

#[test]
fn what_was_closed_gives_its_amount_free_again() {
    let office = office();
    paid(&office, URL);
    fault(&office, Action::Closed);
    assert_eq!(office.wechat_refund("ORDER0001", "R1", 8000, 8000, "").status, 200);
    office.pass(60);
    let told = office.wechat("GET", "/v3/refund/domestic/refunds/R1", "");
    assert_eq!(told.body["status"], "CLOSED");
    assert_eq!(office.wechat_refund("ORDER0001", "R2", 8000, 8000, "").status, 200);
    office.pass(60);
    let moved = office.engine.state().moves.len();
    assert_eq!(moved, 2, "the payment and the second refund");
}

fn redirect(office: &Office, refund_id: &str, body: &Value) -> Told {
    let target = format!("/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund");
    office.wechat("POST", &target, &body.to_string())
}

struct Scene {
    office: Office,
    running: sandbox::Running,
    hub: Receiver,
}

fn scene(api_key: bool) -> Scene {
    let mut config = config();
    if api_key {
        config.wechat[0].api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
    }
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config, Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    Scene { office, running, hub: Receiver::start() }
}

#[actix_web::test]
async fn an_abnormal_refund_is_noticed_sent_elsewhere_and_arrives() {
    let Scene { office, running, hub } = scene(false);
    paid(&office, URL);
    fault(&office, Action::Abnormal);
    let told = office.wechat_refund("ORDER0001", "R1", 3000, 8000, &hub.url);
    let id = told.body["refund_id"].as_str().unwrap().to_owned();
    let body = json!({"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD"});
    refused(&redirect(&office, &id, &body), 400, "INVALID_REQUEST");
    office.pass(60);
    running.deliver_due().await;
    assert_eq!(opened(&hub.taken()[0]).1["event_type"], "REFUND.ABNORMAL");

    let card = json!({"out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT"});
    refused(&redirect(&office, &id, &card), 400, "PARAM_ERROR");
    let clear = json!({
        "out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
        "bank_account": "6222020200112230", "real_name": "张三",
    });
    refused(&redirect(&office, &id, &clear), 400, "PARAM_ERROR");
    refused(&redirect(&office, "50300000", &body), 404, "RESOURCE_NOT_EXISTS");
    assert_eq!(redirect(&office, &id, &body).body["status"], "PROCESSING");
    office.pass(60);
    running.deliver_due().await;
    let (plain, notice) = opened(&hub.taken()[1]);
    assert_eq!(notice["event_type"], "REFUND.SUCCESS");
    assert_eq!(plain["refund_status"], "SUCCESS");
    assert_eq!(office.engine.state().moves.len(), 2);
    running.stop().await;
}

#[actix_web::test]
async fn a_refund_in_the_portal_is_told_in_the_old_xml_where_there_is_a_key_for_it() {
    for (api_key, sent) in [(true, 1), (false, 0)] {
        let Scene { office, running, hub } = scene(api_key);
        paid(&office, &hub.url);
        let refund = PortalRefund {
            out_trade_no: "ORDER0001".to_owned(),
            merchant: None,
            amount_fen: Fen::new(3000),
            out_refund_no: None,
        };
        office.engine.refund(&refund).unwrap();
        office.pass(60);
        assert_eq!(running.deliver_due().await.sent, sent);
        for taken in hub.taken() {
            let text = String::from_utf8(taken.body).unwrap();
            assert!(text.starts_with("<xml>") && text.contains("<req_info>"), "{text}");
            assert!(!text.contains("<sign>"), "{text}");
        }
        running.stop().await;
    }
}

#[actix_web::test]
async fn a_probe_is_sent_on_demand_and_the_true_notice_comes_after_it() {
    let Scene { office, running, hub } = scene(false);
    assert_eq!(office.control("/sandbox/callbacks/probe", &json!({"out_trade_no": "X"})).0, 404);
    office.native("ORDER0001", 8000, &hub.url);
    office.engine.pay("ORDER0001", true).unwrap();
    running.deliver_due().await;
    let probe = json!({"out_trade_no": "ORDER0001"});
    assert_eq!(office.control("/sandbox/callbacks/probe", &probe).0, 200);
    hub.answers(401, "{}");
    assert_eq!(running.deliver_due().await.failed, 1);
    let signature = hub.taken()[1].headers["wechatpay-signature"].clone();
    assert!(signature.starts_with("WECHATPAY/SIGNTEST/"));
    hub.answers(200, "");
    office.pass(15);
    assert_eq!(running.deliver_due().await.acknowledged, 1);
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&hub.taken()[2].headers["wechatpay-signature"]);
    assert!(bytes.is_ok());
    running.stop().await;
}
