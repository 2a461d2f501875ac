//! Whose a difference of an arrival is, where several merchants share the account: each merchant's in
//! proportion to what was to come for it, to the fen.

use domain::Fen;

/// What of a difference is whose: by the largest remainder, the earlier where two are the same. One
/// that was to get nothing bears nothing; where none was to get anything it is the first one's.
/// `None` where a sum does not fit.
#[must_use]
pub fn split(nets: &[Fen], difference: Fen) -> Option<Vec<Fen>> {
    let weights: Vec<i128> = nets.iter().map(|net| i128::from(net.get()).max(0)).collect();
    let whole = weights.iter().try_fold(0_i128, |sum, weight| sum.checked_add(*weight))?;
    let difference = i128::from(difference.get());
    if whole == 0 {
        let mut parts = vec![Fen::ZERO; nets.len()];
        if let Some(first) = parts.first_mut() {
            *first = Fen::new(i64::try_from(difference).ok()?);
        }
        return Some(parts);
    }
    let (size, sign) = (difference.checked_abs()?, difference.signum());
    let (mut parts, mut rests) = (Vec::new(), Vec::new());
    let mut left = size;
    for (at, weight) in weights.iter().enumerate() {
        let product = size.checked_mul(*weight)?;
        let part = product.checked_div(whole)?;
        left = left.checked_sub(part)?;
        rests.push((product.checked_rem(whole)?, at));
        parts.push(part);
    }
    rests.sort_by(|(a, at), (b, other)| b.cmp(a).then(at.cmp(other)));
    for (_, at) in rests.into_iter().take(usize::try_from(left).ok()?) {
        let part = parts.get_mut(at)?;
        *part = part.checked_add(1)?;
    }
    parts
        .into_iter()
        .map(|part| Some(Fen::new(i64::try_from(part.checked_mul(sign)?).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nets: &[i64], difference: i64) -> Vec<i64> {
        let nets: Vec<Fen> = nets.iter().map(|fen| Fen::new(*fen)).collect();
        split(&nets, Fen::new(difference)).unwrap().into_iter().map(Fen::get).collect()
    }

    #[test]
    fn a_difference_is_everybodys_by_what_was_to_come() {
        assert_eq!(of(&[8_000, 8_000], -100), [-50, -50]);
        assert_eq!(of(&[16_000, 8_000], -100), [-67, -33]);
        assert_eq!(of(&[1, 1, 1], 2), [1, 1, 0]);
        assert_eq!(
            of(&[16_000, -8_000], -7),
            [-7, 0],
            "who gave back more than he took bears none"
        );
        assert_eq!(of(&[-1, 0], 5), [5, 0]);
        assert_eq!(of(&[i64::MAX, i64::MAX], i64::MIN + 1), [-(i64::MAX / 2) - 1, -(i64::MAX / 2)]);
        assert_eq!(of(&[], 0), [0; 0]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nobody_is_off_by_a_fen(
            nets in prop::collection::vec(-90_i64..900, 1..6), difference in -700_i64..700,
        ) {
            let parts = of(&nets, difference);
            prop_assert_eq!(parts.iter().sum::<i64>(), difference);
            let whole: i64 = nets.iter().map(|net| (*net).max(0)).sum();
            for (part, net) in parts.iter().zip(&nets) {
                let share = part.saturating_mul(whole);
                let fair = difference.saturating_mul((*net).max(0));
                prop_assert!(whole == 0 || share.abs_diff(fair) < whole.unsigned_abs());
            }
        }
    }
}
