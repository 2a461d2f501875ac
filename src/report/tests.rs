//! Two merchants in one report: the sums are those of both, and nothing that a stranger wrote gets
//! out of its cell.

use std::io::Cursor;

use calamine::{Data, DataType as _, Reader as _, Xlsx};
use domain::bill::{BillRow, BillState, BillTotals, Coverage, Direction};
use domain::money::Fen;
use domain::provider::Provider;
use jiff::civil::{Date, date};
use reconciliation::{Matcher, Rules, ledger};

use super::workbook::bound;
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
            provider_refund_no: "",
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
        fund_note: None,
        journal_head: Some("ab12".to_owned()),
        version: Some(2),
        digest: None,
        papers: None,
    }
}

fn report() -> Report {
    Report {
        office: Some("园区不动产登记中心".to_owned()),
        made_at: None,
        signatures: Vec::new(),
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
fn the_cover_splits_both_merchants_and_adds_them_up() {
    let cover = sheet("汇总");
    let rows: Vec<Vec<String>> = cover.rows().map(texts).collect();
    let table = |name: &str, item: &str| {
        let first = rows.iter().position(|row| row[0].starts_with(name)).unwrap();
        let row = rows[first..].iter().find(|row| row[1] == item).unwrap();
        row[2..14].join(" ")
    };
    assert_eq!(table("微信支付", "支付"), "1 80 2 81 1 80 1 0 1 0 0 0");
    assert_eq!(table("支付宝", "支付"), "1 80 2 83.05 1 80 1 0 3.05 0 0 0");
    assert_eq!(table("合计", "支付"), "2 160 4 164.05 2 160 2 0 4.05 0 0 0");
    assert_eq!(table("合计", "净额"), " 160  164.05  160  0 4.05  0 0");
    assert_eq!(table("合计", "手续费"), "   1.92  0.96   0.96   0");
    let step = |name: &str| {
        let row = rows.iter().find(|row| row[0] == name).unwrap();
        row[4..10].join(" ")
    };
    assert_eq!(step("系统合计"), "2 160 0 0  160");
    assert_eq!(step("系统有，账单无"), "0 0 0 0 0 0");
    assert_eq!(step("账单有，系统无"), "2 4.05 0 0 2 4.05");
    assert_eq!(step("调节后合计"), "4 164.05 0 0  164.05");
    assert_eq!(step("账单合计"), "4 164.05 0 0  164.05");
    assert_eq!(step("调节后差额"), "0 0 0 0  0");
    let all = rows.concat().join("\n");
    for text in [
        "单位：园区不动产登记中心    对账日：2018-11-30    第 2 版",
        "结论：不平    差错 2 笔，涉及 4.05 元",
        "核对一致净额：人民币壹佰陆拾元整    ¥160.00",
        "差错净额 系统 ¥0.00、账单 ¥4.05",
        "账簿链头",
        "ab12",
        "制表：____",
        "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9",
    ] {
        assert!(all.contains(text), "{text} is not in\n{all}");
    }
}

#[test]
fn numbers_are_numbers_and_ids_are_text() {
    let detail = sheet("明细");
    let first = detail.rows().nth(2).unwrap();
    assert_eq!(first[3], Data::String("P1".to_owned()));
    assert_eq!(first[4], Data::String("42000000000000000001".to_owned()));
    assert_eq!(first[5], Data::Float(80.0));
    assert_eq!(first[8], Data::String("一致".to_owned()));
    let list = sheet("差错清单");
    let first = list.rows().nth(2).unwrap();
    assert_eq!(first[2], Data::String("账单有，系统无\n支付·长款".to_owned()));
    assert_eq!(first[3], Data::String(FOREIGN.to_owned()));
    assert_eq!(first[4], Data::String("42000000000000000001".to_owned()));
    assert_eq!(first[6], Data::Empty);
    assert_eq!((&first[7], &first[8]), (&Data::Float(1.0), &Data::Float(1.0)));
}

#[test]
fn the_page_escapes_and_names_both_merchants() {
    let page = page(&report()).unwrap();
    // The page's own script, and nobody else's.
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains(FOREIGN) && page.contains("&#60;script"), "{page}");
    for text in ["结论：不平", "微信支付 registry-wechat", "支付宝 registry-alipay", "¥160.00"]
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

#[test]
fn rows_beyond_a_sheet_stand_on_the_next_and_are_in_the_subtotal() {
    let book = |rows| -> Xlsx<_> {
        calamine::open_workbook_from_rs(Cursor::new(bound(&report(), rows).unwrap())).unwrap()
    };
    let rows = |book: &mut Xlsx<Cursor<Vec<u8>>>| -> Vec<Vec<String>> {
        let names = book.sheet_names();
        let detail = names.iter().filter(|name| name.starts_with("明细"));
        let sheets: Vec<_> = detail.map(|name| book.worksheet_range(name).unwrap()).collect();
        sheets
            .iter()
            .flat_map(|sheet| sheet.rows().skip(2).map(texts).collect::<Vec<_>>())
            .collect()
    };
    let (mut whole, mut cut) = (book(1000), book(1));
    assert_eq!(whole.sheet_names(), ["汇总", "差错清单", "存疑清单", "明细"]);
    assert!(cut.sheet_names().len() > 5, "{:?}", cut.sheet_names());
    assert_eq!(rows(&mut whole), rows(&mut cut));
    let formulas = |book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str| -> Vec<String> {
        let found = book.worksheet_formula(name).unwrap();
        found.rows().flatten().filter(|text| !text.is_empty()).cloned().collect()
    };
    let sums = formulas(&mut cut, "明细2");
    assert_eq!(sums[0], "ROUND(SUM('明细'!F3:F3)+SUM('明细2'!F3:F3),2)");
}
