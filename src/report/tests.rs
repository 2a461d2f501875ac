//! Two merchants in one report: the sums are those of both, and nothing that a stranger wrote gets
//! out of its cell.

use std::io::Cursor;

use calamine::{Data, DataType as _, Reader as _, Xlsx};
use domain::bill::{BillRow, BillState, BillTotals, Coverage, Direction};
use domain::money::Fen;
use domain::provider::Provider;
use jiff::civil::{Date, date};
use reconciliation::{Matcher, Rules, ledger};

use super::{FileStamp, MerchantDay, Report, page, summary_json, workbook};

const DAY: Date = date(2018, 11, 30);
const FOREIGN: &str = "<script>alert(1)</script>&\"'";

fn merchant(name: &str, provider: Provider, amount: i64, order: &str) -> MerchantDay {
    let head = ledger::COLUMNS.join(",");
    let rows =
        format!("{head}\npayment,P1,,42000000000000000001,8000,paid,2018-11-30T10:00:00+08:00");
    let rows = ledger::read(rows.as_bytes()).unwrap();
    let mut matcher = Matcher::new(Rules { day: Some(DAY), fee_rate: None }, rows);
    for (line, number, amount) in [(2, "P1", 8000), (3, order, amount)] {
        matcher.bill_row(&BillRow {
            line,
            direction: Direction::Payment,
            out_trade_no: number,
            out_refund_no: "",
            provider_trade_no: "42000000000000000001",
            amount: Fen::new(amount),
            settled: None,
            state: BillState::Succeeded,
            occurred_at: "2018-11-30T10:00:00+08:00".parse().unwrap(),
            fee: Some(Fen::new(48)),
            rate: None,
        });
    }
    MerchantDay {
        merchant: name.to_owned(),
        totals: BillTotals::empty(provider, DAY),
        bill: Some(FileStamp::of("bill.csv", b"bytes")),
        ledger: None,
        result: matcher.finish(None, Coverage::BOTH),
        fund_flow: None,
        journal_head: Some("ab12".to_owned()),
    }
}

fn report() -> Report {
    Report {
        office: Some("园区不动产登记中心".to_owned()),
        version: Some(2),
        made_at: None,
        merchants: vec![
            merchant("registry-wechat", Provider::Wechat, 100, FOREIGN),
            merchant("registry-alipay", Provider::Alipay, 305, "X2"),
        ],
    }
}

fn sheet(name: &str) -> calamine::Range<Data> {
    let bytes = workbook(&report()).unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    book.worksheet_range(name).unwrap()
}

fn texts(row: &[Data]) -> Vec<String> {
    row.iter().map(|cell| cell.as_string().unwrap_or_default()).collect()
}

#[test]
fn the_cover_adds_up_both_merchants() {
    let cover = sheet("汇总");
    let rows: Vec<Vec<String>> = cover.rows().map(texts).collect();
    let row = |name: &str, item: &str| {
        rows.iter().find(|row| row[0] == name && row[2] == item).unwrap()[3..8].to_vec()
    };
    assert_eq!(row("微信支付", "支付"), ["1", "80", "2", "81", "-1"]);
    assert_eq!(row("支付宝", "支付"), ["1", "80", "2", "83.05", "-3.05"]);
    assert_eq!(row("合计", "支付"), ["2", "160", "4", "164.05", "-4.05"]);
    assert_eq!(row("合计", "手续费")[3], "1.92");
    let all = rows.concat().join("\n");
    for text in [
        "单位：园区不动产登记中心    对账日：2018-11-30    第 2 版",
        "结论：不平    差错 2 笔",
        "人民币壹佰陆拾肆元零伍分    ¥164.05",
        "账簿链头：ab12",
        "制表：____",
        "SHA-256：277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9",
    ] {
        assert!(all.contains(text), "{text} is not in\n{all}");
    }
}

#[test]
fn numbers_are_numbers_and_ids_are_text() {
    let detail = sheet("明细");
    let first = detail.rows().nth(2).unwrap();
    assert_eq!(first[6], Data::String("42000000000000000001".to_owned()));
    assert_eq!(first[7], Data::Float(80.0));
    assert_eq!(first[10], Data::String("一致".to_owned()));
    let list = sheet("差错清单");
    let first = list.rows().nth(2).unwrap();
    assert_eq!(first[3], Data::String("账单有，系统无".to_owned()));
    assert_eq!(first[5], Data::String(FOREIGN.to_owned()));
}

#[test]
fn the_page_escapes_and_names_both_merchants() {
    let page = page(&report()).unwrap();
    assert!(!page.contains("<script") && page.contains("&#60;script"), "{page}");
    for text in ["结论：不平", "微信支付 registry-wechat", "支付宝 registry-alipay", "¥164.05"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn several_merchants_have_one_summary_and_each_its_own() {
    let json: serde_json::Value = serde_json::from_str(&summary_json(&report()).unwrap()).unwrap();
    assert_eq!(json["bill"]["payments"]["amount_fen"], 16_405);
    assert_eq!(json["bill"]["fee_fen"], 192);
    assert_eq!(json["matched"]["count"], 2);
    assert_eq!(json["differences"]["by_kind"]["only_in_bill"], 2);
    assert_eq!(json["merchants"][1]["merchant_id"], "registry-alipay");
    assert_eq!(json["balanced"], false);
}
