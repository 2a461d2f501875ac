//! The workbook in LibreOffice, which adds everything up by itself.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use calamine::DataType as _;
use payhub::report::workbook;

use super::book::Book;
use super::outcomes::{report, result};
use super::words::all_fates;

/// Makes LibreOffice recompute every formula of a file that it did not write itself.
const ALWAYS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"#;
/// Every sheet as CSV in UTF-8, cells as they are shown.
const AS_CSV: &str =
    "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1";

/// A folder of this test's own, gone when it ends.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn libreoffice_opens_it_and_its_sums_are_ours() {
    if Command::new("soffice").arg("--version").output().is_err() {
        eprintln!("SKIPPED libreoffice_opens_it_and_its_sums_are_ours: no soffice on the path");
        return;
    }
    let name = format!("payhub-office-{}", std::process::id());
    let place = Place(std::env::temp_dir().join(name));
    let profile = place.0.join("profile");
    fs::create_dir_all(profile.join("user")).unwrap();
    fs::write(profile.join("user/registrymodifications.xcu"), ALWAYS).unwrap();
    let report = report(vec![result(&all_fates(), 3), result(&all_fates(), 0)]);
    let bytes = workbook(&report).unwrap();
    fs::write(place.0.join("report.xlsx"), &bytes).unwrap();
    let output = Command::new("soffice")
        .arg(format!("-env:UserInstallation=file://{}", profile.display()))
        .args(["--headless", "--convert-to", AS_CSV, "--outdir"])
        .arg(&place.0)
        .arg(place.0.join("report.xlsx"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut compared = 0;
    for (name, range) in Book::read(bytes).0 {
        let file = place.0.join(format!("report-{name}.csv"));
        let mut csv =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(&file).unwrap();
        let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
        for (number, row) in range.rows().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let shown = rows.get(number).and_then(|row| row.get(column)).unwrap_or_default();
                let place = format!("{name} row {} column {}", number + 1, column + 1);
                if let Some(text) = cell.get_string() {
                    assert_eq!(text, shown, "{place}");
                } else if !cell.is_empty() {
                    let ours = format!("{:.2}", cell.as_f64().unwrap());
                    let theirs: f64 = shown.replace(',', "").parse().unwrap();
                    assert_eq!(ours, format!("{theirs:.2}"), "{place}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 400, "only {compared} numbers");
}
