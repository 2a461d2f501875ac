//! A refund's life at the hub: asked for (and reserved at once), sent, followed. Its number never
//! changes, and its money is reserved before anybody outside hears of it.

mod decide;
mod follow;
mod pause;
mod redirect;
mod request;
mod send;
mod shares;
mod surplus;
mod treasury;

use domain::ids::{ApplicationId, RefundId};
use domain::journal::Share;
use domain::treasury::Route;
use jiff::Timestamp;

pub use decide::{Decision, decide};
pub use follow::{follow, run_of, run_once, run_surplus_of};
pub use redirect::{RedirectRequest, redirect};
pub use request::{RefundRequest, Requested, request};
pub use treasury::{StepRequest, Stepped, TreasuryStanding, step};

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::record::{Effects, RecordError, TreasuryMove};
use crate::store::orders::shares as with_surplus;
use crate::store::refunds::{self, RefundRecord};

/// A refund of an application.
///
/// # Errors
/// 404 when there is none.
pub async fn get(
    hub: &Hub,
    application: &ApplicationId,
    refund_id: &str,
) -> Result<RefundRecord, Fault> {
    let client = hub.store.client().await?;
    refunds::by_ids(&client, &[refund_id])
        .await?
        .pop()
        .filter(|refund| refund.application_id == *application)
        .ok_or_else(|| Fault::not_found("refund"))
}

async fn load(hub: &Hub, refund_id: &RefundId) -> Result<RefundRecord, Fault> {
    let client = hub.store.client().await?;
    refunds::by_ids(&client, &[refund_id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| Fault::not_found("refund"))
}

fn merchant_of<'a>(hub: &'a Hub, refund: &RefundRecord) -> Result<&'a Merchant, Fault> {
    hub.merchant(refund.merchant_id.as_str()).ok_or_else(|| {
        Fault::unavailable(format!(
            "merchant {} of refund {} is not configured any more",
            refund.merchant_id, refund.id
        ))
    })
}

/// What the refund takes back from which fee, surplus last.
fn shares_of(refund: &RefundRecord) -> Vec<Share> {
    with_surplus(&refund.allocations, refund.surplus_fen)
}

/// Takes back what was promised to a refund that will not happen, on whichever way it was.
fn release(
    effects: &mut Effects,
    refund: &RefundRecord,
    now: Timestamp,
) -> Result<(), RecordError> {
    let (merchant, taken, shares) =
        (&refund.merchant_id, request::taken_from(refund), shares_of(refund));
    match refund.route {
        Route::Provider => effects.release(merchant, taken, &shares),
        Route::Treasury => effects.treasury(TreasuryMove::Released, merchant, taken, &shares, now),
    }
}

/// The place for which a refund's stored call is sealed.
fn call_context(refund_id: &RefundId) -> String {
    format!("refunds.refund_call:{refund_id}")
}
