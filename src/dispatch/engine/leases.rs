//! What this process holds by lease, and until when at the least. The database's clock decides who
//! holds what; this one's own, which begins to count before the database does, only says when to
//! ask for more and when to begin nothing any more.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long the database gives a lease for; `deliveries_claim.sql` and `deliveries_renew.sql` say
/// the same. What a killed process held is free after that.
const LEASE: Duration = Duration::from_secs(20);
/// How old a lease grows before it is renewed.
const RENEW_AFTER: Duration = Duration::from_secs(5);

/// The leases of everything that is claimed and not yet written.
#[derive(Debug, Default)]
pub(super) struct Leases(HashMap<i64, Lease>);

#[derive(Debug)]
struct Lease {
    number: i64,
    /// When it was last asked for.
    since: Instant,
    is_lost: bool,
}

impl Leases {
    /// A delivery is held under a lease that was asked for at `since`.
    pub(super) fn take(&mut self, delivery: i64, number: i64, since: Instant) {
        self.0.insert(delivery, Lease { number, since, is_lost: false });
    }

    /// A delivery is written, or given back.
    pub(super) fn let_go(&mut self, delivery: i64) {
        self.0.remove(&delivery);
    }

    /// Whether a delivery is held for certain: nobody else can have claimed it.
    pub(super) fn holds(&self, delivery: i64, now: Instant) -> bool {
        self.0
            .get(&delivery)
            .is_some_and(|lease| !lease.is_lost && now.duration_since(lease.since) < LEASE)
    }

    /// Numbers and leases of what wants to be held longer, by number.
    pub(super) fn to_renew(&self, now: Instant) -> Vec<(i64, i64)> {
        let is_old =
            |lease: &Lease| !lease.is_lost && now.duration_since(lease.since) >= RENEW_AFTER;
        let old = self.0.iter().filter(|(_, lease)| is_old(lease));
        let mut old: Vec<(i64, i64)> =
            old.map(|(delivery, lease)| (*delivery, lease.number)).collect();
        old.sort_unstable();
        old
    }

    /// Of `asked`, which was brought to the database at `since`, it renewed the deliveries in
    /// `held`; somebody else may have the others.
    pub(super) fn renewed(&mut self, asked: &[(i64, i64)], held: &[i64], since: Instant) {
        for (delivery, number) in asked {
            let Some(lease) = self.0.get_mut(delivery) else { continue };
            if lease.number == *number {
                lease.is_lost = !held.contains(delivery);
                lease.since = since;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(begin: Instant, seconds: u64) -> Instant {
        begin.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_lease_is_renewed_in_time_and_then_holds_on() {
        let (begin, mut leases) = (Instant::now(), Leases::default());
        leases.take(7, 1, begin);
        leases.take(3, 4, begin);
        assert!(leases.to_renew(after(begin, 4)).is_empty());
        let asked = leases.to_renew(after(begin, 5));
        assert_eq!(asked, [(3, 4), (7, 1)]);
        leases.renewed(&asked, &[3, 7], after(begin, 5));
        assert!(leases.holds(7, after(begin, 24)));
        assert!(!leases.holds(7, after(begin, 25)), "it was not renewed again");
    }

    #[test]
    fn what_another_may_have_is_not_held() {
        let (begin, mut leases) = (Instant::now(), Leases::default());
        leases.take(7, 1, begin);
        assert!(leases.holds(7, begin));
        assert!(!leases.holds(7, after(begin, 20)), "this process stood still for long");
        leases.renewed(&[(7, 1)], &[], after(begin, 21));
        assert!(!leases.holds(7, after(begin, 22)), "somebody else has it");
        assert!(leases.to_renew(after(begin, 40)).is_empty());
        leases.take(7, 3, after(begin, 50));
        leases.renewed(&[(7, 1)], &[], after(begin, 51));
        assert!(leases.holds(7, after(begin, 52)), "that was an older lease of it");
        leases.let_go(7);
        assert!(!leases.holds(7, after(begin, 52)));
    }
}
