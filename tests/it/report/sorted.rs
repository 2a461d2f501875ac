//! The sheets by item, by department and of refunds against the cover, over generated days, exact to
//! the fen; and what stands in their cells.

use calamine::{Data, DataType as _};
use payhub::report::{CarriedPaper, OpenPaper, RefundPaper, Report, page, workbook};
use proptest::prelude::*;
use reconciliation::{Cause, Kind};

use super::book::{Book, Line, count, fen, text};
use super::outcomes::{DAY, Fate, planted, report, result, with_papers};
use super::words::all_fates;

fn book(report: &Report) -> Book {
    Book::read(workbook(report).unwrap())
}

fn cover(lines: &[Line], whose: &str, item: &str, cell: usize) -> i64 {
    lines.iter().find(|line| line.whose == whose && line.item == item).unwrap().cells[cell]
}

/// Counts and amounts of payments and refunds, and the net, in a row of the sheet by item.
fn numbers(row: &[Data]) -> [i64; 5] {
    [count(&row[3]), fen(&row[4]), count(&row[5]), fen(&row[6]), fen(&row[7])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_item_and_department_foots_to_the_cover(
        one in planted(), other in planted(), doubt in 0_usize..4,
    ) {
        let report = with_papers(report(vec![result(&one, doubt), result(&other, 0)]));
        let book = book(&report);
        let lines = book.lines();
        let merchants = ["微信支付 registry-0", "支付宝 registry-1"];
        for whose in merchants.into_iter().chain(["合计"]) {
            let rows: Vec<&[Data]> =
                book.sheet("按收费项目").rows().skip(2).filter(|row| text(&row[0]) == whose).collect();
            let (items, foot) = rows.split_at(rows.len() - 4);
            let side = |cell: usize| [
                cover(&lines, whose, "支付", cell), cover(&lines, whose, "支付", cell + 1),
                cover(&lines, whose, "退款", cell), cover(&lines, whose, "退款", cell + 1),
                cover(&lines, whose, "净额", cell + 1),
            ];
            prop_assert_eq!(numbers(foot[0]), side(0), "{} hub", whose);
            prop_assert_eq!(numbers(foot[3]), side(2), "{} bill", whose);
            for at in [1, 3, 4] {
                let added: i64 = items.iter().map(|row| numbers(row)[at]).sum();
                prop_assert_eq!(added, numbers(foot[0])[at], "{} column {}", whose, at);
            }
            for at in 0..5 {
                let added: i64 = foot[..3].iter().map(|row| numbers(row)[at]).sum();
                prop_assert_eq!(added, numbers(foot[3])[at], "{} column {}", whose, at);
            }
        }
        let rows: Vec<&[Data]> = book.sheet("按部门").rows().skip(3).collect();
        let last = rows.iter().position(|row| text(&row[0]) == "系统合计").unwrap();
        for (column, item, cell) in [(2, "支付", 1), (4, "退款", 1), (5, "净额", 1)] {
            let added: i64 = rows[..last].iter().map(|row| fen(&row[column])).sum();
            prop_assert_eq!(added, cover(&lines, "合计", item, cell), "{}", item);
            prop_assert_eq!(fen(&rows[last][column]), added);
            prop_assert_eq!(fen(&rows[last + 3][column]), cover(&lines, "合计", item, 3));
        }
    }

    #[test]
    fn the_refunds_that_count_come_to_the_cover(one in planted(), doubt in 0_usize..4) {
        let report = with_papers(report(vec![result(&one, doubt)]));
        let book = book(&report);
        let lines = book.lines();
        let total = book.total("退款清单");
        let added: i64 = book.list("退款清单").map(|row| fen(&row[5])).sum();
        prop_assert_eq!(fen(&total[5]), added);
        prop_assert_eq!(added, cover(&lines, "微信支付 registry-0", "退款", 1));
    }
}

/// A day with everything that a hub may know.
fn full() -> Report {
    let mut report = with_papers(report(vec![result(&all_fates(), 3), result(&all_fates(), 0)]));
    report.made_at = Some(domain::time::day_start(DAY) + jiff::SignedDuration::from_hours(34));
    let day = &mut report.merchants[0];
    let doubt = day.result.doubts[0].clone();
    let papers = day.papers.as_mut().unwrap();
    let at = domain::time::day_start(DAY);
    for (number, days) in [(1, 2), (2, 5), (3, 30)] {
        let first = DAY.checked_sub(jiff::Span::new().days(days)).unwrap();
        papers.carried.push(CarriedPaper { day: first, files: number, finding: doubt.clone() });
        papers.open.push(OpenPaper {
            id: String::new(),
            standing: None,
            first_day: first,
            status: "open".to_owned(),
            kind: Kind::OnlyInHub,
            direction: domain::bill::Direction::Payment,
            out_trade_no: format!("P{number:031}"),
            out_refund_no: String::new(),
            provider_trade_no: "42000000000000000009".to_owned(),
            hub_state: Some(reconciliation::LedgerState::Paid),
            hub_amount: Some(domain::money::Fen::new(100)),
            bill_amount: None,
            cause: Cause::PaymentMissingInBill,
        });
    }
    papers.refunds.push(RefundPaper {
        out_refund_no: "R0000000000000000000000000000009".to_owned(),
        out_trade_no: "P0000000000000000000000000000008".to_owned(),
        case_nos: vec!["20180000000000000001".to_owned()],
        amount: domain::money::Fen::new(3000),
        surplus: domain::money::Fen::ZERO,
        route: "treasury".to_owned(),
        is_redirected: false,
        state: "processing".to_owned(),
        requested_by: "窗口一".to_owned(),
        origin: String::new(),
        decided_by: Some("科长".to_owned()),
        red_flush: Some("00001234".to_owned()),
        created_at: at,
        accepted_at: None,
        succeeded_at: None,
    });
    report
}

#[test]
fn the_sheets_stand_in_their_order_and_offline_has_four() {
    let names = |report: &Report| -> Vec<String> {
        book(report).0.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        names(&full()),
        ["汇总", "按收费项目", "按部门", "明细", "差错清单", "存疑清单", "退款清单"]
    );
    let bare = report(vec![result(&all_fates(), 3)]);
    assert_eq!(names(&bare), ["汇总", "差错清单", "存疑清单", "明细"]);
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(workbook(&full()).unwrap(), workbook(&full()).unwrap());
    assert_eq!(page(&full()).unwrap(), page(&full()).unwrap());
}

#[test]
fn what_is_open_is_counted_by_age_and_is_in_no_sum_of_the_day() {
    let report = full();
    let book = book(&report);
    for (name, own) in
        [("差错清单", report.differences().count()), ("存疑清单", report.doubts().count())]
    {
        let total = text(&book.total(name)[0]);
        assert_eq!(total, format!("合计 {own} 笔"), "{name}");
        let ages: Vec<(String, i64)> = book
            .sheet(name)
            .rows()
            .filter(|row| text(&row[0]).contains(" 天"))
            .map(|row| (text(&row[0]), count(&row[3])))
            .collect();
        let own = i64::try_from(own).unwrap();
        let expected = [("0-1 天", own), ("2-3 天", 1), ("4-7 天", 1), ("7 天以上", 1)];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(ages, expected, "{name}");
    }
    let texts = book.texts().join("\n");
    for text in ["以前日期未了结的 3 笔", "已等 3 份账单", "渠道账单\n待处理\n31 天"]
    {
        assert!(texts.contains(text), "{text} is not in {texts}");
    }
}

#[test]
fn a_refund_names_who_asked_and_who_approved_and_its_way() {
    let book = book(&full());
    let row = book.list("退款清单").find(|row| text(&row[8]) == "国库退付").unwrap();
    assert_eq!(fen(&row[4]), -3000);
    assert!(row[5].is_empty(), "it is in no bill and in no sum of the day");
    let cells: Vec<String> = [6, 7, 9].into_iter().map(|at| text(&row[at])).collect();
    assert_eq!(cells, ["窗口一", "科长", "处理中"]);
    assert!(text(&row[11]).contains("00001234"));
}

#[test]
fn twenty_digits_stay_text() {
    let book = book(&full());
    let row = book.detail().next().unwrap();
    assert_eq!(text(&row[9]), "00000000000000000000\n50000000000000000000");
    assert_eq!(text(&row[10]), "张*");
    assert!(text(&row[11]).contains("住宅类登记费"), "{row:?}");
    let refund = book.list("退款清单").find(|row| text(&row[8]) == "国库退付").unwrap();
    assert_eq!(text(&refund[3]), "20180000000000000001");
}

/// A fee of 100 that is paid in full, of which a third is given back.
#[test]
fn a_part_is_divided_as_the_items_are_to_the_fee() {
    let mut report =
        with_papers(report(vec![result(&[(false, 100, Fate::Same), (true, 100, Fate::Same)], 0)]));
    let papers = report.merchants[0].papers.as_mut().unwrap();
    papers.fees[0].department = Some("一窗".to_owned());
    papers.rows[0].surplus = domain::money::Fen::ZERO;
    papers.fees[0].items[0].amount = domain::money::Fen::new(100);
    papers.fees[0].items[2].amount = domain::money::Fen::new(200);
    papers.rows[0].shares = vec![(0, domain::money::Fen::new(100))];
    papers.rows[1].shares = vec![(0, domain::money::Fen::new(90))];
    let book = book(&report);
    let rows: Vec<String> = book
        .sheet("按收费项目")
        .rows()
        .skip(2)
        .take(4)
        .map(|row| format!("{} {:?}", text(&row[2]), numbers(row)))
        .collect();
    assert_eq!(
        rows,
        [
            "非住宅类登记费 [1, 67, 1, -60, 7]",
            "住宅类登记费 [1, 33, 1, -30, 3]",
            "未对应收费项目 [0, 0, 1, -10, -10]",
            " [1, 100, 1, -100, 0]",
        ]
    );
}
