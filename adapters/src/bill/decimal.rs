//! Decimal numbers of a bill, exactly: whole hundred-thousandths, since charges have five decimals
//! and everything else fewer.

use std::fmt;

use domain::bill::RatePpm;
use domain::money::Fen;

/// Hundred-thousandths in a fen.
const IN_A_FEN: i128 = 1000;

/// A decimal number in hundred-thousandths of its unit (a yuan, a row). Sums cannot overflow: a
/// field holds less than 2^63 and a file fewer than 2^32 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// Reads `80.00`, `45.0`, `-0.02000`, `3`; what lies beyond five decimals must be zeros.
    /// `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            digits => (false, digits),
        };
        let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
        let (whole, fraction) = match digits.split_at_checked(point)? {
            (whole, []) => (whole, b"0".as_slice()),
            (whole, [_point, fraction @ ..]) => (whole, fraction),
        };
        if whole.is_empty() || fraction.is_empty() {
            return None;
        }
        let mut value = 0_i64;
        for digit in whole {
            value = push(value, *digit)?;
        }
        let mut decimals = fraction.iter().copied();
        for _ in 0..5 {
            value = push(value, decimals.next().unwrap_or(b'0'))?;
        }
        if decimals.any(|digit| digit != b'0') {
            return None;
        }
        let value = i128::from(value);
        Some(Self(if negative { value.checked_neg()? } else { value }))
    }

    /// How many rows, as a number of the same kind.
    pub(crate) fn count(rows: u64) -> Self {
        Self(i128::from(rows).saturating_mul(100_000))
    }

    /// The sum of both.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whole fen, if it is a number of them.
    pub(crate) fn fen(self) -> Option<Fen> {
        // Nearly every number is small, and dividing those is many times cheaper.
        let whole = match i64::try_from(self.0) {
            Ok(small) => small.checked_rem(1000)? == 0,
            Err(_large) => self.0.checked_rem(IN_A_FEN)? == 0,
        };
        whole.then(|| self.fen_half_up())?
    }

    /// Fen, rounded half up (away from zero when negative, so that a charge and its return are
    /// equal). `None` when it does not fit.
    pub(crate) fn fen_half_up(self) -> Option<Fen> {
        if let Ok(small) = i64::try_from(self.0) {
            let magnitude = small.unsigned_abs().checked_add(500)?.checked_div(1000)?;
            let fen = i64::try_from(magnitude).ok()?;
            return Some(Fen::new(if small < 0 { fen.checked_neg()? } else { fen }));
        }
        let magnitude = self.0.checked_abs()?.checked_add(500)?.checked_div(IN_A_FEN)?;
        let fen = i64::try_from(magnitude).ok()?;
        Some(Fen::new(if self.0 < 0 { fen.checked_neg()? } else { fen }))
    }

    /// The whole number, if it is one.
    pub(crate) fn whole(self) -> Option<i64> {
        if self.0.checked_rem(100_000)? != 0 {
            return None;
        }
        i64::try_from(self.0.checked_div(100_000)?).ok()
    }

    /// The same rounded to a whole fen.
    pub(crate) fn to_fen(self) -> Self {
        self.fen_half_up().map_or(self, |fen| Self(i128::from(fen.get()).saturating_mul(IN_A_FEN)))
    }

    /// The same without its sign.
    pub(crate) fn magnitude(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl fmt::Display for Decimal {
    /// With two decimals, or as many as it has: `80.00`, `0.00480`, `45.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, part) = (magnitude.div_euclid(100_000), magnitude.rem_euclid(100_000));
        if part.rem_euclid(1000) == 0 {
            write!(f, "{sign}{whole}.{:02}", part.div_euclid(1000))
        } else {
            write!(f, "{sign}{whole}.{part:05}")
        }
    }
}

/// Reads a rate as `0.60%`. `None` when it is not one.
pub(crate) fn rate(text: &str) -> Option<RatePpm> {
    let percent = Decimal::parse(text.strip_suffix('%')?.trim())?;
    // A hundred-thousandth of a per cent is a tenth of a millionth.
    if percent.0 < 0 || percent.0.checked_rem(10)? != 0 {
        return None;
    }
    i64::try_from(percent.0.checked_div(10)?).ok().map(RatePpm)
}

fn push(value: i64, digit: u8) -> Option<i64> {
    if !digit.is_ascii_digit() {
        return None;
    }
    value.checked_mul(10)?.checked_add(i64::from(digit.checked_sub(b'0')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_a_number_of_a_bill_is_read_exactly_or_not_at_all() {
        for (text, fen) in [
            ("80.00", Some(8000)),
            ("0.5", Some(50)),
            ("45.0", Some(4500)),
            ("-0.02000", Some(-2)),
            ("+1", Some(100)),
            ("0.010000000", Some(1)),
            ("0.001", None),
            ("0.000001", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("5.", None),
            ("1,000.00", None),
            ("1e3", None),
            ("９", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(Decimal::parse(text).and_then(Decimal::fen), fen.map(Fen::new), "{text}");
        }
    }

    #[test]
    #[allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
    fn small_and_large_numbers_are_divided_alike() {
        let edge = i128::from(i64::MAX);
        for number in [0, 499, 500, 501, 999, 1000, 1500, edge - 1, edge, edge + 1, edge + 501] {
            for number in [Decimal(number), Decimal(-number)] {
                let magnitude = (number.0.abs() + 500) / IN_A_FEN;
                let half_up = if number.0 < 0 { -magnitude } else { magnitude };
                let half_up = Fen::new(i64::try_from(half_up).unwrap());
                assert_eq!(number.fen_half_up(), Some(half_up), "{number:?}");
                let whole = (number.0 % IN_A_FEN == 0).then_some(half_up);
                assert_eq!(number.fen(), whole, "{number:?}");
            }
        }
    }

    #[test]
    fn a_charge_is_rounded_half_up_to_the_fen() {
        for (text, fen) in
            [("0.00480", 0), ("0.00500", 1), ("0.48000", 48), ("-0.00500", -1), ("-0.00499", 0)]
        {
            assert_eq!(Decimal::parse(text).unwrap().fen_half_up(), Some(Fen::new(fen)), "{text}");
        }
    }

    #[test]
    fn a_rate_is_per_cent() {
        for (text, ppm) in [
            ("0.60%", Some(6000)),
            ("39.00%", Some(390_000)),
            ("0%", Some(0)),
            ("0.0001%", Some(1)),
            ("0.00001%", None),
            ("0.60", None),
            ("-1%", None),
            ("", None),
        ] {
            assert_eq!(rate(text), ppm.map(RatePpm), "{text}");
        }
    }
}
