//! Money as whole fen (分), the only form in which an amount exists inside the hub.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in fen (分), 1/100 yuan. May be negative where a difference or a net is meant.
///
/// Arithmetic is checked: a sum that does not fit is an answer (`None`), never a wrap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(i64);

/// The largest amount of one order, refund or fee: 10^10 fen (contract, "Units, limits").
pub const LARGEST_AMOUNT: Fen = Fen(10_000_000_000);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen` fen.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `self + other`, or `None` when the sum does not fit.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// `self - other`, or `None` when the difference does not fit.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// `self * count`, or `None` when the product does not fit.
    #[must_use]
    pub const fn times(self, count: i64) -> Option<Self> {
        match self.0.checked_mul(count) {
            Some(product) => Some(Self(product)),
            None => None,
        }
    }

    /// The same amount without its sign, or `None` for the one value that has no positive twin.
    #[must_use]
    pub const fn magnitude(self) -> Option<Self> {
        match self.0.checked_abs() {
            Some(magnitude) => Some(Self(magnitude)),
            None => None,
        }
    }

    /// The same amount with the other sign, or `None` for the one value that has no twin.
    #[must_use]
    pub const fn negated(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(negated) => Some(Self(negated)),
            None => None,
        }
    }

    /// Half of it, rounded half up to the fen, as the schedule's HALF reduction asks.
    #[must_use]
    pub const fn half_up(self) -> Self {
        Self(self.0.div_euclid(2).saturating_add(self.0.rem_euclid(2)))
    }

    /// The sum of many amounts, or `None` when it does not fit.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// Whether it may stand as the amount of an order, a refund or a fee line: 1 to 10^10 fen.
    #[must_use]
    pub const fn is_payable(self) -> bool {
        self.0 >= 1 && self.0 <= LARGEST_AMOUNT.0
    }

    /// Yuan with two decimals (`80.00`, `-0.05`), for people and for wires that ask for it.
    #[must_use]
    pub fn yuan(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", magnitude.div_euclid(100), magnitude.rem_euclid(100))
    }
}

impl fmt::Display for Fen {
    /// Yuan with two decimals and the currency sign: `¥80.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "¥{}", self.yuan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_has_two_decimals_and_one_sign() {
        for (fen, yuan) in [(0, "0.00"), (5, "0.05"), (8000, "80.00"), (-1, "-0.01")] {
            assert_eq!(Fen::new(fen).yuan(), yuan);
        }
    }

    #[test]
    fn half_of_an_odd_fen_rounds_up() {
        assert_eq!(Fen::new(55_000).half_up(), Fen::new(27_500));
        assert_eq!(Fen::new(5).half_up(), Fen::new(3));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_an_answer_not_a_wrap() {
        assert_eq!(Fen::new(i64::MAX).plus(Fen::new(1)), None);
        assert_eq!(Fen::sum([Fen::new(1), Fen::new(2)]), Some(Fen::new(3)));
    }

    #[test]
    fn an_order_is_between_one_fen_and_ten_to_the_ten() {
        assert!(!Fen::ZERO.is_payable());
        assert!(Fen::new(1).is_payable());
        assert!(LARGEST_AMOUNT.is_payable());
        assert!(!Fen::new(LARGEST_AMOUNT.get() + 1).is_payable());
    }
}
