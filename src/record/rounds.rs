//! Divides facts that came together into rounds, one transaction each, so that each is judged against
//! books that hold all before it.

use std::collections::BTreeMap;

use callbacks::Claim;
use domain::fact::ProviderFact;
use domain::ids::OutTradeNo;

use super::Arrival;

/// A claim by its arrival's index and its own; `None`: the arrival's evidence alone.
pub(super) type Place = (usize, Option<usize>);

/// Divides claims so that no order stands in a round twice, and what is about one order keeps its
/// order. An arrival's first claim is in the earliest of its rounds: it brings the evidence that the
/// others name. The number alone tells orders apart: a part may be heard of through its own
/// merchant and through that of its whole.
pub(super) fn rounds(arrivals: &[Arrival<'_>]) -> Vec<Vec<Place>> {
    let claims = arrivals.iter().map(|arrival| arrival.claims.iter().map(number));
    divided(claims)
}

fn divided<K: Ord, N: Iterator<Item = K>>(arrivals: impl Iterator<Item = N>) -> Vec<Vec<Place>> {
    let mut rounds: Vec<Vec<Place>> = Vec::new();
    let mut next: BTreeMap<K, usize> = BTreeMap::new();
    for (index, keys) in arrivals.enumerate() {
        let mut earliest = None;
        for (position, key) in keys.enumerate() {
            let round = next.get(&key).copied().max(earliest).unwrap_or_default();
            put(&mut rounds, round, (index, Some(position)));
            next.insert(key, round.saturating_add(1));
            earliest = earliest.or(Some(round));
        }
        if earliest.is_none() {
            put(&mut rounds, 0, (index, None));
        }
    }
    rounds
}

fn put(rounds: &mut Vec<Vec<Place>>, round: usize, place: Place) {
    if rounds.len() <= round {
        rounds.resize_with(round.saturating_add(1), Vec::new);
    }
    if let Some(places) = rounds.get_mut(round) {
        places.push(place);
    }
}

/// The number of the order that a claim is about.
pub(super) fn number(claim: &Claim) -> &OutTradeNo {
    match &claim.fact {
        ProviderFact::Payment(fact) => &fact.out_trade_no,
        ProviderFact::Refund(fact) => &fact.out_trade_no,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arrivals as words of orders, one letter a claim; rounds as `arrival.claim`, or `arrival` alone.
    #[track_caller]
    fn check(arrivals: &str, wanted: &str) {
        let arrivals = arrivals.split(' ').map(|word| word.chars().filter(|order| *order != '-'));
        let text = |(arrival, claim): &Place| match claim {
            Some(claim) => format!("{arrival}.{claim}"),
            None => arrival.to_string(),
        };
        let found: Vec<String> = divided(arrivals)
            .iter()
            .map(|round| round.iter().map(text).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found.join(" | "), wanted);
    }

    #[test]
    fn what_is_about_one_order_follows_each_other_and_all_else_goes_together() {
        check("A B C", "0.0 1.0 2.0");
        check("A B A A", "0.0 1.0 | 2.0 | 3.0");
        check("A - B", "0.0 1 2.0");
        check("AB B A", "0.0 0.1 | 1.0 2.0");
        check("AA", "0.0 | 0.1");
    }

    #[test]
    fn evidence_is_there_before_anything_names_it() {
        check("A AB", "0.0 | 1.0 1.1");
        check("A AB B", "0.0 | 1.0 1.1 | 2.0");
        check("A A ABA B", "0.0 | 1.0 | 2.0 2.1 | 2.2 3.0");
    }
}
