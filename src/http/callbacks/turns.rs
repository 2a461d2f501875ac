//! Turns for proving callbacks. A merchant's callbacks are proved in the order in which they came,
//! and only so many at once that a flood of rubbish to one address leaves processors to the others.

use std::collections::BTreeMap;

use domain::ids::MerchantId;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The turns of all merchants.
#[derive(Debug)]
pub(in crate::http) struct Turns(BTreeMap<MerchantId, Semaphore>);

impl Turns {
    /// For these merchants; one alone takes at most half of the processors.
    pub(in crate::http) fn of<'a>(merchants: impl Iterator<Item = &'a MerchantId>) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let at_once = processors.div_ceil(2);
        Self(merchants.map(|id| (id.clone(), Semaphore::new(at_once))).collect())
    }

    /// Waits for one's turn, which lasts as long as what is given. It must not be kept while
    /// anything else is waited for.
    pub(in crate::http) async fn take(&self, merchant: &MerchantId) -> Option<SemaphorePermit<'_>> {
        match self.0.get(merchant) {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        }
    }
}
