//! Yuan strings as providers write them. They exist on the wire only; inside the hub money is
//! whole fen.

use domain::money::Fen;

/// Reads a decimal number of yuan (`80.00`, `0.6`, `45`, `-0.02000`) exactly: what lies beyond
/// the fen must be zeros. `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Fen> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let mut hundredths = fraction.chars().chain("00".chars());
    let cents: String = hundredths.by_ref().take(2).collect();
    let beyond = fraction.chars().skip(2).all(|digit| digit == '0');
    let yuan: i64 = whole.parse().ok()?;
    let fen = yuan.checked_mul(100)?.checked_add(cents.parse().ok()?)?;
    beyond.then_some(Fen::new(if negative { fen.checked_neg()? } else { fen }))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn t23_every_amount_survives_the_way_out_and_back(fen in -10_000_000_000..=10_000_000_000_i64) {
            let amount = Fen::new(fen);
            proptest::prop_assert_eq!(parse(&amount.yuan()), Some(amount));
            proptest::prop_assert_eq!(parse(&format!("{}000", amount.yuan())), Some(amount));
        }
    }

    #[test]
    fn t23_yuan_is_read_exactly() {
        for (text, fen) in [
            ("80.00", Some(8000)),
            ("0.5", Some(50)),
            ("45.0", Some(4500)),
            ("-0.02000", Some(-2)),
            ("0.48000", Some(48)),
            ("1", Some(100)),
            ("0.001", None),
            ("1e3", None),
            ("", None),
            (".5", None),
            ("1.2.3", None),
            ("９", None),
            ("92233720368547758.08", None),
        ] {
            assert_eq!(parse(text), fen.map(Fen::new), "{text}");
        }
    }
}
