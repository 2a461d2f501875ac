//! Who has signed (签批), as the papers show it: beside the lines to sign on, and at the end of the log.
//! What two people sign is the digest of the run, so that their names may stand on its papers.

use super::model::Report;
use super::words::when;

/// How wide a line to sign on is.
const LINE: &str = "______________";

/// A line to sign on: what for, and who has signed there and when; empty where nobody has.
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) signed: String,
}

/// The lines to sign on. Whoever gave a run back has taken its preparer's name away. Of several runs the
/// lines are left open: none of them is signed by the name of another.
pub(super) fn lines(report: &Report) -> [Line; 4] {
    let [mut prepared, mut reviewed] = [const { String::new() }; 2];
    let is_one = report.merchants.len() == 1;
    for signature in report.signatures.iter().filter(|_| is_one) {
        let name = format!("{} {}", signature.by, when(signature.signed_at));
        match signature.event.as_str() {
            "prepared" => prepared = name,
            "reviewed" => reviewed = name,
            "returned" => prepared.clear(),
            _ => {}
        }
    }
    [("制表", prepared), ("复核", reviewed), ("财务负责人", String::new()), ("日期", String::new())]
        .map(|(what, signed)| Line { what, signed })
}

/// The lines to sign on as one text.
pub(super) fn line(report: &Report) -> String {
    let each = lines(report).map(|line| {
        let signed = if line.signed.is_empty() { LINE } else { &line.signed };
        format!("{}：{signed}", line.what)
    });
    each.join("    ")
}
