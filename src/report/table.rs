//! `differences.csv` and `doubts.csv`: for machines first, and harmless in a spreadsheet.

use std::borrow::Cow;

use domain::money::Fen;
use reconciliation::Finding;

/// The columns, in this order.
pub const COLUMNS: [&str; 9] = [
    "kind",
    "out_trade_no",
    "out_refund_no",
    "provider_trade_no",
    "hub_amount_fen",
    "bill_amount_fen",
    "hub_state",
    "bill_state",
    "detail",
];

/// These findings as CSV (RFC 4180, UTF-8 without a byte order mark).
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn findings_csv<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
) -> Result<Vec<u8>, csv::Error> {
    let fen = |amount: Option<Fen>| amount.map(|fen| fen.get().to_string()).unwrap_or_default();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for finding in findings {
        writer.write_record([
            finding.kind.as_str(),
            &harmless(&finding.out_trade_no),
            &harmless(&finding.out_refund_no),
            &harmless(&finding.provider_trade_no),
            &fen(finding.hub_amount),
            &fen(finding.bill_amount),
            finding.hub_word(),
            finding.bill_word(),
            &harmless(&finding.detail),
        ])?;
    }
    writer.into_inner().map_err(|fault| fault.into_error().into())
}

/// A text that no spreadsheet takes for a formula. A number made of the letters that providers
/// allow stays exactly as it is; anything else that begins like a formula gets an apostrophe.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_number = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|' | '*' | '@' | '.'));
    if !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_from_outside_is_defused_and_a_number_kept() {
        for (text, written) in [
            ("P0A12", "P0A12"),
            ("autotest_20190216081946_82335", "autotest_20190216081946_82335"),
            ("-1|*@A", "-1|*@A"),
            ("=HYPERLINK(\"http://a\")", "'=HYPERLINK(\"http://a\")"),
            ("=1", "'=1"),
            ("+1 2", "'+1 2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), written);
        }
    }
}
