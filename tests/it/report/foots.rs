//! Every sum of the paper against every other, over generated days, exact to the fen.

use calamine::DataType as _;
use domain::bill::{BillState, Direction};
use payhub::report::{Report, Verdict, workbook};
use proptest::prelude::*;

use super::book::{Book, Line, fen, text};
use super::outcomes::{Fate, Planted, planted, report, result};

fn book(report: &Report) -> Book {
    Book::read(workbook(report).unwrap())
}

/// The tables of one merchant, or of all together.
fn line<'l>(lines: &'l [Line], whose: &str, item: &str) -> &'l [i64] {
    &lines.iter().find(|line| line.whose == whose && line.item == item).unwrap().cells
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_cover_reconciles_to_zero(
        one in planted(), other in planted(), doubt in 0_usize..4,
    ) {
        let report = report(vec![result(&one, doubt), result(&other, 0)]);
        let book = book(&report);
        let lines = book.lines();
        prop_assert_eq!(lines.len(), 12);
        for Line { item, cells, whose } in &lines {
            if item != "手续费" {
                prop_assert_eq!(cells[1], cells[5] + cells[7] + cells[10], "{} {}", whose, item);
            }
            prop_assert_eq!(cells[3], cells[5] + cells[8] + cells[11], "{} {}", whose, item);
        }
        let steps = book.steps();
        let (ends, inner) = (steps.len() - 3, &steps[1..steps.len() - 3]);
        for at in 0..5 {
            let moved: i64 = inner.iter().map(|(_, cells)| cells[at]).sum();
            prop_assert_eq!(steps[0].1[at] + moved, steps[ends].1[at], "column {}", at);
            prop_assert_eq!(steps[ends].1[at], steps[ends + 1].1[at], "column {}", at);
            prop_assert_eq!(steps[ends + 2].1[at], 0, "column {}", at);
        }
        // Both ends are what the rows themselves come to, and the fees are the bill's.
        for (row, side) in [(0, 1), (ends + 1, 3)] {
            let sums = report.merchants.iter().map(|day| &day.result.sums);
            let sums = sums.map(|sums| if side == 1 { sums.hub } else { sums.bill });
            let void = void(&report, side);
            let raw = sums.fold([0; 5], |mut raw, sides| {
                let (paid, back) = (sides.payments, sides.refunds);
                raw[0] += i64::try_from(paid.count).unwrap();
                raw[1] += paid.amount_fen.get();
                raw[2] += i64::try_from(back.count).unwrap();
                raw[3] -= back.amount_fen.get();
                raw[4] += paid.amount_fen.get() - back.amount_fen.get();
                raw
            });
            let raw: Vec<i64> = raw.iter().zip(void).map(|(raw, void)| raw - void).collect();
            prop_assert_eq!(steps[row].1.to_vec(), raw.clone());
            let net = line(&lines, "合计", "净额");
            prop_assert_eq!(net[side], raw[4]);
        }
        let fees: i64 = report.merchants.iter().map(|day| day.result.sums.fee.get()).sum();
        prop_assert_eq!(line(&lines, "合计", "手续费")[3], fees);
    }

    #[test]
    fn every_subtotal_foots_to_the_cover(
        one in planted(), other in planted(), doubt in 0_usize..4,
    ) {
        let report = report(vec![result(&one, doubt), result(&other, 0)]);
        let book = book(&report);
        let lines = book.lines();
        for (provider, whose) in
            [("微信支付\nregistry-0", "微信支付 registry-0"), ("支付宝\nregistry-1", "支付宝 registry-1")]
        {
            let mut fees = [0; 4];
            for direction in ["支付", "退款"] {
                let rows = || book.detail().filter(|row| {
                    text(&row[0]) == provider && text(&row[1]) == direction
                });
                let sum = |column: usize, result: &str| -> i64 {
                    let is = |row: &&[calamine::Data]| match (result, text(&row[8]).as_str()) {
                        ("", _) | ("一致", "一致") | ("存疑", "存疑") => true,
                        ("差错", found) => !["一致", "存疑"].contains(&found),
                        _ => false,
                    };
                    rows().filter(is).map(|row| fen(&row[column])).sum()
                };
                let cells = line(&lines, whose, direction);
                for (result, hub, bill) in
                    [("", 1, 3), ("一致", 5, 5), ("差错", 7, 8), ("存疑", 10, 11)]
                {
                    prop_assert_eq!(sum(5, result), cells[hub], "{} {}", direction, result);
                    prop_assert_eq!(sum(6, result), cells[bill], "{} {}", direction, result);
                }
                for (fee, result) in fees.iter_mut().zip(["", "一致", "差错", "存疑"]) {
                    *fee += sum(7, result);
                }
                let agreed = rows().filter(|row| text(&row[8]) == "一致").count();
                prop_assert_eq!(i64::try_from(agreed).unwrap(), cells[4]);
                let subtotal = book.detail().find(|row| {
                    text(&row[0]) == provider && text(&row[1]) == format!("{direction}小计")
                });
                let subtotal = subtotal.unwrap();
                prop_assert_eq!((fen(&subtotal[5]), fen(&subtotal[6])), (cells[1], cells[3]));
                prop_assert_eq!(fen(&subtotal[7]), sum(7, ""));
            }
            let cells = line(&lines, whose, "手续费");
            prop_assert_eq!(fees, [cells[3], cells[5], cells[8], cells[11]]);
        }
        let net = line(&lines, "合计", "净额");
        for (name, hub, bill) in [("差错清单", 7, 8), ("存疑清单", 10, 11)] {
            let total = book.total(name);
            let added = |column: usize| book.list(name).map(|row| fen(&row[column])).sum::<i64>();
            prop_assert_eq!((fen(&total[6]), added(6)), (net[hub], net[hub]), "{}", name);
            prop_assert_eq!((fen(&total[7]), added(7)), (net[bill], net[bill]), "{}", name);
            prop_assert_eq!((fen(&total[8]), added(8)), (net[bill] - net[hub], net[bill] - net[hub]));
        }
    }
}

/// What the bill lists of rows on which no money moved, in the columns of a step; the ledger has none.
fn void(report: &Report, side: usize) -> [i64; 5] {
    let mut void = [0; 5];
    for found in report
        .merchants
        .iter()
        .flat_map(|day| day.result.differences.iter().chain(&day.result.doubts))
    {
        if side == 3 && found.bill_state == Some(BillState::Failed) {
            let fen = found.bill_amount.unwrap().get();
            let (at, fen) =
                if found.direction == Direction::Payment { (0, fen) } else { (2, -fen) };
            void[at] += 1;
            void[at + 1] += fen;
            void[4] += fen;
        }
    }
    void
}

/// A payment at the counter that was taken back: both sides list it, and nobody has the money.
#[test]
fn what_was_taken_back_is_on_the_list_and_in_no_sum() {
    let mut day = result(&[(false, 8000, Fate::Same), (false, 5000, Fate::Same)], 0);
    day.matched[1].is_void = true;
    let report = report(vec![day]);
    assert!(report.foots());
    let book = book(&report);
    let lines = book.lines();
    let paid = line(&lines, "微信支付 registry-0", "支付");
    assert_eq!(paid[..6], [1, 8000, 1, 8000, 1, 8000]);
    let texts = book.texts().join("\n");
    assert!(texts.contains("核对一致净额：人民币捌拾元整    ¥80.00"), "{texts}");
    assert!(
        texts.contains("账单另列未动款的 1 笔（已撤销的支付 50.00 元、失败的退款 0.00 元）"),
        "{texts}"
    );
    let row = book.detail().find(|row| text(&row[8]).contains("未动款")).unwrap();
    assert!(row[5].is_empty() && row[6].is_empty(), "{row:?}");

    let failed = report_of(&[(false, 8000, Fate::Failed)]);
    assert_eq!(
        failed.steps().iter().find(|(name, _)| name == "状态不符（仅系统计入）").unwrap().1[1],
        -8000
    );
    assert!(failed.texts().iter().any(|text| text.contains("账单列示 80.00 元，未动款")));
}

fn report_of(rows: &[Planted]) -> Book {
    book(&report(vec![result(rows, 0)]))
}

fn told(rows: &[Planted], doubt: usize) -> (Verdict, String, Vec<(String, [i64; 5])>) {
    let report = report(vec![result(rows, doubt)]);
    let book = book(&report);
    let conclusion = text(&book.sheet("汇总").rows().nth(2).unwrap()[0]);
    (report.verdict(), conclusion, book.steps())
}

#[test]
fn two_differences_that_cancel_are_both_on_the_cover() {
    let (verdict, conclusion, steps) =
        told(&[(false, 8000, Fate::OnlyLedger), (false, 8000, Fate::OnlyBill)], 0);
    assert_eq!(verdict, Verdict::Unbalanced);
    assert_eq!(conclusion, "结论：不平    差错 2 笔，涉及 160.00 元");
    let step = |name: &str| steps.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(step("系统合计"), step("账单合计"));
    assert_eq!(step("系统有，账单无"), [-1, -8000, 0, 0, -8000]);
    assert_eq!(step("账单有，系统无"), [1, 8000, 0, 0, 8000]);

    let (_, _, steps) = told(&[(false, 8000, Fate::Dearer), (false, 9000, Fate::Cheaper)], 0);
    let step = |name: &str| steps.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(step("金额不符（账单较大）"), [0, 1, 0, 0, 1]);
    assert_eq!(step("金额不符（账单较小）"), [0, -1, 0, 0, -1]);
}

#[test]
fn the_conclusion_is_one_of_three_and_doubts_are_never_green() {
    let same = (false, 8000, Fate::Same);
    let (verdict, conclusion, _) = told(&[same], 0);
    assert_eq!((verdict, conclusion.as_str()), (Verdict::Balanced, "结论：平"));
    let doubts = [same, (false, 8000, Fate::NearCut), (true, 500, Fate::NearCut)];
    let (verdict, conclusion, _) = told(&doubts, 0);
    assert_eq!(verdict, Verdict::Undecided);
    assert_eq!(conclusion, "结论：平（存疑 2 笔，涉及 85.00 元）");
    let (verdict, conclusion, _) = told(&[doubts[1], (true, 8000, Fate::WrongFee)], 0);
    assert_eq!(verdict, Verdict::Unbalanced);
    assert_eq!(conclusion, "结论：不平    差错 1 笔，涉及 80.00 元    存疑 1 笔，涉及 80.00 元");
}

/// A result whose sums are not those of its rows, as a damaged one would be, is never signed.
#[test]
fn a_report_that_does_not_foot_says_so() {
    let mut broken = result(&[(false, 8000, Fate::Same)], 0);
    broken.sums.bill.payments.amount_fen = domain::money::Fen::new(8001);
    let report = report(vec![broken]);
    assert_eq!(report.verdict(), Verdict::Unbalanced);
    let book = book(&report);
    let conclusion = text(&book.sheet("汇总").rows().nth(2).unwrap()[0]);
    assert!(conclusion.contains("调节后差额不为零，不得签字"), "{conclusion}");
    assert_eq!(book.steps().last().unwrap().1, [0, 1, 0, 0, 1]);
}

/// What an officer signs for is what both sides agree on, not what the bill happens to list.
#[test]
fn the_amount_in_words_is_the_agreed_net() {
    let rows = [(false, 8000, Fate::Same), (false, 5000, Fate::OnlyBill), (true, 1000, Fate::Same)];
    let report = report(vec![result(&rows, 0)]);
    let texts = book(&report).texts().join("\n");
    assert!(texts.contains("核对一致净额：人民币柒拾元整    ¥70.00"), "{texts}");
    assert!(texts.contains("差错净额 系统 ¥0.00、账单 ¥50.00"), "{texts}");
}

#[test]
fn refunds_are_negative_wherever_they_stand() {
    let rows = [(true, 1000, Fate::Same), (true, 2000, Fate::OnlyLedger)];
    let book = book(&report(vec![result(&rows, 0)]));
    let refunds = book
        .detail()
        .filter(|row| text(&row[1]) == reconciliation::label::direction(Direction::Refund));
    assert!(refunds.map(|row| fen(&row[5])).all(|fen| fen < 0));
    let row = book.list("差错清单").next().unwrap();
    assert_eq!((fen(&row[6]), fen(&row[8])), (-2000, 2000));
    assert_eq!(text(&row[2]), "系统有，账单无\n退款·长款");
    assert_eq!(line(&book.lines(), "微信支付 registry-0", "退款")[1], -3000);
}
