//! How many queries a merchant's second carries, over all hubs together: orders, combined orders and
//! refunds that are asked for share it. Placing, closing and refunding are not counted; nobody puts
//! those off.

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::queries;

/// Queries a second when the configuration does not say: 300 orders asked for every 7 seconds.
const USUAL: u32 = 50;
/// What the providers take at most.
const MOST: u32 = 300;
/// The part that workers who follow orders leave to refunds, and to queries that somebody waits for.
const KEPT: u32 = 8;
/// How many questions of a merchant may be under way at once, at least and at most. Each needs a
/// connection to the database for a moment, and there are 16.
const AT_ONCE: (u32, u32) = (4, 32);

/// How many queries a second a merchant carries (查询配额).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl Budget {
    /// A budget of that many queries a second; `None` outside 1 to 300.
    #[must_use]
    pub fn per_second(queries: u32) -> Option<Self> {
        (1..=MOST).contains(&queries).then_some(Self(queries))
    }

    /// What may leave in a second in all.
    #[must_use]
    pub(crate) fn whole(self) -> i64 {
        i64::from(self.0)
    }

    /// What those who follow orders may use of it, as long as others may want the rest.
    #[must_use]
    pub(crate) fn of_orders(self) -> i64 {
        i64::from(self.0.saturating_sub(self.0.checked_div(KEPT).unwrap_or_default()))
    }

    /// How many questions may be under way at once: enough to use the budget where each answer
    /// takes a second or two.
    #[must_use]
    pub(crate) fn at_once(self) -> usize {
        let (least, most) = AT_ONCE;
        usize::try_from(self.0.clamp(least, most)).unwrap_or(usize::MAX)
    }
}

/// Takes a query of `merchant`'s second for somebody who waits; false when they are spent.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn may_ask(hub: &Hub, merchant: &Merchant) -> Result<bool, Fault> {
    let client = hub.store.client().await?;
    Ok(queries::take(&client, &merchant.id, hub.clock.now(), merchant.queries.whole()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(queries: u32, of_orders: i64, at_once: usize) {
        let budget = Budget::per_second(queries).unwrap();
        assert_eq!((budget.of_orders(), budget.at_once()), (of_orders, at_once), "{queries}");
    }

    #[test]
    fn a_part_of_every_larger_budget_is_left_to_those_who_wait() {
        check(1, 1, 4);
        check(7, 7, 7);
        check(8, 7, 8);
        check(20, 18, 20);
        check(300, 263, 32);
        assert_eq!([0, 301].map(Budget::per_second), [None, None]);
    }
}
