//! The steps of refunds through the treasury (退付).

use deadpool_postgres::GenericClient;
use domain::ids::RefundId;
use domain::refund::RefundState;
use domain::treasury::TreasuryEvent;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{StoreError, change, sql};

/// A step to be written down.
#[derive(Debug)]
pub struct NewStep<'a> {
    /// Of which refund.
    pub refund_id: &'a RefundId,
    /// What happened.
    pub event: TreasuryEvent,
    /// On which day.
    pub occurred_on: Date,
    /// Who did it.
    pub by: &'a str,
    /// The number of the paper that says so.
    pub document_no: Option<&'a str>,
    /// A note on the fiscal e-bill's red flush.
    pub red_flush: Option<&'a str>,
    /// Why, where it came back or was rejected.
    pub reason: Option<&'a str>,
    /// When the hub is told.
    pub now: Timestamp,
}

/// Adds a step. The caller holds the order's lock.
///
/// # Errors
/// `nobody_verifies_or_approves_his_own_refund`, `a_treasury_step_is_taken_once`,
/// `nobody_takes_two_steps_of_a_treasury_refund`.
pub async fn add(client: &impl GenericClient, step: &NewStep<'_>) -> Result<(), StoreError> {
    change(
        client,
        sql::TREASURY_STEPS_INSERT,
        &[
            &step.refund_id.as_str(),
            &step.event.as_str(),
            &step.occurred_on,
            &step.by,
            &step.document_no,
            &step.red_flush,
            &step.reason,
            &step.now,
        ],
    )
    .await?;
    Ok(())
}

/// How a step moves its refund.
#[derive(Debug)]
pub struct Move<'a> {
    /// Which refund.
    pub refund_id: &'a RefundId,
    /// The state that it must still have.
    pub before: RefundState,
    /// The state that it has then.
    pub after: RefundState,
    /// When the treasury paid it.
    pub succeeded_at: Option<Timestamp>,
    /// When its step is overdue.
    pub look_at: Option<Timestamp>,
}

/// Moves a refund that the treasury pays; false when its state moved meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn move_on(client: &impl GenericClient, step: &Move<'_>) -> Result<bool, StoreError> {
    change(
        client,
        sql::REFUNDS_TREASURY_MOVE,
        &[
            &step.refund_id.as_str(),
            &step.before.as_str(),
            &step.after.as_str(),
            &step.succeeded_at,
            &step.look_at,
        ],
    )
    .await
}
