//! Statements that are good, and every way in which one is not.

use proptest::prelude::*;

use super::*;

const HEADER: &str =
    "bank_serial,value_date,direction,amount_fen,reference,counter_name,counter_account";

fn latest() -> Date {
    "2018-12-10".parse().unwrap()
}

#[track_caller]
fn good(text: &str) -> Statement {
    read(text.as_bytes(), latest()).unwrap()
}

#[test]
fn columns_stand_in_any_order_and_others_are_not_read() {
    let plain = good(&format!("{HEADER}\nB1,2018-12-03,in,8000,清算,财付通,6222\n"));
    let turned = good(
        "\u{feff}note,counter_account,\"amount_fen\", direction ,value_date,bank_serial,reference,counter_name\r\n\
         x,\"6222\",8000,in,2018-12-03,B1,\"清算\",财付通\r\n",
    );
    let without_row =
        |statement: &Statement| statement.rows.iter().map(BankRow::content).collect::<Vec<_>>();
    assert_eq!(without_row(&plain), without_row(&turned));
    let [row] = plain.rows.as_slice() else { panic!() };
    assert_eq!((row.amount, row.way, row.row), (Fen::new(8000), Way::In, 2));
    assert_eq!(format!("{row:?}").matches("财付通").count(), 0);
}

#[test]
fn a_statement_of_a_quiet_day_has_no_rows() {
    assert_eq!(good(&format!("{HEADER}\n")).rows, []);
}

#[track_caller]
fn check(rows: &str, expected: &[(u64, &str)]) {
    let faults = read(format!("{HEADER}\n{rows}").as_bytes(), latest()).unwrap_err();
    let found: Vec<(u64, &str)> = faults.iter().map(|fault| (fault.row, fault.column)).collect();
    assert_eq!(found, expected, "{faults:?}");
}

#[test]
fn every_bad_row_is_told_with_its_column() {
    check(
        "B1,2018-12-03,in,8000,r,n,a\n\
         ,2018-12-03,in,8000,r,n,a\n\
         B3,2018-12-3,both,80.00,r,n,a\n\
         B4,2018-12-11,in,0,r,n,a\n\
         B5,2018-12-03,in,-1,r,n\n",
        &[
            (3, "bank_serial"),
            (4, "value_date"),
            (4, "direction"),
            (4, "amount_fen"),
            (5, "value_date"),
            (5, "amount_fen"),
            (6, "amount_fen"),
            (6, "counter_account"),
        ],
    );
    check("B 1,2018-12-03,in,1000000000001,r,n,a\n", &[(2, "bank_serial"), (2, "amount_fen")]);
    check("B1,2018-12-03,in,+1,\"a\tb\",n,a\n", &[(2, "amount_fen"), (2, "reference")]);
}

#[test]
fn a_header_that_lacks_or_repeats_a_column_is_told() {
    let faults = read(b"bank_serial,bank_serial,value_date\n", latest()).unwrap_err();
    let columns: Vec<&str> = faults.iter().map(|fault| fault.column).collect();
    assert_eq!(
        columns,
        ["bank_serial", "direction", "amount_fen", "reference", "counter_name", "counter_account"]
    );
    assert_eq!(read(b"", latest()).unwrap_err().len(), 1);
    let mut bytes = format!("{HEADER}\nB1,2018-12-03,in,1,").into_bytes();
    bytes.extend_from_slice(b"\xff,n,a\n");
    assert_eq!(read(&bytes, latest()).unwrap_err()[0].column, "reference");
}

#[test]
fn a_serial_stands_once_in_a_file() {
    check("B1,2018-12-03,in,1,r,n,a\nB1,2018-12-03,in,1,r,n,a\n", &[(3, "bank_serial")]);
    check("B1,2018-12-03,in,1,r,n,a\nB1,2018-12-03,in,2,r,n,a\n", &[(3, "bank_serial")]);
}

#[test]
fn a_comma_without_quotes_moves_no_cell() {
    check("B1,2018-12-03,in,8,000,r,n,a\n", &[(2, "bank_serial")]);
    check("B1,2018-12-03,in,8000,r,n,a,\n", &[(2, "bank_serial")]);
    let quoted = good(&format!("{HEADER}\nB1,2018-12-03,in,8000,\"r,s\",n,a\n"));
    assert_eq!(quoted.rows[0].reference, "r,s");
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_row() {
    let more = format!("{HEADER},note");
    let swallowed = format!(
        "{more}\nB1,2018-12-03,in,1,r,n,a,\"abc\nB2,2018-12-03,in,1,r,n,a,x\nB3,2018-12-03,in,1,r,n,a,\"x\n"
    );
    for file in [swallowed.as_str(), &swallowed.replace("\"x", "x")] {
        let faults = read(file.as_bytes(), latest()).unwrap_err();
        assert_eq!(faults[0].row, 2, "{faults:?}");
    }
    check("B1,2018-12-03,in,1,r,n,\"a\n", &[(2, "bank_serial")]);
    let inside = good(&format!("{HEADER}\nB1,2018-12-03,in,1,5\" r,n,\"a \"\"b\"\"\"\n"));
    assert_eq!(inside.rows[0].reference, "5\" r");
}

#[test]
fn a_row_is_told_by_its_line_whatever_ends_the_lines() {
    for end in ["\n", "\r\n"] {
        let lines = [
            HEADER,
            "B1,2018-12-03,in,1,r,n,a",
            "",
            "",
            "B2,2018-12-03,in,1,r,n,a",
            "B3,2018-12-03,no,1,r,n,a",
            "",
        ];
        let faults = read(lines.join(end).as_bytes(), latest()).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [6], "{end:?}");
        let file = lines.join(end).replace(",no,", ",in,");
        let rows = good(&file).rows;
        assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 5, 6], "{end:?}");
    }
}

#[test]
fn faults_have_a_limit_and_so_has_the_past() {
    let file = format!("{HEADER}\n{}", "x\n".repeat(20_000));
    let faults = read(file.as_bytes(), latest()).unwrap_err();
    assert!((MOST_FAULTS..MOST_FAULTS + 10).contains(&faults.len()), "{}", faults.len());
    assert!(faults.last().unwrap().detail.contains("and more"));
    check("B1,0001-01-01,in,1,r,n,a\n", &[(2, "value_date")]);
}

#[test]
fn a_statement_has_a_limit() {
    let mut text = HEADER.to_owned();
    for serial in 0..=MOST_ROWS {
        text.push_str(&format!("\nB{serial},2018-12-03,in,1,r,n,a"));
    }
    let faults = read(text.as_bytes(), latest()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].row, 10_002);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_every_fault_has_its_row(
        rows in prop::collection::vec("[ -~\"\n\r,B中]{0,60}", 0..6), junk in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut file = format!("{HEADER}\n{}", rows.join("\n")).into_bytes();
        file.extend_from_slice(&junk);
        match read(&file, latest()) {
            Ok(statement) => {
                for row in &statement.rows {
                    prop_assert!(row.amount > Fen::ZERO && row.value_date <= latest());
                }
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| COLUMNS.contains(&fault.column)));
            }
        }
        prop_assert_eq!(read(&file, latest()), read(&file, latest()));
        let _refused = read(&junk, latest());
    }
}
