//! People take a match of a credit back (撤销匹配): its entries are reversed, nothing is deleted, and
//! from then on only people say what that credit is. What took two to agree to takes two again.

use domain::user::{UserAct, folded};
use serde_json::json;

use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, RecordError, commit_acts};
use crate::settlement::match_again;
use crate::store::{StoreError, bank, unmatches};
use crate::users;

/// What a person asks for.
#[derive(Clone, Copy, Debug)]
pub struct Unmatching<'a> {
    /// The bank's number of the credit.
    pub serial: &'a str,
    /// Who asks.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// The match no longer counts.
    TakenBack,
    /// Two agreed to it: another must ask for the same.
    Waits,
}

/// Takes the match of a credit back.
///
/// # Errors
/// 404 no such credit; 409 it is not matched, or the same person asked before; 422 a name or reason
/// that is none; 403 a user who may not.
pub async fn unmatch(hub: &Hub, asked: &Unmatching<'_>) -> Result<Unmatched, Fault> {
    let by = users::named("by", asked.by)?;
    let reason = users::reasoned(asked.reason)?;
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    bank::in_turn(&tx).await?;
    let Some(found) = unmatches::standing(&tx, asked.serial).await? else {
        if bank::known(&tx, &[asked.serial]).await?.is_empty() {
            return Err(Fault::not_found("bank line"));
        }
        let detail = format!("bank line {} is not matched with a settlement", asked.serial);
        return Err(Fault::conflict("bank_line_not_matched", detail));
    };
    let by = users::permit(&tx, by, UserAct::ConfirmSettlement).await?;
    let before = unmatches::claims(&tx, &found.match_id).await?;
    let is_second = before.iter().any(|name| folded(name) != folded(&by));
    if found.is_of_two && !is_second && !before.is_empty() {
        let detail = format!("{by} has asked for it already; another must be the second");
        return Err(Fault::conflict("same_person", detail));
    }
    unmatches::claim(&tx, &found.match_id, (&by, reason), now).await?;
    let waits = found.is_of_two && !is_second;
    let data = json!({
        "match_id": found.match_id, "settlements": found.days,
        "reason": audit::stands_for(&hub.sealer, Some(reason)),
    });
    let action = if waits { "settlement.unmatch_asked" } else { "settlement.unmatched" };
    let act = Act::of(&by, action, asked.serial, data);
    if waits {
        audit::write_down(&tx, &hub.sealer, &[act], now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        return Ok(Unmatched::Waits);
    }
    unmatches::undo(&tx, &found, (&by, reason), now).await?;
    let mut effects = Effects::new(now);
    for (merchant, share) in unmatches::posted(&tx, &found.match_id).await? {
        effects.take_arrival_back(&merchant, &found.match_id, share)?;
    }
    commit_acts(hub, tx, effects, &[act]).await.map_err(alone)?;
    drop(client);
    // What lost its money is looked for again; a statement or a run would do it as well.
    if let Err(fault) = match_again(hub).await {
        tracing::warn!(fault = fault.detail, "the bank's credits were not matched");
    }
    Ok(Unmatched::TakenBack)
}

/// What the database says when it knows better.
fn alone(error: RecordError) -> Fault {
    match &error {
        RecordError::Store(store)
            if store.constraint() == Some("what_two_agreed_to_is_taken_back_by_two") =>
        {
            Fault::conflict("same_person", "another must be the second")
        }
        RecordError::Store(_)
        | RecordError::Seal(_)
        | RecordError::TooLarge
        | RecordError::Defect => error.into(),
    }
}
