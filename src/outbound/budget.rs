//! How many queries a merchant's second carries, over all hubs together: orders, combined orders and
//! refunds that are asked for share it. Placing, closing and refunding are not counted; nobody puts
//! those off.
//!
//! Those who follow orders, and all others, each leave the other a share, so that neither starves
//! the other: at least an eighth is for others, and at least half for orders. Of a budget that
//! cannot be divided so within a second, the share is kept in one second and not in the next.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::ids::MerchantId;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::queries::{self, Share};

/// Queries a second when the configuration does not say: 300 orders asked for every 7 seconds.
const USUAL: u32 = 50;
/// What the providers take at most.
const MOST: u32 = 300;
/// One in so many is kept for others than those who follow orders.
const KEPT_FOR_OTHERS: i64 = 8;
/// One in so many may be used by others.
const OTHERS: i64 = 2;
/// How many questions of a merchant's sort (orders, combined orders, refunds) may be under way at
/// once, at least and at most.
const AT_ONCE: (u32, u32) = (4, 32);
/// How long somebody who can wait does so for one query, and how often he looks.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(200);

/// How many queries a second a merchant carries (查询配额).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self(USUAL)
    }
}

/// On whose behalf a query leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Those who follow orders.
    Followers,
    /// Those who follow refunds, reconciliation, and a backend that asks.
    Others,
    /// Whoever closes an order and must know first: nobody puts that off.
    Closing,
}

impl Budget {
    /// A budget of that many queries a second; `None` outside 1 to 300.
    #[must_use]
    pub fn per_second(queries: u32) -> Option<Self> {
        (1..=MOST).contains(&queries).then_some(Self(queries))
    }

    /// What an asker may take of the second in which `now` is.
    #[must_use]
    pub(crate) fn share(self, asker: Asker, now: Timestamp) -> Share {
        let whole = i64::from(self.0);
        let own = match asker {
            Asker::Followers => whole.saturating_sub(self.one_in(KEPT_FOR_OTHERS, now)),
            Asker::Others => self.one_in(OTHERS, now),
            Asker::Closing => whole,
        };
        Share { whole, own, is_other: asker == Asker::Others }
    }

    /// One in `parts` of the budget, as whole queries: over `parts` seconds it comes out even.
    fn one_in(self, parts: i64, now: Timestamp) -> i64 {
        let second = now.as_second().rem_euclid(parts);
        let by = |end: i64| i64::from(self.0).saturating_mul(end).div_euclid(parts);
        by(second.saturating_add(1)).saturating_sub(by(second))
    }

    /// How many questions may be under way at once: enough to use the budget where each answer
    /// takes a second or two.
    #[must_use]
    pub(crate) fn at_once(self) -> usize {
        let (least, most) = AT_ONCE;
        usize::try_from(self.0.clamp(least, most)).unwrap_or(usize::MAX)
    }
}

/// Takes a query of `merchant`'s second; false when those that the asker may use are spent.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn may_ask(hub: &Hub, merchant: &Merchant, asker: Asker) -> Result<bool, Fault> {
    let client = hub.store.client().await?;
    let now = hub.clock.now();
    Ok(queries::take(&client, &merchant.id, now, &merchant.queries.share(asker, now)).await?)
}

/// Somebody who asks one after the other and can wait for his turn, but not for ever: once he has
/// waited in vain for a merchant's, he asks that one no more.
#[derive(Debug, Default)]
pub(crate) struct InTurn {
    in_vain: BTreeSet<MerchantId>,
}

impl InTurn {
    /// Waits for a query of `merchant`'s; false when there is none for him.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn may_ask(&mut self, hub: &Hub, merchant: &Merchant) -> Result<bool, Fault> {
        if self.in_vain.contains(&merchant.id) {
            return Ok(false);
        }
        let begun = Instant::now();
        while !may_ask(hub, merchant, Asker::Others).await? {
            if begun.elapsed() >= PATIENCE {
                self.in_vain.insert(merchant.id.clone());
                return Ok(false);
            }
            sleep(LOOK).await;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shares of followers and of others in each of eight seconds.
    #[track_caller]
    fn check(queries: u32, followers: [i64; 8], others: [i64; 8], at_once: usize) {
        let budget = Budget::per_second(queries).unwrap();
        let shares = |asker| {
            [0, 1, 2, 3, 4, 5, 6, 7].map(|second| {
                let share = budget.share(asker, Timestamp::from_second(second).unwrap());
                assert_eq!(share.whole, i64::from(queries));
                share.own
            })
        };
        assert_eq!(shares(Asker::Followers), followers, "{queries}");
        assert_eq!(shares(Asker::Others), others, "{queries}");
        assert_eq!(shares(Asker::Closing), [i64::from(queries); 8]);
        assert_eq!(budget.at_once(), at_once, "{queries}");
    }

    #[test]
    fn an_eighth_is_kept_for_others_and_half_for_orders_however_small_the_budget() {
        check(1, [1, 1, 1, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1, 0, 1], 4);
        check(2, [2, 2, 2, 1, 2, 2, 2, 1], [1; 8], 4);
        check(7, [7, 6, 6, 6, 6, 6, 6, 6], [3, 4, 3, 4, 3, 4, 3, 4], 7);
        check(8, [7; 8], [4; 8], 8);
        check(50, [44, 44, 44, 43, 44, 44, 44, 43], [25; 8], 32);
        check(300, [263, 262, 263, 262, 263, 262, 263, 262], [150; 8], 32);
        assert_eq!([0, 301].map(Budget::per_second), [None, None]);
    }

    #[test]
    fn over_eight_seconds_neither_can_take_what_is_kept_for_the_other() {
        for queries in 1..=MOST {
            let budget = Budget::per_second(queries).unwrap();
            let (mut for_others, mut for_orders) = (0, 0);
            for second in 0..8 {
                let now = Timestamp::from_second(second).unwrap();
                let (followers, others) =
                    (budget.share(Asker::Followers, now), budget.share(Asker::Others, now));
                // What is kept in a second can be used in it.
                let kept = followers.whole - followers.own;
                assert!(kept <= others.own, "{queries} in second {second}");
                for_others += kept;
                for_orders += others.whole - others.own;
            }
            assert_eq!(for_others, i64::from(queries), "an eighth of {queries}");
            assert_eq!(for_orders, i64::from(queries) * 4, "half of {queries}");
        }
    }
}
