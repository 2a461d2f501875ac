//! An order's life at the hub: created, placed, followed, closed. Each step writes first what it
//! is about to do, asks the provider, and writes what came of it; a crash between two steps leaves
//! a state that [`follow`] picks up.

pub(crate) mod cadence;
mod close;
mod create;
mod follow;
mod place;
mod taken_back;
pub(crate) mod terms;
mod turn;
mod watch;

use adapters::provider::Product;
use domain::ids::{ApplicationId, OrderId};
use domain::provider::UnknownWord;

pub(crate) use close::decided;
pub use close::{Closed, Why, close};
pub use create::{Created, OrderPayer, OrderRequest, Written, create, is_open_question, open};
pub(crate) use follow::next_query;
pub(crate) use follow::{Heard, follow_in_turn};
pub use follow::{follow, run_of, run_once};
pub(crate) use place::{Meaning, meaning};
pub(crate) use turn::taken_back_until;
pub use watch::{watch, watch_combined};

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::orders::{self, OrderRecord};

/// An order of an application.
///
/// # Errors
/// 404 when there is none.
pub async fn get(
    hub: &Hub,
    application: &ApplicationId,
    order_id: &str,
) -> Result<OrderRecord, Fault> {
    let client = hub.store.client().await?;
    orders::by_ids(&client, &[order_id])
        .await?
        .pop()
        .filter(|order| order.application_id == *application)
        .ok_or_else(|| Fault::not_found("order"))
}

/// An order that is known to be there.
async fn load(hub: &Hub, order_id: &OrderId) -> Result<OrderRecord, Fault> {
    let client = hub.store.client().await?;
    orders::by_ids(&client, &[order_id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| Fault::not_found("order"))
}

/// The merchant of an order; it may have left the configuration since.
pub(crate) fn merchant_of<'a>(hub: &'a Hub, order: &OrderRecord) -> Result<&'a Merchant, Fault> {
    hub.merchant(order.merchant_id.as_str()).ok_or_else(|| {
        Fault::unavailable(format!(
            "merchant {} of order {} is not configured any more",
            order.merchant_id, order.id
        ))
    })
}

/// How an order is paid.
fn product_of(order: &OrderRecord) -> Result<Product, Fault> {
    order.product.parse().map_err(|error: UnknownWord| Fault::internal(&error))
}

/// The place for which an order's stored call is sealed.
fn call_context(order_id: &OrderId) -> String {
    format!("orders.place_call:{order_id}")
}
