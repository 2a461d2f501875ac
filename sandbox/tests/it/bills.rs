//! Bills: every row and every total, as files and after faults.

use std::io::{Cursor, Read as _};

use sandbox::{Action, Fault, Place, Received};
use serde_json::json;
use sha1::{Digest as _, Sha1};

use crate::office::{APP_ID, MCHID, Office, hex, office};

const URL: &str = "http://127.0.0.1:9/callbacks/a";
const NEXT_MORNING: i64 = 24 * 3600;

/// A day: payments of 80.00 and 550.00, a refund of 30.00, an order that nobody paid.
fn wechat_day() -> Office {
    let office = office();
    for (no, fen) in [("ORDER0001", 8000), ("ORDER0002", 55_000), ("ORDER0003", 100)] {
        office.native(no, fen, URL);
    }
    office.engine.pay("ORDER0001", false).unwrap();
    office.pass(10);
    office.engine.pay("ORDER0002", false).unwrap();
    office.pass(10);
    assert_eq!(office.wechat_refund("ORDER0001", "R1", 3000, 8000, "").status, 200);
    office
}

fn ask(office: &Office) -> (String, String) {
    let told = office.wechat("GET", "/v3/bill/tradebill?bill_date=2026-11-20&tar_type=GZIP", "");
    assert_eq!(told.status, 200, "{told:?}");
    assert!(told.signed);
    let text = |name: &str| told.body[name].as_str().unwrap().to_owned();
    (text("download_url"), text("hash_value"))
}

fn fetch(office: &Office, url: &str) -> Vec<u8> {
    let target = url.split_once(":0").unwrap().1;
    let reply = office.engine.answer(&office.wechat_request("GET", target, ""));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Wechatpay-Signature"), None, "files are not signed");
    reply.body
}

fn unpacked(office: &Office) -> String {
    let (url, hash) = ask(office);
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(fetch(office, &url).as_slice()).read_to_end(&mut text).unwrap();
    assert_eq!(hex(&Sha1::digest(&text)), hash);
    String::from_utf8(text).unwrap()
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.strip_prefix('\u{feff}').unwrap().strip_suffix("\r\n").unwrap();
    lines
        .split("\r\n")
        .filter_map(|line| line.strip_prefix('`'))
        .map(|line| line.split(",`").map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_wechat_bill_has_27_columns_every_movement_and_totals_that_foot() {
    let office = wechat_day();
    office.pass(NEXT_MORNING);
    let text = unpacked(&office);
    assert_eq!(text.lines().next().unwrap().split(',').count(), 27);
    let rows = rows(&text);
    assert_eq!(rows.len(), 4, "two payments, one refund, the totals");
    assert!(rows[..3].iter().all(|row| row.len() == 27));
    let pick = |row: usize, columns: &[usize]| {
        columns.iter().map(|&column| rows[row][column].as_str()).collect::<Vec<_>>()
    };
    let columns = [0, 6, 9, 12, 15, 16, 19, 22, 23, 24, 25];
    assert_eq!(
        pick(0, &columns),
        [
            "2026-11-20 10:00:00",
            "ORDER0001",
            "SUCCESS",
            "80.00",
            "0",
            "0.00",
            "",
            "0.48000",
            "0.60%",
            "80.00",
            "0.00"
        ]
    );
    assert_eq!(
        pick(2, &columns),
        [
            "2026-11-20 10:00:20",
            "ORDER0001",
            "REFUND",
            "0.00",
            "R1",
            "30.00",
            "SUCCESS",
            "-0.18000",
            "0.60%",
            "0.00",
            "30.00"
        ]
    );
    assert_eq!(rows[3], ["3.0", "630.00", "30.00", "0.00", "3.60000", "630.00", "30.00"]);
}

#[test]
fn the_bill_is_made_at_nine_and_a_day_without_movement_has_none() {
    let office = wechat_day();
    let code = |office: &Office, day: &str| {
        let told = office.wechat("GET", &format!("/v3/bill/tradebill?bill_date={day}"), "");
        (told.status, told.code().to_owned())
    };
    assert_eq!(code(&office, "2026-11-20"), (400, "STATEMENT_CREATING".to_owned()));
    assert_eq!(code(&office, "2026-11-19"), (400, "NO_STATEMENT_EXIST".to_owned()));
    assert_eq!(code(&office, "2026-11-21"), (400, "PARAM_ERROR".to_owned()));
    office.pass(NEXT_MORNING - 3600 - 20 - 1);
    assert_eq!(code(&office, "2026-11-20"), (400, "STATEMENT_CREATING".to_owned()));
    office.pass(1);
    assert_eq!(code(&office, "2026-11-20").0, 200);
}

#[test]
fn the_download_address_lives_five_minutes() {
    let office = wechat_day();
    office.pass(NEXT_MORNING);
    let (url, _) = ask(&office);
    let target = url.split_once(":0").unwrap().1;
    office.pass(299);
    assert_eq!(office.wechat("GET", target, "").status, 200);
    office.pass(1);
    assert_eq!(office.wechat("GET", target, "").code(), "INVALID_REQUEST");
}

#[track_caller]
fn with_fault(fault: Fault, check: impl Fn(&[Vec<String>])) {
    let office = wechat_day();
    office.engine.set_fault(fault).unwrap();
    office.pass(NEXT_MORNING);
    let first = unpacked(&office);
    assert_eq!(unpacked(&office), first, "a second file of the day is hurt alike");
    check(&rows(&first));
}

#[test]
fn a_missing_an_extra_and_a_changed_row_are_in_the_totals_too() {
    let bill = |action| Fault::new(Place::Bill, action);
    with_fault(bill(Action::MissingRow).for_order("ORDER0002"), |rows| {
        assert!(rows.iter().all(|row| row.get(6).is_none_or(|no| no != "ORDER0002")));
        assert_eq!(rows.last().unwrap()[..2], ["2.0", "80.00"]);
    });
    with_fault(bill(Action::MissingRow), |rows| assert_eq!(rows.len(), 3));
    with_fault(bill(Action::ExtraRow), |rows| {
        assert_eq!(rows.last().unwrap()[..2], ["4.0", "710.00"]);
    });
    with_fault(bill(Action::ChangedRow).for_order("ORDER0001"), |rows| {
        assert_eq!(rows[0][24], "81.00");
        assert_eq!(rows.last().unwrap()[..2], ["3.0", "631.00"]);
    });
}

#[test]
fn damaged_late_and_empty_files() {
    let office = wechat_day();
    office.pass(NEXT_MORNING);
    let fault = |action| office.engine.set_fault(Fault::new(Place::Bill, action).times(1)).unwrap();
    let told = || office.wechat("GET", "/v3/bill/tradebill?bill_date=2026-11-20", "");
    fault(Action::Late);
    assert_eq!(told().code(), "STATEMENT_CREATING");
    fault(Action::EmptyDay);
    assert_eq!(told().code(), "NO_STATEMENT_EXIST");
    for action in [Action::WrongHash, Action::Truncate] {
        fault(action);
        let told = told();
        let file = fetch(&office, told.body["download_url"].as_str().unwrap());
        assert_ne!(told.body["hash_value"], json!(hex(&Sha1::digest(&file))), "{action:?}");
    }
    let told = told();
    let file = fetch(&office, told.body["download_url"].as_str().unwrap());
    assert_eq!(told.body["hash_value"], json!(hex(&Sha1::digest(&file))));
}

fn alipay_day() -> Office {
    let office = office();
    for (no, yuan) in [("A0001", "80.00"), ("A0002", "550.00")] {
        office.precreate(no, yuan, URL);
        office.engine.pay(no, false).unwrap();
        office.pass(1);
    }
    let content =
        json!({"out_trade_no": "A0001", "out_request_no": "R1", "refund_amount": "30.00"});
    office.alipay("alipay.trade.refund", &content);
    office.precreate("A0003", "1.00", URL);
    office
}

fn alipay_url(office: &Office) -> String {
    let content = json!({"bill_type": "trade", "bill_date": "2026-11-20"});
    let method = "alipay.data.dataservice.bill.downloadurl.query";
    let told = office.alipay(method, &content);
    told["bill_download_url"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

fn get(office: &Office, url: &str) -> Vec<u8> {
    let reply = office.engine.answer(&Received {
        method: "GET".to_owned(),
        target: url.split_once(":0").unwrap().1.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    });
    reply.body
}

fn entries(archive: Vec<u8>) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    (0..archive.len())
        .map(|place| {
            let mut file = archive.by_index(place).unwrap();
            let name = encoding_rs::GBK.decode(file.name_raw()).0.into_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert!(std::str::from_utf8(&bytes).is_err(), "GBK, not UTF-8");
            (name, encoding_rs::GBK.decode(&bytes).0.into_owned())
        })
        .collect()
}

#[test]
fn the_alipay_bill_is_a_gbk_zip_of_detail_and_summary_that_foot() {
    let office = alipay_day();
    office.pass(NEXT_MORNING);
    let files = entries(get(&office, &alipay_url(&office)));
    assert_eq!(files[0].0, "20880000000000000156_20261120_业务明细.csv");
    assert_eq!(files[1].0, "20880000000000000156_20261120_业务明细(汇总).csv");
    let rows: Vec<Vec<&str>> = files[0]
        .1
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("支付宝交易号"))
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.len() == 25 && row[0].ends_with('\t')));
    assert_eq!(
        [rows[0][1], rows[0][2], rows[0][11], rows[0][22]],
        ["A0001\t", "交易", "80.00", "-0.48"]
    );
    assert_eq!(
        [rows[2][1], rows[2][2], rows[2][11], rows[2][21], rows[2][22]],
        ["A0001\t", "退款", "-30.00", "R1\t", "0.18"]
    );
    assert!(files[0].1.contains("#交易合计：2笔，商家实收共630.00元，商家优惠共0.00元\r\n"));
    assert!(
        files[0].1.contains("#退款合计：1笔，商家实收退款共-30.00元，商家优惠退款共0.00元\r\n")
    );
    assert!(files[1].1.contains("合计,,2,1,600.00,600.00,"));
}

#[test]
fn the_alipay_address_lives_thirty_seconds_and_is_there_from_nine() {
    let office = alipay_day();
    let content = json!({"bill_type": "trade", "bill_date": "2026-11-20"});
    let ask = || office.alipay("alipay.data.dataservice.bill.downloadurl.query", &content);
    assert_eq!(ask()["sub_code"], "isp.bill_not_exist");
    office.pass(NEXT_MORNING);
    let url = alipay_url(&office);
    office.pass(29);
    assert!(get(&office, &url).starts_with(b"PK"));
    office.pass(1);
    assert!(String::from_utf8(get(&office, &url)).unwrap().contains("下载超时"));
}

#[test]
fn a_fault_for_one_merchant_spares_the_other() {
    let office = alipay_day();
    let fault = Fault::new(Place::Bill, Action::EmptyDay);
    office.engine.set_fault(fault.for_merchant(MCHID)).unwrap();
    office.pass(NEXT_MORNING);
    assert!(alipay_url(&office).contains("downloadBillFile"));
    let fault = Fault::new(Place::Bill, Action::ExtraRow).for_merchant(APP_ID);
    office.engine.set_fault(fault).unwrap();
    let files = entries(get(&office, &alipay_url(&office)));
    assert!(files[0].1.contains("#交易合计：3笔，商家实收共710.00元"));
}

/// A small generator of its own, so that the test does not lean on the sandbox's.
fn below(state: &mut u64, end: i64) -> i64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    i64::try_from(*state >> 33).unwrap().checked_rem(end).unwrap()
}

/// Twelve hours over midnight with payments and refunds at odd moments.
fn live(office: &Office, seed: u64) {
    office.pass(8 * 3600);
    let mut chance = seed;
    let mut paid: Vec<(String, i64)> = Vec::new();
    for count in 0..120 {
        office.pass(below(&mut chance, 600));
        let fen = below(&mut chance, 60_000).max(2);
        let no = format!("ORDER{count:05}");
        let body = crate::office::native(&no, fen, URL).replace("2026-11-20T12", "2026-11-25T12");
        assert_eq!(office.wechat("POST", "/v3/pay/transactions/native", &body).status, 200);
        if below(&mut chance, 4) > 0 {
            office.engine.pay(&no, false).unwrap();
            paid.push((no, fen));
        }
        if below(&mut chance, 3) == 0 && !paid.is_empty() {
            let (no, fen) = paid.remove(0);
            let told = office.wechat_refund(&no, &format!("R{count}"), fen / 2, fen, "");
            assert_eq!(told.status, 200, "{told:?}");
        }
    }
    office.pass(2 * 24 * 3600);
}

#[test]
fn the_bills_of_all_days_together_are_every_fen_that_moved() {
    for seed in 1..=3 {
        let office = office();
        live(&office, seed);
        let (mut paid, mut back, mut days) = (0, 0, 0);
        for day in ["2026-11-20", "2026-11-21", "2026-11-22"] {
            let target = format!("/v3/bill/tradebill?bill_date={day}");
            let told = office.wechat("GET", &target, "");
            if told.code() == "NO_STATEMENT_EXIST" || told.code() == "STATEMENT_CREATING" {
                continue;
            }
            days += 1;
            let text = fetch(&office, told.body["download_url"].as_str().unwrap());
            let rows = rows(std::str::from_utf8(&text).unwrap());
            let fen = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
            for row in &rows[..rows.len() - 1] {
                assert!(row[0].starts_with(day), "{row:?}");
                paid += fen(&row[24]);
                back += fen(&row[25]);
            }
        }
        assert!(days > 1, "the day must be cut");
        let moved = |direction| -> i64 {
            let moves = office.engine.state().moves;
            moves.iter().filter(|of| of.direction == direction).map(|of| of.amount_fen.get()).sum()
        };
        assert_eq!(paid, moved(domain::bill::Direction::Payment));
        assert_eq!(back, moved(domain::bill::Direction::Refund));
        assert!(back > 0);
    }
}
