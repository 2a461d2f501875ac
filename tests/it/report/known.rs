//! What the office knows beside the bill, on the paper: money at the bank, remittances, what is collected
//! and not remitted, what is to be looked at, who did what, how far differences are, and what a new
//! version has otherwise. Every total is the sum of its rows, and what the cover says of a sheet is it.

use std::io::{Cursor, Read as _};

use calamine::Data;
use payhub::report::{Report, SignaturePaper, page, report_json, workbook};
use serde_json::{Value, json};

use super::book::{Book, count, fen, text};
use super::outcomes::{Fate, report, result, with_papers};

const RUN: &str = "run_01900000000070008000000000000001";
const OLDER: &str = "run_01900000000070008000000000000002";

fn id(prefix: &str, number: u8) -> String {
    format!("{prefix}_019000000000700080000000000000{number:02}")
}

fn settlement(number: u8, day: &str, (payments, refunds): (i64, i64), arrival: Value) -> Value {
    json!({
        "settlement_id": id("stl", number), "account": "wechat:1900000001", "merchants": ["registry-0"],
        "bill_date": day, "due_on": "2018-12-03", "run_id": RUN, "payments_fen": payments,
        "refunds_fen": refunds, "fee_fen": payments * 6 / 1000, "net_fen": payments - refunds,
        "is_late": number == 1, "arrival": arrival,
    })
}

/// Friday's and Saturday's money as one credit, 48 fen short; two people have said so.
fn together() -> Value {
    json!({
        "match_id": id("stm", 1), "bank_serial": "20181203000000000001", "value_date": "2018-12-03",
        "credit_fen": 23_952, "days": ["2018-11-30", "2018-12-01"], "expected_fen": 24_000,
        "difference_fen": -48, "cause": "settlement_short", "claimed_by": "张三", "confirmed_by": "李四",
        "reason": null,
    })
}

fn office() -> Value {
    let remitted = |number: u8, code: Option<&str>, fen: i64| {
        json!({
            "remitted_on": "2018-11-30", "reference": "缴-7", "remittance_id": id("rem", 1),
            "fiscal_item": code, "fiscal_name": "不动产登记费", "fees": number, "amount_fen": fen,
            "bank_serial": code.map(|_| "20181130000000000009"),
        })
    };
    let act = |at: &str, by: &str, action: &str, subject: &str, number: Value| json!({"at": at, "by": by, "action": action, "subject": subject, "number": number});
    json!({
        "settlements": [
            settlement(1, "2018-11-29", (5000, 0), Value::Null),
            settlement(2, "2018-11-30", (20_000, 3000), together()),
            settlement(3, "2018-12-01", (7000, 0), together()),
        ],
        "remitted": [remitted(2, Some("103042901"), 16_000), remitted(1, None, 1000)],
        "owed": [
            {"fiscal_item": "103042901", "fiscal_name": "不动产登记费", "fees": 3, "first_day": "2018-11-27",
             "of_day_fen": 8000, "earlier_fen": 11_000},
            {"fiscal_item": null, "fiscal_name": "证书工本费", "fees": 1, "first_day": "2018-11-30",
             "of_day_fen": 1000, "earlier_fen": 0},
        ],
        "tasks": [{"kind": "settlement_late", "opened_at": "2018-12-01T02:00:00Z", "number": null}],
        "acts": [
            act("2018-12-01T01:30:00Z", "张三", "settlement.confirmed", "20181203000000000001", Value::Null),
            act("2018-12-01T01:00:00Z", "王五", "difference.assigned", &id("dif", 1), json!("P1")),
        ],
    })
}

fn changes() -> Value {
    let sums = |count: u64, fen: i64| json!({"payments": {"count": count, "amount_fen": fen}, "refunds": {"count": 0, "amount_fen": 0}});
    let version = |run: &str, number: i32, differences: u64| {
        json!({"run_id": run, "version": number, "sign_off": "none", "hub": sums(2, 16_000),
               "bill": sums(differences, 8000), "differences": differences, "doubts": 0})
    };
    let said = |order: &str, bill: Option<i64>| {
        json!({"id": id("dif", 1), "kind": "only_in_hub", "direction": "payment", "out_trade_no": order,
               "hub_amount_fen": 8000, "bill_amount_fen": bill, "cause": "payment_missing_in_bill",
               "proposed_action": "freeze_and_query"})
    };
    json!({
        "before": version(OLDER, 1, 1), "after": version(RUN, 2, 2), "gone": [said("P-GONE", None)],
        "new": [said("P-NEW", None)], "changed": [{"before": said("P-SAME", None), "after": said("P-SAME", Some(7900))}],
    })
}

/// A day of one merchant of which everything is known.
pub(super) fn known() -> Report {
    let rows =
        [(false, 8000, Fate::Same), (false, 5000, Fate::OnlyLedger), (true, 1000, Fate::Same)];
    let mut report = with_papers(report(vec![result(&rows, 0)]));
    let papers = report.merchants[0].papers.as_mut().unwrap();
    papers.office = Some(serde_json::from_value(office()).unwrap());
    papers.changes = Some(serde_json::from_value(changes()).unwrap());
    let standing = json!([{"status": "assigned", "owner": "王五", "remedy": null}]);
    papers.standing = serde_json::from_value(standing).unwrap();
    let signed = |event: &str, by: &str, at: &str| SignaturePaper {
        run_id: RUN.to_owned(),
        event: event.to_owned(),
        by: by.to_owned(),
        signed_at: at.parse().unwrap(),
    };
    report.signatures = vec![
        signed("prepared", "赵六", "2018-12-01T02:10:00Z"),
        signed("returned", "李四", "2018-12-01T02:20:00Z"),
        signed("prepared", "张三", "2018-12-01T02:30:00Z"),
        signed("reviewed", "李四", "2018-12-01T02:40:00Z"),
    ];
    report
}

fn book() -> Book {
    Book::read(workbook(&known()).unwrap())
}

/// What the cover says of a sheet.
fn said(book: &Book, sheet: &str) -> String {
    let rows: Vec<&[Data]> = book.sheet("汇总").rows().collect();
    let cell = rows.iter().find_map(|row| {
        let at = [(0, 1), (7, 9)].into_iter().find(|(name, _)| text(&row[*name]) == sheet)?;
        Some(text(&row[at.1]))
    });
    cell.unwrap_or_else(|| panic!("the cover does not lead to {sheet}"))
}

/// The rows of a sheet until its first total, as fen of these columns, and the total.
fn columns(book: &Book, sheet: &str, columns: &[usize]) -> Vec<(i64, i64)> {
    let total = book.total(sheet);
    let sum = |column: &usize| book.list(sheet).map(|row| fen(&row[*column])).sum::<i64>();
    columns.iter().map(|column| (sum(column), fen(&total[*column]))).collect()
}

#[test]
fn money_at_the_bank_adds_up_and_is_what_the_cover_says() {
    let book = book();
    let sums = columns(&book, "资金到账", &[3, 4, 5, 6, 10, 11]);
    for (rows, total) in &sums {
        assert_eq!(rows, total);
    }
    let totals: Vec<i64> = sums.iter().map(|(_, total)| *total).collect();
    assert_eq!(totals, [32_000, -3000, 29_000, 192, 23_952, -48]);
    // Expected is what came, less what came more, and what has not come.
    let waiting: i64 =
        book.list("资金到账").filter(|row| row[10] == Data::Empty).map(|row| fen(&row[5])).sum();
    assert_eq!(totals[2], totals[4] - totals[5] + waiting);
    assert_eq!(said(&book, "资金到账"), "应到账 290.00，已到账 239.52，差额 -0.48，未到账 50.00");
    let rows: Vec<&[Data]> = book.list("资金到账").collect();
    let states: Vec<String> = rows.iter().map(|row| text(&row[13])).collect();
    assert_eq!(
        states,
        ["逾期未到账", "到账有差额", "已到账"],
        "a shortfall stands with the first day"
    );
    assert_eq!(text(&rows[1][8]), "20181203000000000001", "a serial is text");
    let why = text(&rows[1][12]);
    for part in ["2018-11-30、2018-12-01 合并到账 239.52 元", "认领 张三", "确认 李四"]
    {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn remittances_and_what_is_not_remitted_add_up() {
    let book = book();
    let sheet = book.sheet("缴库");
    let rows: Vec<&[Data]> = sheet.rows().collect();
    let heads: Vec<usize> = (0..rows.len()).filter(|at| text(&rows[*at][0]) == "序号").collect();
    let part = |from: usize, column: usize| -> (i64, i64) {
        let body = &rows[from + 1..];
        let end = body.iter().position(|row| text(&row[0]).starts_with("合计")).unwrap();
        (body[..end].iter().map(|row| fen(&row[column])).sum(), fen(&body[end][column]))
    };
    assert_eq!(part(heads[0], 6), (17_000, 17_000));
    assert_eq!(part(heads[1], 2), (11_000, 11_000), "of days before");
    assert_eq!(part(heads[1], 6), (20_000, 20_000));
    assert_eq!(part(heads[1], 7), (9000, 9000), "of this day");
    let first = rows[heads[0] + 1];
    assert_eq!((text(&first[3]), count(&first[5])), ("103042901".to_owned(), 2), "a code is text");
    assert_eq!(text(&rows[heads[0] + 2][7]), "未见银行流水");
    assert_eq!(text(&rows[heads[1] + 1][1]), "2018-11-27", "since when the oldest is owed");
    assert_eq!(
        said(&book, "缴库"),
        "本日缴库 170.00 元，已收未缴 200.00 元（其中以前日期 110.00 元）"
    );
}

#[test]
fn who_did_what_and_who_signed_stand_on_the_paper() {
    let book = book();
    let acts: Vec<String> =
        book.list("操作日志").map(|row| format!("{} {}", text(&row[2]), text(&row[3]))).collect();
    let expected =
        ["王五 差错分派", "张三 确认到账", "赵六 制表", "李四 退回制表", "张三 制表", "李四 复核"];
    assert_eq!(acts, expected);
    assert_eq!(said(&book, "操作日志"), "6 条");
    let line =
        "制表：张三 2018-12-01 10:30:00    复核：李四 2018-12-01 10:40:00    财务负责人：____";
    for (name, _) in &book.0 {
        let is_signed = book.sheet(name).rows().flatten().any(|cell| text(cell).starts_with(line));
        assert_eq!(is_signed, name != "明细", "{name}");
    }
    let page = page(&known()).unwrap();
    assert!(page.contains("复核：<span>李四 2018-12-01 10:40:00</span>"));
    let json: Value = serde_json::from_slice(&report_json(&known()).unwrap()).unwrap();
    assert_eq!(json["signatures"][3]["by"], "李四");
    // Whoever gave it back has taken the name away.
    let mut back = known();
    back.signatures.truncate(2);
    let texts = Book::read(workbook(&back).unwrap()).texts().join("\n");
    assert!(texts.contains("制表：______________    复核：______________"), "{texts}");
}

#[test]
fn what_is_to_be_looked_at_and_how_far_it_is_stand_on_the_paper() {
    let book = book();
    let task = book.list("待办").next().unwrap();
    assert_eq!(text(&task[3]), "逾期未到账");
    assert!(!text(&task[5]).is_empty(), "with what to do");
    assert_eq!(said(&book, "待办"), "1 项");
    let difference = book.list("差错清单").next().unwrap();
    assert!(text(&difference[12]).contains("已分派\n王五"), "{}", text(&difference[12]));
}

#[test]
fn a_new_version_says_what_it_has_otherwise() {
    let book = book();
    let rows: Vec<String> = book
        .sheet("版本变更")
        .rows()
        .map(|row| row.iter().map(text).collect::<Vec<_>>().join(" | "))
        .collect();
    let all = rows.join("\n");
    for line in [
        "第 1 版已签后重新打开，第 2 版与之相比：差错消除 1 笔，新增 1 笔，变动 1 笔",
        "账单支付 |  | 1 笔 80.00 元 | 2 笔 80.00 元",
        "消除 | P-GONE | 系统 80.00，账单 无，差 -80.00 | ",
        "新增 | P-NEW |  | 系统 80.00，账单 无，差 -80.00",
        "变动 | P-SAME | 系统 80.00，账单 无，差 -80.00 | 系统 80.00，账单 79.00，差 -1.00",
    ] {
        assert!(all.contains(line), "{line} is not in\n{all}");
    }
    assert!(
        !Book::read(workbook(&report(vec![result(&[], 0)])).unwrap())
            .0
            .iter()
            .any(|(name, _)| name == "版本变更")
    );
}

#[test]
fn the_cover_leads_to_the_rows_behind_it() {
    let bytes = workbook(&known()).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let mut cover = String::new();
    archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut cover).unwrap();
    let page = page(&known()).unwrap();
    for (name, _) in Book::read(bytes.clone()).0 {
        let is_led_to = cover.contains(&format!("location=\"'{name}'!A1\""));
        assert_eq!(is_led_to, name != "汇总", "{name}");
    }
    let anchors = page.split("<a href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let anchors: Vec<&str> = anchors.collect();
    assert!(anchors.len() > 10, "{anchors:?}");
    for anchor in anchors {
        let is_dead = ["doubts"].contains(&anchor);
        assert_eq!(!page.contains(&format!("id=\"{anchor}\"")), is_dead, "{anchor}");
    }
}

#[test]
fn the_first_page_says_what_differs_why_and_what_to_do() {
    let book = book();
    let rows: Vec<&[Data]> = book.sheet("汇总").rows().collect();
    let at = rows.iter().position(|row| text(&row[0]).starts_with("需要处理")).unwrap();
    let row = rows[at + 1];
    assert!(text(&row[0]).starts_with("系统有，账单无"), "{}", text(&row[0]));
    assert_eq!((fen(&row[2]), text(&row[4]), fen(&row[6])), (5000, "无".to_owned(), -5000));
    assert!(!text(&row[8]).is_empty() && text(&row[11]).contains('〔'), "{row:?}");
    // A day without differences has no such block: it is calm.
    let calm =
        Book::read(workbook(&report(vec![result(&[(false, 8000, Fate::Same)], 0)])).unwrap());
    assert!(!calm.texts().iter().any(|text| text.starts_with("需要处理")));
}
