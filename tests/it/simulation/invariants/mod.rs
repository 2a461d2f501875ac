//! What must hold after every run, whatever went wrong in it: design.md's invariants and what it
//! promises of faults. Each rule gives its breaks as sentences; none is looked at alone.

mod bills;
mod books;
mod messages;
mod money;
mod promises;
mod rest;
mod told;

use super::live::Run;

/// Everything that does not hold.
pub(super) async fn broken(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut breaks = books::breaks(run).await?;
    breaks.extend(money::breaks(run).await?);
    breaks.extend(told::breaks(run).await?);
    breaks.extend(messages::breaks(run).await?);
    breaks.extend(promises::breaks(run).await?);
    breaks.extend(bills::breaks(run).await?);
    breaks.extend(rest::breaks(run).await?);
    Ok(breaks)
}

/// The sentences that a query gives: a break a row.
async fn sentences(run: &Run<'_>, query: &str) -> Result<Vec<String>, String> {
    Ok(run.scene.rows(query).await?.iter().map(|row| row.get(0)).collect())
}
