//! Bounds how many refused callbacks of a merchant are kept a second, so that nobody can fill the
//! database with rubbish. What is over is counted only.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ids::MerchantId;

/// How many are kept in each [`SPAN`], a merchant.
const MOST: u32 = 20;
/// The length of a window.
const SPAN: Duration = Duration::from_secs(1);

/// The present windows of all merchants.
#[derive(Debug, Default)]
pub(super) struct Window(Mutex<BTreeMap<MerchantId, (Instant, u32)>>);

impl Window {
    /// Whether one more of `merchant`'s may be kept now.
    pub(super) fn admits(&self, merchant: &MerchantId) -> bool {
        self.admits_at(merchant, Instant::now())
    }

    fn admits_at(&self, merchant: &MerchantId, now: Instant) -> bool {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, count) = windows.entry(merchant.clone()).or_insert((now, 0));
        if now.saturating_duration_since(*begun) >= SPAN {
            (*begun, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_against_one_merchant_is_cut_and_leaves_the_others_alone() {
        let window = Window::default();
        let (one, other) = ("one".parse().unwrap(), "other".parse().unwrap());
        let now = Instant::now();
        let kept = (0..100).filter(|_| window.admits_at(&one, now)).count();
        assert_eq!(kept, 20);
        assert!(window.admits_at(&other, now));
        assert!(window.admits_at(&one, now + SPAN), "the next second is a new window");
    }
}
