//! What a run does to the differences of its account that it does not open: it ends those that are
//! gone, and takes up again what was said to be mended and is not.

use deadpool_postgres::Transaction;
use domain::difference::{DifferenceState, DifferenceStep};
use jiff::Timestamp;
use reconciliation::Reconciliation;

use super::rows::Rows;
use crate::fault::Fault;
use crate::store::differences::{self, NewStep};
use crate::store::findings::OpenDifference;
use crate::store::runs::RunRecord;

/// Takes the run's steps; the differences that moved by them.
pub(super) async fn follow(
    tx: &Transaction<'_>,
    run: &RunRecord,
    rows: &Rows,
    (result, open): (&Reconciliation, &[OpenDifference]),
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let (gone, again) = (rows.gone(result, open), rows.again(open));
    let all: Vec<&str> =
        [&gone.cleared, &gone.superseded, &again].into_iter().flatten().copied().collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    // Whoever takes a step of one in this moment is waited for.
    differences::lock(tx, &all).await?;
    let run_id = run.id.as_str();
    let mut moved = Vec::new();
    for (ids, event) in
        [(&gone.cleared, DifferenceStep::Cleared), (&gone.superseded, DifferenceStep::Superseded)]
    {
        moved.extend(differences::clear(tx, run_id, ids, event, now).await?);
    }
    for id in again {
        let step = NewStep {
            id,
            by: run_id,
            run_id: Some(run_id),
            reason: Some("a run has it again"),
            ..NewStep::default()
        };
        let way = (DifferenceState::Resolved, DifferenceState::Open, DifferenceStep::Reopened);
        if differences::step(tx, &step, way, now).await?.is_some() {
            moved.push(id.to_owned());
        }
    }
    Ok(moved)
}
