//! `payhub reconcile --fund-flow` over the folders of `fixtures/fund-flow`: each row of the trade bill
//! beside the account's changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

/// A folder of this test's own, gone when it ends.
struct Out(PathBuf);

impl Out {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("payhub-fund-{}-{name}", std::process::id())))
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fund-flow")
}

fn run(case: &Path, fund: &Path, out: &Out) -> Output {
    Command::new(env!("CARGO_BIN_EXE_payhub"))
        .arg("reconcile")
        .args(["--bill".as_ref(), case.join("bill.csv").as_os_str()])
        .args(["--ledger".as_ref(), case.join("ledger.csv").as_os_str()])
        .args(["--fund-flow".as_ref(), fund.as_os_str(), "--out".as_ref(), out.0.as_os_str()])
        .env_clear()
        .output()
        .unwrap()
}

/// The findings of one list as the fixtures write them.
fn lines(flow: &Value, list: &str, word: &str) -> String {
    let fen = |fen: &Value| fen.as_i64().map_or("none".to_owned(), |fen| fen.to_string());
    let line = |it: &Value| {
        let number = Some(it["out_no"].as_str().unwrap()).filter(|number| !number.is_empty());
        format!(
            "{word} {} {} {} {}\n",
            it["cause"].as_str().unwrap(),
            number.unwrap_or("-"),
            fen(&it["expected"]),
            fen(&it["found"])
        )
    };
    flow[list].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn each_situation_of_the_fund_flow_is_found_row_by_row() {
    let mut seen = 0;
    for entry in fs::read_dir(cases()).unwrap() {
        let case = entry.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        seen += 1;
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let out = Out::new(&name);
        let output = run(&case, &case.join("fund.csv"), &out);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let summary = fs::read_to_string(out.0.join("summary.json")).expect(&stderr);
        let summary: Value = serde_json::from_str(&summary).unwrap();
        let flow = &summary["fund_flow"];
        let expected = fs::read_to_string(case.join("expected")).unwrap();
        let found = lines(flow, "differences", "difference") + &lines(flow, "doubts", "doubt");
        assert_eq!(found, expected, "{name}");
        let differs = expected.contains("difference");
        assert_eq!(output.status.code(), Some(i32::from(differs)), "{name}: {stderr}");
        assert_eq!(summary["balanced"], !differs, "{name}");
        assert_eq!(flow["balanced"], !differs, "{name}");
        // The six kinds of the contract are about hub and trade bill alone.
        assert_eq!(summary["differences"]["count"], 0, "{name}");
        the_sheet_leads_to_the_closing_balance(&out, flow, &name);
    }
    assert!(seen >= 5, "only {seen} cases");
}

/// The sheet's opening balance and changes add up to the closing balance, save where the file's own
/// balances do not.
#[track_caller]
fn the_sheet_leads_to_the_closing_balance(out: &Out, flow: &Value, name: &str) {
    let mut book: Xlsx<_> = calamine::open_workbook(out.0.join("report.xlsx")).unwrap();
    assert_eq!(book.sheet_names(), ["汇总", "差错清单", "存疑清单", "资金账单", "明细"], "{name}");
    let sheet = book.worksheet_range("资金账单").unwrap();
    let fen = |cell: &Data| match cell {
        Data::Float(yuan) => format!("{yuan:.2}").replace('.', "").parse::<i64>().unwrap(),
        _ => 0,
    };
    let end = sheet.rows().position(|row| row[3] == Data::String("期末余额".to_owned())).unwrap();
    let added: i64 = sheet.rows().take(end).skip(2).map(|row| fen(&row[8])).sum();
    assert_eq!(added, fen(&sheet[(end, 8)]), "{name}");
    let gap = if name == "balance_gap" { 100 } else { 0 };
    assert_eq!(added - gap, flow["closing_fen"].as_i64().unwrap(), "{name}");
    let page = fs::read_to_string(out.0.join("report.html")).unwrap();
    assert!(page.contains("资金账单：期初余额"), "{name}");
}

#[test]
fn a_fund_flow_bill_of_another_day_is_refused() {
    let case = cases().join("gross");
    let out = Out::new("another-day");
    let other = Out::new("another-day-file");
    let text = fs::read_to_string(case.join("fund.csv")).unwrap();
    fs::write(&other.0, text.replace("2018-11-30", "2018-11-29")).unwrap();
    let output = run(&case, &other.0, &out);
    fs::remove_file(&other.0).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("2018-11-29") && said.contains("2018-11-30"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!out.0.exists(), "nothing is written");
}
