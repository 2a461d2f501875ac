//! A second person's decision about a refund: never the one who asked for it.

use domain::refund::{RefundState, RefundTransition};
use domain::treasury::Route;
use domain::user::{UserAct, folded};
use jiff::Timestamp;
use serde_json::json;

use super::request::PICK_UP;
use super::{load, release, send, treasury};
use crate::audit::Act;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, commit_acts};
use crate::store::StoreError;
use crate::store::orders;
use crate::store::refunds::{self, RefundRecord};
use crate::users;

/// What the second person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes: it is sent.
    Approve,
    /// No: its money is released.
    Decline,
}

/// Writes a decision by `user`. What was approved is sent, or goes its way through the treasury.
///
/// # Errors
/// 403 a user who may not, 404 no such refund, 409 it does not wait for a decision, or the user asked for it.
pub async fn decide(
    hub: &Hub,
    refund_id: &str,
    decision: Decision,
    user: &str,
) -> Result<RefundRecord, Fault> {
    let refund_id = refund_id.parse().map_err(|_bad| Fault::not_found("refund"))?;
    let refund = load(hub, &refund_id).await?;
    let transition = match decision {
        Decision::Approve => RefundTransition::Approve,
        Decision::Decline => RefundTransition::Decline,
    };
    let after = refund
        .status
        .after(transition)
        .map_err(|error| Fault::conflict("refund_not_waiting", error.to_string()))?;
    let requested_by = refund.requested_by.as_deref().unwrap_or_default();
    if folded(requested_by) == folded(user) {
        return Err(Fault::conflict("same_person", "who asked for a refund does not decide on it"));
    }
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let user = users::permit(&tx, user, UserAct::DecideRefund).await?;
    orders::lock(&tx, &[refund.order_id.as_str()]).await?;
    let (after, next) = match (after, refund.route) {
        (RefundState::Submitted, Route::Provider) => {
            (after, Some(now.saturating_add(PICK_UP).unwrap_or(Timestamp::MAX)))
        }
        (RefundState::Submitted, Route::Treasury) => {
            let under_way =
                after.after(RefundTransition::Accept).map_err(|error| Fault::internal(&error))?;
            (under_way, treasury::first_look(refund.found_by_office, now)?)
        }
        (declined, Route::Provider | Route::Treasury) => (declined, None),
    };
    if !refunds::decide(&tx, &refund_id, after, &user, next).await? {
        return Err(Fault::conflict("refund_not_waiting", "somebody else has decided"));
    }
    let mut effects = Effects::new(now);
    if after == RefundState::Declined {
        release(&mut effects, &refund, now)?;
    } else if refund.route == Route::Treasury {
        treasury::begin(&tx, &refund_id, requested_by, now).await?;
    }
    let word = match decision {
        Decision::Approve => "refund.approved",
        Decision::Decline => "refund.declined",
    };
    let data = json!({"amount_fen": refund.amount_fen, "requested_by": refund.requested_by});
    let act = Act::of(&user, word, refund_id.as_str(), data);
    commit_acts(hub, tx, effects, &[act]).await?;
    drop(client);
    let refund = load(hub, &refund_id).await?;
    if refund.status == RefundState::Submitted {
        send::send(hub, &refund, send::Turn::First).await?;
    }
    load(hub, &refund_id).await
}
