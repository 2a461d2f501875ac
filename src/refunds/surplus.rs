//! Gives proved duplicates back where the office wants that: a payment that settled no fee because
//! other payments had brought exactly what its order was for. Any other surplus is finance's.

use callbacks::SurplusPayment;
use domain::ids::{MerchantId, OutRefundNo, PaymentId};

use super::request::give_back;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::refunds;

/// How many duplicates one run gives back.
const BATCH: i64 = 16;

/// Asks for the refund of each duplicate of a merchant that has none; how many there were. Its
/// number follows from the payment, so that a run that broke off is simply done again.
///
/// # Errors
/// When the database does not answer. What happens to one duplicate does not stop the others.
pub(super) async fn run_of(hub: &Hub, merchant: &MerchantId) -> Result<usize, Fault> {
    match hub.policy.surplus_payment {
        SurplusPayment::Propose => return Ok(0),
        SurplusPayment::Refund => {}
    }
    let client = hub.store.client().await?;
    let duplicates = refunds::duplicates(&client, merchant, BATCH).await?;
    drop(client);
    let mut given_back: usize = 0;
    for duplicate in &duplicates {
        match give_back(hub, duplicate, &number_of(&duplicate.payment_id)?).await {
            Ok(()) => given_back = given_back.saturating_add(1),
            Err(fault) => tracing::warn!(
                payment = %duplicate.payment_id, fault = fault.detail,
                "a duplicate could not be given back"
            ),
        }
    }
    Ok(given_back)
}

/// The one refund number of a duplicate.
fn number_of(payment_id: &PaymentId) -> Result<OutRefundNo, Fault> {
    let text = format!("S{}", payment_id.as_str().trim_start_matches("pay_"));
    text.parse().map_err(|error| Fault::internal(&error))
}
