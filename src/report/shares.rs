//! How a part of a fee falls on the fee's items. A payment or refund knows its part of each fee, not
//! of each item: the part is divided as the items are to the fee, in whole fen, and what is left of
//! the division goes to the largest remainders, the earlier item first. A whole fee falls on its items
//! as they are.

use domain::money::Fen;

/// The parts of `share` that fall on items of these amounts, in their order; they come to `share`
/// exactly. Empty where there is nothing to divide by.
#[must_use]
pub fn apportion(items: &[Fen], share: Fen) -> Vec<Fen> {
    let weight = |fen: &Fen| i128::from(fen.get().max(0));
    let whole: i128 = items.iter().map(weight).fold(0, i128::saturating_add);
    if whole == 0 {
        return Vec::new();
    }
    let product = |fen: &Fen| i128::from(share.get()).saturating_mul(weight(fen));
    let floors = items.iter().map(|fen| product(fen).div_euclid(whole));
    let mut parts: Vec<i128> = floors.collect();
    let given = parts.iter().copied().fold(0, i128::saturating_add);
    let left = i128::from(share.get()).saturating_sub(given);
    let mut order: Vec<(usize, i128)> =
        items.iter().map(|fen| product(fen).rem_euclid(whole)).enumerate().collect();
    // A stable sort: of equal remainders the earlier item comes first.
    order.sort_by_key(|(_, remainder)| std::cmp::Reverse(*remainder));
    let left = usize::try_from(left).unwrap_or_default();
    for (place, _) in order.into_iter().take(left) {
        if let Some(part) = parts.get_mut(place) {
            *part = part.saturating_add(1);
        }
    }
    parts.into_iter().map(|part| Fen::new(i64::try_from(part).unwrap_or_default())).collect()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(items: &[i64], share: i64) -> Vec<i64> {
        let items: Vec<Fen> = items.iter().copied().map(Fen::new).collect();
        apportion(&items, Fen::new(share)).into_iter().map(Fen::get).collect()
    }

    #[test]
    fn what_is_left_goes_to_the_largest_remainder_and_then_to_the_earlier_item() {
        assert_eq!(parts(&[8000, 55_000], 63_000), [8000, 55_000]);
        assert_eq!(parts(&[100, 100, 100], 100), [34, 33, 33]);
        assert_eq!(parts(&[1, 2], 1), [0, 1]);
        assert_eq!(parts(&[0, 8000, 0], 3000), [0, 3000, 0]);
        assert_eq!(parts(&[0, 0], 1), [0; 0]);
        assert_eq!(parts(&[], 1), [0; 0]);
    }

    proptest! {
        #[test]
        fn the_parts_come_to_the_share_and_none_exceeds_its_item(
            items in prop::collection::vec(0_i64..=10_000_000_000, 1..20), of in 0_u64..=1_000_000,
        ) {
            let whole: i64 = items.iter().sum();
            prop_assume!(whole > 0);
            let share = i64::try_from(i128::from(whole) * i128::from(of) / 1_000_000).unwrap();
            let found = parts(&items, share);
            prop_assert_eq!(found.len(), items.len());
            prop_assert_eq!(found.iter().sum::<i64>(), share);
            for (part, item) in found.iter().zip(&items) {
                prop_assert!((0..=*item).contains(part), "{} of {}", part, item);
                // Nobody is a whole fen away from his exact part.
                let exact = i128::from(share) * i128::from(*item);
                prop_assert!((i128::from(*part) * i128::from(whole) - exact).abs() < i128::from(whole));
            }
            prop_assert_eq!(parts(&items, whole), items);
        }
    }
}
