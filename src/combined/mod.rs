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
use domain::ids::{ApplicationId, CombinedId, MerchantId};

pub use close::close;
pub use create::{CombinedRequest, Created, PartRequest, create};
pub(crate) use follow::follow_counted;
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
    let merchant = asked_through(hub, &whole.merchant_id)?;
    Ok((merchant, merchant.provider.combined().ok_or_else(|| left(&whole.merchant_id))?))
}

/// The merchant whose query it is to ask for a combined order.
///
/// # Errors
/// When the database does not answer, or the merchant is not configured for it any more.
pub(crate) async fn asker_of<'a>(hub: &'a Hub, whole: &CombinedId) -> Result<&'a Merchant, Fault> {
    asked_through(hub, &load(hub, whole).await?.merchant_id)
}

/// The merchant through which combined orders are asked for.
///
/// # Errors
/// When it is not configured for them any more.
pub(crate) fn asked_through<'a>(
    hub: &'a Hub,
    merchant: &MerchantId,
) -> Result<&'a Merchant, Fault> {
    let known = hub.merchants.get(merchant);
    known.filter(|known| known.provider.combined().is_some()).ok_or_else(|| left(merchant))
}

fn left(merchant: &MerchantId) -> Fault {
    Fault::unavailable(format!(
        "merchant {merchant} of a combined order is not configured for it any more"
    ))
}

/// The place for which a combined order's stored call is sealed.
fn call_context(combined_id: &CombinedId) -> String {
    format!("combined_orders.place_call:{combined_id}")
}
