//! `payhub reconcile --bill --ledger` over the folders of `fixtures/reconciliation`: what each run
//! writes, to the byte, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use calamine::{Data, DataType as _, Reader as _, Xlsx};
use serde_json::Value;

static PLACES: AtomicU32 = AtomicU32::new(0);

/// A folder of this test's own, gone when it ends.
struct Out(PathBuf);

impl Out {
    fn new() -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("payhub-offline-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
    }

    fn summary(&self) -> Value {
        serde_json::from_str(&self.text("summary.json")).unwrap()
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reconciliation")
}

/// Runs a case's files; `more` follows the case's own arguments.
fn run(case: &Path, out: &Out, more: &[&str]) -> Output {
    let bill = ["csv", "gz", "zip"]
        .map(|ending| case.join(format!("bill.{ending}")))
        .into_iter()
        .find(|file| file.exists())
        .unwrap();
    let args = fs::read_to_string(case.join("args")).unwrap_or_default();
    Command::new(env!("CARGO_BIN_EXE_payhub"))
        .arg("reconcile")
        .arg("--bill")
        .arg(bill)
        .arg("--ledger")
        .arg(case.join("ledger.csv"))
        .arg("--out")
        .arg(&out.0)
        .args(args.split_whitespace())
        .args(more)
        .env_clear()
        .output()
        .unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_case_finds_what_it_plants_and_nothing_else() {
    let mut seen = 0;
    for entry in fs::read_dir(cases()).unwrap() {
        let case = entry.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        seen += 1;
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let out = Out::new();
        let output = run(&case, &out, &[]);
        let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
        if let Ok(refused) = fs::read_to_string(case.join("refused")) {
            assert_eq!(output.status.code(), Some(2), "{name}: {stdout}{stderr}");
            assert_eq!(stderr.lines().count(), 1, "{name}: {stderr}");
            assert!(stderr.contains(refused.trim()), "{name}: {stderr}");
            assert!(!out.0.join("differences.csv").exists(), "{name} wrote differences");
            continue;
        }
        let expected = |file: &str| fs::read_to_string(case.join(file)).unwrap();
        assert_eq!(out.text("differences.csv"), expected("differences.csv"), "{name} {stderr}");
        assert_eq!(out.text("doubts.csv"), expected("doubts.csv"), "{name}");
        if let Ok(summary) = fs::read_to_string(case.join("summary.json")) {
            assert_eq!(out.text("summary.json"), summary, "{name}");
        }
        let differences = expected("differences.csv").lines().count() - 1;
        let footer_ok = !name.ends_with("footer_wrong");
        let balanced = differences == 0 && footer_ok;
        assert_eq!(output.status.code(), Some(i32::from(!balanced)), "{name}: {stderr}");
        let summary = out.summary();
        assert_eq!(summary["balanced"], balanced, "{name}");
        assert_eq!(summary["differences"]["count"], differences, "{name}");
        assert_eq!(
            summary["doubts"]["count"],
            expected("doubts.csv").lines().count() - 1,
            "{name}"
        );
        assert_eq!(summary["footer_ok"], footer_ok, "{name}");
        the_workbook_foots(&out, &summary, &name);
    }
    assert!(seen >= 80, "only {seen} cases");
}

/// The subtotals of the detail sheet are the sums of the summary, and so are those of its cells.
#[track_caller]
fn the_workbook_foots(out: &Out, summary: &Value, name: &str) {
    let mut book: Xlsx<_> = calamine::open_workbook(out.0.join("report.xlsx")).unwrap();
    assert_eq!(book.sheet_names(), ["汇总", "差错清单", "存疑清单", "明细"], "{name}");
    let detail = book.worksheet_range("明细").unwrap();
    let fen = |cell: &Data| {
        cell.as_f64()
            .map_or(0, |yuan| format!("{yuan:.2}").replace('.', "").parse::<i64>().unwrap())
    };
    for (word, total, sign, side) in
        [("支付", "支付小计", 1, "payments"), ("退款", "退款小计", -1, "refunds")]
    {
        let rows = |wanted: &'static str| {
            detail.rows().filter(move |row| row[1].get_string() == Some(wanted))
        };
        for (column, whose) in [(5, "hub"), (6, "bill")] {
            let stated = sign * summary[whose][side]["amount_fen"].as_i64().unwrap();
            let added: i64 = rows(word).map(|row| fen(&row[column])).sum();
            // What was taken back is listed, and is in no sum of the paper.
            let is_void = |row: &[Data]| matches!(row[column], Data::Empty);
            let is_less = rows(word).any(is_void) && added.abs() < stated.abs();
            assert!(added == stated || is_less, "{name}: {whose} {side}: {added} of {stated}");
            let subtotal: i64 = rows(total).map(|row| fen(&row[column])).sum();
            assert_eq!(subtotal, added, "{name}: subtotal of {whose} {side}");
        }
    }
}

#[test]
fn the_summary_has_the_shape_that_the_contract_pins() {
    let out = Out::new();
    assert_eq!(run(&cases().join("alipay_every_kind"), &out, &[]).status.code(), Some(1));
    let summary = out.summary();
    assert_eq!(summary["provider"], "alipay");
    assert_eq!(summary["date"], "2018-11-30");
    assert_eq!(summary["bill"]["payments"]["count"], 7);
    assert_eq!(summary["bill"]["refunds"]["amount_fen"], 5050);
    assert_eq!(summary["bill"]["fee_fen"], 48 + 330 - 30 + 330 + 1 + 2 + 50 + 4);
    assert_eq!(summary["hub"]["payments"]["count"], 4);
    assert_eq!(summary["matched"]["count"], 2);
    assert_eq!(summary["matched"]["amount_fen"], 60_000);
    assert_eq!(summary["doubts"]["by_kind"]["only_in_bill"], 1);
    for (kind, count) in [
        ("only_in_hub", 2),
        ("only_in_bill", 2),
        ("duplicate_in_bill", 1),
        ("amount_differs", 1),
        ("state_differs", 1),
        ("fee_differs", 1),
    ] {
        assert_eq!(summary["differences"]["by_kind"][kind], count, "{kind}");
    }
    assert_eq!(summary["footer"]["payment_received_fen"], 127_001);
}

#[test]
fn a_bill_that_contradicts_itself_is_never_balanced_and_says_so() {
    let out = Out::new();
    let output = run(&cases().join("wechat_footer_wrong"), &out, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stdout).contains("the footer contradicts the rows"));
    let summary = out.summary();
    assert_eq!(summary["footer_ok"], false);
    assert_eq!(summary["balanced"], false);
    assert_eq!(summary["footer"]["order_total_fen"], 63_001);
}

#[test]
fn the_fund_flow_is_held_against_its_own_footer() {
    let file = Out::new();
    let gross = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fund-flow/gross/fund.csv");
    let text = fs::read_to_string(gross).unwrap();
    fs::write(&file.0, &text).unwrap();
    let path = file.0.to_str().unwrap();
    let out = Out::new();
    let output = run(&cases().join("wechat_balanced"), &out, &["--fund-flow", path]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let told = &out.summary()["fund_flow"];
    assert_eq!(told["income"]["amount_fen"], 63_000);
    assert_eq!(told["from_trade_fen"], 63_000 - 5000);
    assert_eq!(told["footer_ok"], true);
    // In sum the charges are missing: they were not taken from the principal.
    assert_eq!(told["expected_fen"], 63_000 - 5000 - 348);
    assert_eq!((&told["agrees"], &told["balanced"]), (&Value::Bool(false), &Value::Bool(true)));

    fs::write(&file.0, text.replace("`450.00\r\n", "`450.01\r\n")).unwrap();
    let output = run(&cases().join("wechat_balanced"), &Out::new(), &["--fund-flow", path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("支出金额"));
    fs::remove_file(&file.0).unwrap();
}

/// WeChat's own published sample; its sums were recomputed independently.
#[test]
#[allow(clippy::disallowed_methods, reason = "the vectors lie outside the tree; CI names them")]
fn the_public_sample_adds_up_to_its_footer() {
    let Some(vectors) = std::env::var_os("PAYHUB_VECTORS") else { return };
    let bytes = fs::read(Path::new(&vectors).join("wxphp_bill.ALL.csv")).unwrap();
    let mut rows = 0;
    let totals = adapters::bill::read(&bytes, &mut |_| rows += 1).unwrap();
    assert_eq!((rows, totals.footer_ok), (45, true), "{:?}", totals.footer_fault);
    assert_eq!((totals.payments.count, totals.payments.amount_fen.get()), (31, 47));
    assert_eq!((totals.refunds.count, totals.refunds.amount_fen.get()), (14, 14));
    assert_eq!(totals.fee.get(), 8);
    assert!(totals.unknown_columns.is_empty());
}

#[test]
fn a_run_repeated_gives_the_same_files() {
    let (one, other) = (Out::new(), Out::new());
    let case = cases().join("wechat_doubts_at_the_cut");
    run(&case, &one, &[]);
    run(&case, &other, &[]);
    run(&case, &other, &[]);
    for file in ["differences.csv", "doubts.csv", "summary.json", "report.html", "report.xlsx"] {
        let read = |out: &Out| fs::read(out.0.join(file)).unwrap();
        assert!(read(&one) == read(&other), "{file}");
    }
    assert_eq!(fs::read_dir(&other.0).unwrap().count(), 5);
}

#[test]
fn the_page_says_it_first_and_lets_nothing_in() {
    let out = Out::new();
    run(&cases().join("wechat_hostile_numbers"), &out, &[]);
    let page = out.text("report.html");
    assert!(page.find("不平").unwrap() < page.find("差错清单").unwrap());
    assert!(page.find("建议处理").unwrap() < page.find("汇总").unwrap());
    for foreign in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<script").count(), 1, "its own, which prints");
}
