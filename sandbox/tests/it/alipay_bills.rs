//! Alipay's bills of funds, of months, and of payments with coupons.

use std::io::{Cursor, Read as _};

use domain::Fen;
use sandbox::{Pay, Received};
use serde_json::{Value, json};

use crate::alipay_office::URL;
use crate::office::{Office, office};

const ASK: &str = "alipay.data.dataservice.bill.downloadurl.query";

/// Two payments on Friday, one of them with a coupon and a refund in part.
fn friday() -> Office {
    let office = office();
    for (no, coupon) in [("A0001", 0), ("A0002", 1000)] {
        office.precreate(no, "80.00", URL);
        let pay = Pay {
            out_trade_no: no.to_owned(),
            coupon_fen: Some(Fen::new(coupon)),
            ..Pay::default()
        };
        office.engine.pay_as(&pay).unwrap();
    }
    let content =
        json!({"out_trade_no": "A0002", "out_request_no": "R1", "refund_amount": "40.00"});
    assert_eq!(office.alipay("alipay.trade.refund", &content)["code"], "10000");
    office
}

fn address(office: &Office, kind: &str, date: &str) -> Value {
    office.alipay(ASK, &json!({"bill_type": kind, "bill_date": date}))
}

/// The files of a bill: name and text.
fn files(office: &Office, kind: &str, date: &str) -> Vec<(String, String)> {
    let told = address(office, kind, date);
    let url = url::Url::parse(told["bill_download_url"].as_str().unwrap()).unwrap();
    let reply = office.engine.answer(&Received {
        method: "GET".to_owned(),
        target: format!("{}?{}", url.path(), url.query().unwrap()),
        headers: Vec::new(),
        body: Vec::new(),
    });
    let mut archive = zip::ZipArchive::new(Cursor::new(reply.body)).unwrap();
    let gbk = |bytes: &[u8]| encoding_rs::GBK.decode(bytes).0.into_owned();
    (0..archive.len())
        .map(|place| {
            let mut file = archive.by_index(place).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (gbk(file.name_raw()), gbk(&bytes))
        })
        .collect()
}

/// The rows of a file, their fields trimmed.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split(',').map(|field| field.trim().to_owned()).collect()).collect()
}

#[test]
fn the_fund_bill_has_every_movement_of_the_balance_and_foots() {
    let office = friday();
    office.pass(86_400);
    let gross = files(&office, "signcustomer", "2026-11-20");
    assert!(gross[1].1.contains("合计,2,150.00,1,-35.00,115.00"), "{}", gross[1].1);
    office.take_charges();
    let files = files(&office, "signcustomer", "2026-11-20");
    assert_eq!(files[0].0, "20880000000000000156_20261120_账务明细.csv");
    assert!(files[0].1.starts_with("#支付宝账务明细查询\r\n"));
    let moves: Vec<(String, String, String, String)> = rows(&files[0].1)
        .into_iter()
        .map(|row| {
            assert_eq!(row.len(), 12, "{row:?}");
            (row[10].clone(), row[6].clone(), row[7].clone(), row[8].clone())
        })
        .collect();
    let told = |kind: &str, inward: &str, outward: &str, balance: &str| {
        (kind.to_owned(), inward.to_owned(), outward.to_owned(), balance.to_owned())
    };
    assert_eq!(
        moves,
        [
            told("在线支付", "80.00", "", "80.00"),
            told("收费", "", "-0.48", "79.52"),
            told("在线支付", "70.00", "", "149.52"),
            told("收费", "", "-0.42", "149.10"),
            told("交易退款", "", "-35.00", "114.10"),
            told("退费", "0.21", "", "114.31"),
        ]
    );
    assert!(files[0].1.contains("#支出合计：3笔，共-35.90元\r\n#收入合计：3笔，共150.21元"));
    assert!(files[1].1.contains("合计,3,150.21,3,-35.90,114.31"), "{}", files[1].1);
}

#[test]
fn a_day_begins_with_the_balance_of_the_day_before() {
    let office = friday();
    office.take_charges();
    office.pass(86_400);
    office.precreate("A0003", "1.00", URL);
    office.engine.pay("A0003", false).unwrap();
    office.pass(86_400);
    let files = files(&office, "signcustomer", "2026-11-21");
    assert_eq!(rows(&files[0].1)[0][8], "115.31");
}

#[test]
fn t24_the_trade_bill_tells_the_coupon_apart_and_foots_with_it() {
    let office = friday();
    office.pass(86_400);
    let files = files(&office, "trade", "2026-11-20");
    let money: Vec<(String, String, String)> = rows(&files[0].1)
        .into_iter()
        .map(|row| (row[11].clone(), row[12].clone(), row[16].clone()))
        .collect();
    let told = |total: &str, received: &str, coupon: &str| {
        (total.to_owned(), received.to_owned(), coupon.to_owned())
    };
    assert_eq!(
        money,
        [
            told("80.00", "80.00", "0.00"),
            told("80.00", "70.00", "10.00"),
            told("-40.00", "-35.00", "-5.00")
        ]
    );
    let text = &files[0].1;
    assert!(text.contains("#交易合计：2笔，商家实收共150.00元，商家优惠共10.00元"), "{text}");
    assert!(text.contains("#退款合计：1笔，商家实收退款共-35.00元，商家优惠退款共-5.00元"));
}

#[test]
fn a_months_bill_is_there_on_the_third_and_has_all_days() {
    let office = friday();
    office.pass(86_400);
    office.precreate("A0003", "1.00", URL);
    office.engine.pay("A0003", false).unwrap();
    office.pass(11 * 86_400); // 2 December
    assert_eq!(address(&office, "trade", "2026-11")["sub_code"], "isp.bill_not_exist");
    office.pass(86_400);
    let files = files(&office, "trade", "2026-11");
    assert_eq!(files[0].0, "20880000000000000156_202611_业务明细.csv");
    assert!(
        files[0]
            .1
            .contains("起始日期：[2026年11月01日 00:00:00]   终止日期：[2026年12月01日 00:00:00]")
    );
    assert_eq!(rows(&files[0].1).len(), 4);
}

#[test]
fn other_bills_and_other_dates_are_refused() {
    let office = friday();
    office.pass(86_400);
    for (kind, date) in [("merchant_act", "2026-11-20"), ("trade", "20261120"), ("trade", "")] {
        let told = address(&office, kind, date);
        assert_eq!(told["sub_code"], "isv.invalid-arguments", "{kind} {date}");
    }
}
