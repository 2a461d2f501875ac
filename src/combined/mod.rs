//! Combined orders (合单): one payment that several payees share, fee and tax in one go.
//!
//! Each part is an order like any other, with its own number, merchant, fees, payment and refunds.
//! Here is only what concerns all of them at once: they are placed, asked for and closed together,
//! by one call, through the merchant that asked. Nothing here ever moves one part alone; only a
//! payment does, and that is a fact.

mod close;
mod create;
mod follow;
mod place;
mod write;

use adapters::provider::CombinedPayments;
use domain::ids::{ApplicationId, CombinedId};

pub use close::close;
pub use create::{CombinedRequest, Created, PartRequest, create};
pub use follow::{follow, part_standing, run_of};

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::combined::{self, CombinedRecord};

/// A combined order of an application.
///
/// # Errors
/// 404 when there is none.
pub async fn get(
    hub: &Hub,
    application: &ApplicationId,
    combined_id: &str,
) -> Result<CombinedRecord, Fault> {
    let client = hub.store.client().await?;
    combined::by_id(&client, combined_id)
        .await?
        .filter(|whole| whole.application_id == *application)
        .ok_or_else(|| Fault::not_found("combined order"))
}

/// A combined order that is known to be there.
async fn load(hub: &Hub, combined_id: &CombinedId) -> Result<CombinedRecord, Fault> {
    let client = hub.store.client().await?;
    combined::by_id(&client, combined_id.as_str())
        .await?
        .ok_or_else(|| Fault::not_found("combined order"))
}

/// The merchant that asked for a combined order; it may have left the configuration since.
fn asker<'a>(
    hub: &'a Hub,
    whole: &CombinedRecord,
) -> Result<(&'a Merchant, &'a dyn CombinedPayments), Fault> {
    let merchant = hub.merchant(whole.merchant_id.as_str());
    merchant.and_then(|merchant| Some((merchant, merchant.provider.combined()?))).ok_or_else(|| {
        Fault::unavailable(format!(
            "merchant {} of combined order {} is not configured for it any more",
            whole.merchant_id, whole.id
        ))
    })
}

/// The place for which a combined order's stored call is sealed.
fn call_context(combined_id: &CombinedId) -> String {
    format!("combined_orders.place_call:{combined_id}")
}
