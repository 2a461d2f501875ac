//! The streams beside the whole files, over every case of `fixtures/reconciliation`: the same result,
//! the same totals, the same refusal, whatever the bill is packed in.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Compared, OfflineError, streams, whole};
use crate::cli::{self, Asked, Command, OfflineArgs, ReconcileMode};

/// A case's files as the command line gives them; `None`: it is about a line that is refused.
fn args(case: &Path, bill: &Path) -> Option<OfflineArgs> {
    let more = fs::read_to_string(case.join("args")).unwrap_or_default();
    let ledger = case.join("ledger.csv");
    let files = ["--bill", bill.to_str().unwrap(), "--ledger", ledger.to_str().unwrap()];
    let line = ["payhub", "reconcile"].into_iter().chain(files).chain(["--out", "unused"]);
    let line = line.chain(more.split_whitespace()).map(OsString::from);
    let Asked::Command(Command::Reconcile(typed)) = cli::parse(line) else {
        assert!(case.join("refused").exists(), "{}: {more}", case.display());
        return None;
    };
    match typed.mode() {
        Some(ReconcileMode::Offline(args)) => Some(args),
        other => panic!("{other:?}"),
    }
}

fn told(compared: Result<Compared, OfflineError>) -> String {
    match compared {
        Ok(Compared { result, totals, bill, ledger }) => {
            format!("{result:#?} {totals:#?} {bill:?} {ledger:?}")
        }
        Err(fault) => fault.to_string(),
    }
}

#[track_caller]
fn alike(case: &Path, bill: &Path) {
    let Some(args) = args(case, bill) else { return };
    // Nothing: the streams leave it to the whole.
    let Some(streamed) = streams::compare(&args).transpose() else { return };
    assert_eq!(told(streamed), told(whole(&args)), "{}", bill.display());
}

#[test]
fn the_streams_say_what_the_whole_files_say() {
    let aside = std::env::temp_dir().join(format!("payhub-streams-{}.gz", std::process::id()));
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reconciliation");
    let mut seen = 0;
    for entry in fs::read_dir(cases).unwrap() {
        let case = entry.unwrap().path();
        let named = |ending: &&str| case.join(format!("bill.{ending}")).exists();
        let Some(ending) = ["csv", "gz", "zip"].into_iter().find(|ending| named(ending)) else {
            continue;
        };
        let bill: PathBuf = case.join(format!("bill.{ending}"));
        alike(&case, &bill);
        if ending == "csv" {
            let mut packed = GzEncoder::new(fs::File::create(&aside).unwrap(), Compression::fast());
            packed.write_all(&fs::read(&bill).unwrap()).unwrap();
            packed.finish().unwrap();
            alike(&case, &aside);
        }
        seen += 1;
    }
    fs::remove_file(aside).unwrap();
    assert!(seen >= 35, "only {seen} cases");
}

#[test]
fn what_cannot_be_read_twice_is_left_to_the_whole() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reconciliation/wechat_cut");
    assert!(streams::compare(&args(&case, Path::new("/dev/null")).unwrap()).unwrap().is_none());
}
