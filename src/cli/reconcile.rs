//! `payhub reconcile`: one day of a merchant through the database, or two files offline.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use domain::bill::RatePpm;
use domain::ids::MerchantId;
use domain::time::{check_day, parse_day};
use jiff::civil::Date;

use super::ConfigArgs;

/// `payhub reconcile`, as it is typed; [`mode`](Self::mode) says which of its two forms.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group = ArgGroup::new("what").required(true).args(["merchant", "bill"]))]
pub struct ReconcileArgs {
    /// The merchant whose day is reconciled, as the daily job does it.
    #[arg(long, value_name = "ID", requires = "date", conflicts_with_all = ["ledger", "fund_flow", "fee_rate", "out"])]
    merchant: Option<MerchantId>,
    /// The day; with --bill: overrides the day that the file itself states.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: Option<Date>,
    /// The provider's bill as downloaded (csv, gz or zip): offline, without a database.
    #[arg(long, value_name = "FILE", requires_all = ["ledger", "out"], conflicts_with = "config")]
    bill: Option<PathBuf>,
    /// The ledger (CSV) that the bill is held against.
    #[arg(long, value_name = "FILE", requires = "bill")]
    ledger: Option<PathBuf>,
    /// The provider's fund flow bill of the same day.
    #[arg(long, value_name = "FILE", requires = "bill")]
    fund_flow: Option<PathBuf>,
    /// The provider's charge in per cent, such as 0.6; absent: the bill's own rate column.
    #[arg(long, value_name = "PERCENT", value_parser = rate, requires = "bill")]
    fee_rate: Option<RatePpm>,
    /// Where the findings go; made if it is not there.
    #[arg(long, value_name = "DIR", requires = "bill")]
    out: Option<PathBuf>,
    /// The console user who has the day reconciled again.
    #[arg(long, value_name = "NAME", requires = "merchant")]
    user: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    config: ConfigArgs,
}

/// The two forms of `payhub reconcile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconcileMode {
    /// One day of a merchant, through the database.
    Day(DayArgs),
    /// Two files, touching neither configuration nor database nor keys.
    Offline(OfflineArgs),
}

/// One day of a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayArgs {
    /// The merchant.
    pub merchant: MerchantId,
    /// The business day (Asia/Shanghai).
    pub date: Date,
    /// Who has it reconciled again.
    pub user: Option<String>,
    /// Where the configuration is.
    pub config: ConfigArgs,
}

/// A bill file against a ledger file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineArgs {
    /// The bill as downloaded.
    pub bill: PathBuf,
    /// The ledger, CSV.
    pub ledger: PathBuf,
    /// The fund flow bill.
    pub fund_flow: Option<PathBuf>,
    /// What the provider charges.
    pub fee_rate: Option<RatePpm>,
    /// The day, if not the one that the bill states.
    pub date: Option<Date>,
    /// Where the findings go.
    pub out: PathBuf,
}

impl ReconcileArgs {
    /// Which form was typed; `None` when neither is whole, which clap refuses beforehand.
    #[must_use]
    pub fn mode(self) -> Option<ReconcileMode> {
        match self {
            Self { merchant: Some(merchant), date: Some(date), user, config, .. } => {
                Some(ReconcileMode::Day(DayArgs { merchant, date, user, config }))
            }
            Self {
                bill: Some(bill),
                ledger: Some(ledger),
                out: Some(out),
                fund_flow,
                fee_rate,
                date,
                ..
            } => Some(ReconcileMode::Offline(OfflineArgs {
                bill,
                ledger,
                fund_flow,
                fee_rate,
                date,
                out,
            })),
            _ => None,
        }
    }
}

/// A day that a bill can have, as `YYYY-MM-DD` and nothing else: of a time, nobody knows in which zone
/// its day is meant.
fn day(text: &str) -> Result<Date, String> {
    let day = parse_day(text)?;
    check_day(day).map(|()| day)
}

/// Per cent as people write it (`0.6`, `.6`, `0.38%`), exactly, in millionths: four decimals at most,
/// beyond which there may be zeros.
fn rate(text: &str) -> Result<RatePpm, String> {
    let told =
        || format!("`{text}` is no rate; give per cent with at most four decimals, as in 0.6");
    let digits = text.strip_suffix('%').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len().max(fraction.len()) == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(told());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 4 {
        return Err(told());
    }
    let ppm: i64 = format!("{whole}{fraction:0<4}")
        .parse()
        .map_err(|fault: std::num::ParseIntError| format!("{}: {fault}", told()))?;
    if ppm > 1_000_000 {
        return Err(format!("`{text}` is more than the whole amount; 0.6 means 0.6 per cent"));
    }
    Ok(RatePpm(ppm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_exactly_or_refused() {
        for (text, ppm) in [
            ("0.6", 6000),
            ("0.38%", 3800),
            ("0", 0),
            ("0.", 0),
            ("1", 10_000),
            ("0.0001", 1),
            (".6", 6000),
            ("0.60000", 6000),
            ("100.000000", 1_000_000),
        ] {
            assert_eq!(rate(text), Ok(RatePpm(ppm)), "{text}");
        }
        for text in
            ["", ".", "%", ".%", "-1", "0.00001", "1e2", "六", "101", "99999999999999999999"]
        {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_one_that_a_bill_can_have() {
        assert_eq!(day("2018-11-30"), Ok(jiff::civil::date(2018, 11, 30)));
        for text in ["1999-12-31", "0001-01-01", "2018-02-30", "today"] {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
