//! A ledger file, good and bad.

use std::io::Cursor;

use proptest::prelude::*;

use super::file::by_csv;
use super::{COLUMNS, LedgerRow, LedgerState, again, read, stream};

const GOOD: &str = "payment,P1,,420,8000,paid,2018-11-30T10:00:00+08:00";

#[track_caller]
fn refused(text: &str, told: &str) {
    let fault = read(text.as_bytes()).unwrap_err().to_string();
    assert!(fault.contains(told), "{fault}");
}

#[track_caller]
fn row_refused(row: &str, told: &str) {
    refused(&format!("{}\n{GOOD}\n{row}\n", COLUMNS.join(",")), told);
}

#[test]
fn columns_go_by_name_with_or_without_a_mark() {
    let text = "\u{feff}note,occurred_at,state,amount_fen,provider_trade_no,out_refund_no,out_trade_no,kind\r\n\
        \"a, b\",2018-11-30T02:00:00Z,succeeded,500,420,R1,P1,refund\r\n";
    let rows = read(text.as_bytes()).unwrap();
    assert_eq!(rows[0].out_refund_no, "R1");
    assert_eq!(rows[0].state, LedgerState::Succeeded);
    assert_eq!(rows[0].day().to_string(), "2018-11-30");
    assert_eq!(read(COLUMNS.join(",").as_bytes()).unwrap(), []);
}

#[test]
fn a_bad_row_is_named_by_line_and_column() {
    let at = "2018-11-30T10:00:00+08:00";
    for (row, told) in [
        (format!("pay,P2,,1,8000,paid,{at}"), "line 3, column kind: \"pay\""),
        (format!("payment,P2,,1,80.00,paid,{at}"), "line 3, column amount_fen: \"80.00\""),
        (format!("payment,P2,,1,,paid,{at}"), "column amount_fen: \"\""),
        (format!("payment,P2,,1,0,paid,{at}"), "column amount_fen: \"0\""),
        (format!("payment,P2,,1,-5,paid,{at}"), "column amount_fen: \"-5\""),
        (format!("payment,P2,,1,10000000001,paid,{at}"), "column amount_fen"),
        (format!("payment,P2,,1,99999999999999999999,paid,{at}"), "column amount_fen"),
        (format!("payment,P2,,1,8000,succeeded,{at}"), "write pending, closed or paid"),
        (format!("refund,P2,R2,1,8000,paid,{at}"), "write processing, succeeded or failed"),
        ("payment,P2,,1,8000,paid,2018-11-30 10:00:00".to_owned(), "line 3, column occurred_at"),
        ("payment,P2,,1,8000,paid,".to_owned(), "column occurred_at"),
        (format!("payment,,,,8000,paid,{at}"), "column out_trade_no: the row has no number"),
        (format!("refund,P2,,,8000,failed,{at}"), "column out_refund_no: the row has no number"),
        ("payment,P2,,1,8000".to_owned(), "line 3: the row has 5 columns"),
    ] {
        row_refused(&row, told);
    }
}

#[test]
fn a_bad_head_or_an_unreadable_text_is_refused() {
    refused("", "column kind: this column is missing");
    refused("kind,out_trade_no\n", "column out_refund_no: this column is missing");
    refused(
        &format!("{},state\n", COLUMNS.join(",")),
        "column state: this column stands there twice",
    );
    let gbk = [COLUMNS.join(",").as_bytes(), b"\npayment,\xb5\xc7,,1,1,paid,x\n"].concat();
    assert!(read(&gbk).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn the_usual_form_of_a_time_is_read_as_every_other_is() {
    let head = COLUMNS.join(",");
    let at = |time: &str| {
        let text = format!("{head}\npayment,A,,1,100,paid,{time}");
        read(text.as_bytes()).map(|rows| rows[0].occurred_at.to_string()).ok()
    };
    for (time, read) in [
        ("2018-11-30T09:00:00+08:00", Some("2018-11-30T01:00:00Z")),
        ("2018-11-30T01:00:00Z", Some("2018-11-30T01:00:00Z")),
        ("2018-11-30T09:00:00.5+08:00", Some("2018-11-30T01:00:00.5Z")),
        ("2018-11-30T02:00:00+09:00", Some("2018-11-29T17:00:00Z")),
        ("2018-02-30T09:00:00+08:00", None),
        ("2018-11-30T24:00:00+08:00", None),
        ("2018-11-3xT09:00:00+08:00", None),
    ] {
        assert_eq!(at(time).as_deref(), read, "{time}");
    }
}

#[test]
fn rows_are_read_again_from_where_they_begin() {
    let head = COLUMNS.join(",");
    let row = |number: &str| format!("payment,{number},,1,100,paid,2018-11-30T09:00:00+08:00");
    let mut text = format!("\u{feff}{head}\r\n");
    for number in 0..5000 {
        // Some in quotes, one of them over two lines.
        let number = match number % 3 {
            0 => format!("A{number}"),
            1 => format!("\"A{number}\""),
            _ => format!("\"A{number}\nB\""),
        };
        text.push_str(&row(&number));
        text.push_str(if number.len() % 2 == 0 { "\r\n" } else { "\n\n" });
    }
    let mut rows = Vec::new();
    stream(std::io::Cursor::new(&text), &mut |row, place| rows.push((row.to_row(), place)))
        .unwrap();
    assert_eq!(rows.len(), 5000);
    for step in [1, 7, 1999] {
        let wanted: Vec<_> = rows.iter().step_by(step).collect();
        let places: Vec<u64> = wanted.iter().map(|(_, place)| *place).collect();
        let mut seen = Vec::new();
        again(std::io::Cursor::new(&text), &places, &mut |row| seen.push(row.to_row())).unwrap();
        let wanted: Vec<_> = wanted.into_iter().map(|(row, _)| row.clone()).collect();
        assert_eq!(seen, wanted);
    }
}

#[test]
fn a_bad_row_is_named_by_its_own_line_whatever_stands_before_it() {
    let head = COLUMNS.join(",");
    let two = GOOD.replace("P1", "\"P\n1\"");
    let bad = GOOD.replace("8000", "80.00");
    let short = "payment,P2,,1,8000";
    for (lines, line) in [
        (vec![head.as_str(), &bad], 2),
        (vec![&head, GOOD, "", &bad], 4),
        (vec![&head, "", "", GOOD, "", "", &bad, GOOD], 7),
        (vec!["", &head, GOOD, "", &bad], 5),
        (vec![&head, &two, "", &bad], 5),
        (vec![&head, GOOD, "", short], 4),
    ] {
        for (mark, end) in [("", "\n"), ("", "\r\n"), ("\u{feff}", "\n"), ("\u{feff}", "\r\n")] {
            // The line end inside the quotes stays as it is.
            let text = format!("{mark}{}", lines.join(end));
            assert_eq!(read(text.as_bytes()).unwrap_err().line, line, "{text:?}");
        }
    }
}

#[test]
fn what_no_paper_can_show_is_refused_where_it_stands() {
    let long = "9".repeat(2049);
    for (column, row) in [
        ("out_trade_no", GOOD.replace("P1", &long)),
        ("provider_trade_no", GOOD.replace("420", &long)),
        ("out_refund_no", format!("refund,P1,{long},420,1,failed,2018-11-30T10:00:00+08:00")),
    ] {
        row_refused(&row, &format!("line 3, column {column}: \"99999999999999999999\"… has more"));
    }
    row_refused(&GOOD.replace("2018", "1999"), "line 3, column occurred_at: 1999-11-30 is before");
    row_refused(&GOOD.replace("2018", "0001"), "line 3, column occurred_at: 0001-11-30 is before");
    let longest = GOOD.replace("P1", &"登".repeat(2048)).replace("2018", "2000");
    assert_eq!(read(format!("{}\n{longest}", COLUMNS.join(",")).as_bytes()).unwrap().len(), 1);
}

/// A line as people and programs write it, good or not.
fn line() -> impl Strategy<Value = String> {
    let good = |n: u32| GOOD.replace("P1", &format!("P{n}"));
    prop_oneof![
        12 => (0_u32..99).prop_map(good),
        2 => (0_u32..99).prop_map(|n| format!("refund,P1,R{n},420,500,failed,2018-11-30T02:00:00Z")),
        1 => (0_u32..99).prop_map(move |n| good(n).replace("420", "\"4,2\n0\"")),
        1 => Just(GOOD.replace("P1", "P\"1")),
        1 => Just(GOOD.replace("P1", "  P1 ").replace("paid", "paid\u{3000}")),
        1 => Just(String::new()),
        1 => Just("  ".to_owned()),
        1 => Just(GOOD.replace(",420", "\r,420")),
        1 => Just(GOOD.replace("8000", "80.00")),
        1 => Just(GOOD.replace(",420", "")),
        1 => Just(format!("{GOOD},")),
    ]
}

/// Every row with its place read again, and the refusal.
fn told(
    text: &str,
    read: impl Fn(Cursor<&str>, &mut dyn FnMut(LedgerRow, u64)) -> Result<(), super::LedgerError>,
) -> (Vec<LedgerRow>, Vec<u64>, Option<String>) {
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    let fault = read(Cursor::new(text), &mut |row, place| {
        rows.push(row);
        places.push(place);
    });
    (rows, places, fault.err().map(|fault| fault.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_plain_line_is_read_as_the_reader_of_csv_reads_it(
        lines in prop::collection::vec((line(), prop::sample::select(vec!["\n", "\r\n"])), 0..12),
        mark in prop::sample::select(vec!["", "\u{feff}"]),
        extra in prop::sample::select(vec!["", "note,"]),
    ) {
        let mut text = format!("{mark}{extra}{}\n", COLUMNS.join(","));
        for (line, end) in &lines {
            let has_note = !extra.is_empty() && !line.trim().is_empty();
            text.push_str(if has_note { "登记费," } else { "" });
            text.push_str(line);
            text.push_str(end);
        }
        let plain = told(&text, |input, each| stream(input, &mut |row, at| each(row.to_row(), at)));
        let csv = told(&text, |input, each| by_csv(input, &mut |row, at| each(row.to_row(), at)));
        prop_assert_eq!(&plain.0, &csv.0);
        prop_assert_eq!(plain.2, csv.2);
        for places in [plain.1, csv.1] {
            let mut seen = Vec::new();
            again(Cursor::new(&text), &places, &mut |row| seen.push(row.to_row())).unwrap();
            prop_assert_eq!(&seen, &csv.0);
        }
    }
}
