//! What people do about differences (差错处理): each step in one transaction, with its journal entry,
//! its event and its line on the audit trail. No key of a backend service takes one.

mod money;
mod shown;

use deadpool_postgres::Transaction;
use domain::Fen;
use domain::difference::{DifferenceState, DifferenceStep, Remedy};
use domain::user::{UserAct, folded};
use jiff::Timestamp;
use serde_json::json;

pub use shown::{not_over, older_than, shown, tell};

use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{self, Effects};
use crate::store::StoreError;
use crate::store::differences::{self, Difference, NewStep};
use crate::users;

/// What a person does about a difference.
#[derive(Clone, Copy, Debug)]
pub enum Doing<'a> {
    /// Gives it to somebody.
    Assign {
        /// To whom.
        to: &'a str,
    },
    /// Proposes a remedy.
    Propose(Proposal<'a>),
    /// Agrees to what another proposed.
    Approve,
    /// Does not agree.
    Decline,
    /// Says that what was agreed to is done.
    Resolve,
    /// Writes its money off, as was agreed to.
    WriteOff,
    /// Matches it with another by force, as was agreed to.
    ForceMatch {
        /// With which.
        with: &'a str,
    },
    /// Takes it up again.
    Reopen,
}

/// A remedy with what it needs.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    /// Which.
    pub remedy: Remedy,
    /// How much is to be written off; absent: what both sides are apart.
    pub amount: Option<Fen>,
    /// The refund that settles it.
    pub refund_id: Option<&'a str>,
    /// The difference that it is matched with.
    pub with: Option<&'a str>,
}

/// Who does it, and why.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Who.
    pub by: &'a str,
    /// Why, where that must be said.
    pub reason: Option<&'a str>,
}

impl Doing<'_> {
    const fn step(self) -> DifferenceStep {
        match self {
            Self::Assign { .. } => DifferenceStep::Assigned,
            Self::Propose(_) => DifferenceStep::Proposed,
            Self::Approve => DifferenceStep::Approved,
            Self::Decline => DifferenceStep::Declined,
            Self::Resolve | Self::ForceMatch { .. } => DifferenceStep::Resolved,
            Self::WriteOff => DifferenceStep::WrittenOff,
            Self::Reopen => DifferenceStep::Reopened,
        }
    }

    const fn act(self) -> UserAct {
        match self {
            Self::Assign { .. } => UserAct::AssignDifference,
            Self::Propose(_) => UserAct::ProposeRemedy,
            Self::Approve | Self::Decline => UserAct::DecideRemedy,
            Self::Resolve | Self::WriteOff | Self::ForceMatch { .. } => UserAct::DoRemedy,
            Self::Reopen => UserAct::ReopenDifference,
        }
    }

    const fn with(&self) -> Option<&str> {
        match self {
            Self::ForceMatch { with } => Some(*with),
            Self::Propose(proposal) => proposal.with,
            Self::Assign { .. }
            | Self::Approve
            | Self::Decline
            | Self::Resolve
            | Self::WriteOff
            | Self::Reopen => None,
        }
    }
}

/// A step that is being taken: what it moves beside its own difference is collected here, and is
/// written with it or not at all.
struct Taking<'a> {
    hub: &'a Hub,
    tx: Transaction<'a>,
    by: String,
    reason: Option<&'a str>,
    now: Timestamp,
    effects: Effects,
    acts: Vec<Act>,
    moved: Vec<String>,
}

/// Takes a step of a difference; the difference as it is then.
///
/// # Errors
/// 403 a user who may not; 404 no such difference; 409 where it cannot follow, or another must do it;
/// 422 a name, reason or remedy that is none.
pub async fn take(
    hub: &Hub,
    id: &str,
    doing: Doing<'_>,
    signed: Signed<'_>,
) -> Result<Difference, Fault> {
    let by = users::named("by", signed.by)?;
    let reason = signed.reason.map(users::reasoned).transpose()?;
    if reason.is_none() && doing.step().needs_reason() {
        let detail = format!("{} needs a reason", doing.step());
        return Err(Fault::invalid("reason_missing", detail));
    }
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let by = users::permit(&tx, by, doing.act()).await?;
    let asked: Vec<&str> = [Some(id), doing.with()].into_iter().flatten().collect();
    let locked = differences::lock(&tx, &asked).await?;
    // Read behind the locks: whoever came before has ended.
    let found = one(&tx, id).await?;
    let mut taking = Taking {
        hub,
        tx,
        by,
        reason,
        now,
        effects: Effects::new(now),
        acts: Vec::new(),
        moved: Vec::new(),
    };
    taking.of_itself(&found, doing).await?;
    if let Some(other) = partner(&found, doing) {
        if !locked.contains(&other) {
            return Err(Fault::conflict(
                "difference_conflict",
                "somebody else was first; ask again",
            ));
        }
        taking.of_partner(&found, &other, doing).await?;
    }
    let Taking { tx, effects, acts, moved, .. } = taking;
    tell(&tx, &moved, now).await?;
    let then = one(&tx, id).await?;
    record::commit_acts(hub, tx, effects, &acts).await?;
    Ok(then)
}

async fn one(tx: &Transaction<'_>, id: &str) -> Result<Difference, Fault> {
    let found = differences::by_ids(tx, &[id]).await?.pop();
    found.ok_or_else(|| Fault::not_found("difference"))
}

/// The difference that moves together with one: that with which it is, or was, matched by force.
fn partner(found: &Difference, doing: Doing<'_>) -> Option<String> {
    match doing {
        Doing::ForceMatch { .. } => found.proposal()?.other_id.clone(),
        Doing::Reopen => found.steps.last()?.other_id.clone(),
        Doing::Assign { .. }
        | Doing::Propose(_)
        | Doing::Approve
        | Doing::Decline
        | Doing::Resolve
        | Doing::WriteOff => None,
    }
}

impl Taking<'_> {
    async fn of_itself(&mut self, found: &Difference, doing: Doing<'_>) -> Result<(), Fault> {
        let is_written_off = found.status == DifferenceState::WrittenOff;
        // What two wrote off takes two again: the first asks.
        let step = if is_written_off && matches!(doing, Doing::Reopen) {
            self.reopening(found)?
        } else {
            doing.step()
        };
        let to = after(found, step)?;
        let mut new = NewStep { id: &found.id, by: "", reason: self.reason, ..NewStep::default() };
        let (owner, other): (String, Option<Difference>);
        match doing {
            Doing::Assign { to } => {
                let to = users::named("to", to)?;
                owner = users::permit(&self.tx, to, UserAct::ProposeRemedy).await?;
                new.owner = Some(&owner);
            }
            Doing::Propose(proposal) => {
                other = money::check(&self.tx, found, &proposal).await?;
                new.action = Some(proposal.remedy);
                new.amount = money::amount(found, &proposal)?;
                new.refund_id = proposal.refund_id;
                new.other_id = other.as_ref().map(|other| other.id.as_str());
            }
            Doing::Approve => self.by_another(found)?,
            Doing::Resolve | Doing::ForceMatch { .. } => {
                new.other_id = money::resolution(&self.tx, found, doing).await?;
            }
            Doing::WriteOff => {
                let (side, amount) = money::written_off(found)?;
                let journal = money::journal(self.hub, &self.tx, found).await?;
                new.amount = Some(amount);
                new.posted = Some((side.as_str(), journal.as_str()));
                let position = self.write(&new, (found.status, to, step)).await?;
                let subject = format!("{}/{position}", found.id);
                self.effects.write_off(&journal, &subject, side, amount);
                return Ok(());
            }
            Doing::Reopen if step == DifferenceStep::Reopened => {
                money::take_back(found, &mut self.effects)?;
            }
            Doing::Reopen | Doing::Decline => {}
        }
        self.write(&new, (found.status, to, step)).await.map(drop)
    }

    /// Moves the other side of a forced match.
    async fn of_partner(
        &mut self,
        found: &Difference,
        other: &str,
        doing: Doing<'_>,
    ) -> Result<(), Fault> {
        let other = one(&self.tx, other).await?;
        let step = match doing {
            Doing::Reopen => DifferenceStep::Reopened,
            Doing::Assign { .. }
            | Doing::Propose(_)
            | Doing::Approve
            | Doing::Decline
            | Doing::Resolve
            | Doing::WriteOff
            | Doing::ForceMatch { .. } => DifferenceStep::Matched,
        };
        let to = after(&other, step)?;
        let other_id = (step == DifferenceStep::Matched).then_some(found.id.as_str());
        if other_id.is_some() {
            money::two_sides(found, &other)?;
            money::nothing_else_is_agreed(found, &other)?;
        }
        let reason = self.reason;
        let new = NewStep { id: &other.id, other_id, reason, ..NewStep::default() };
        self.write(&new, (other.status, to, step)).await.map(drop)
    }

    /// Whether this asks that a write-off is taken up again, or agrees to it.
    fn reopening(&self, found: &Difference) -> Result<DifferenceStep, Fault> {
        match found.steps.last().filter(|last| last.event == DifferenceStep::ReopenAsked) {
            None => Ok(DifferenceStep::ReopenAsked),
            Some(asked) if folded(&asked.by) != folded(&self.by) => Ok(DifferenceStep::Reopened),
            Some(asked) => {
                let detail = format!(
                    "difference {}: {} has asked for it; another must agree",
                    found.id, asked.by
                );
                Err(Fault::conflict("same_person", detail))
            }
        }
    }

    fn by_another(&self, found: &Difference) -> Result<(), Fault> {
        match found.proposal() {
            Some(proposal) if folded(&proposal.by) == folded(&self.by) => Err(Fault::conflict(
                "same_person",
                format!(
                    "difference {}: {} has proposed it; another must agree",
                    found.id, proposal.by
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Writes a step and its line on the trail; its place.
    async fn write(
        &mut self,
        new: &NewStep<'_>,
        way: (DifferenceState, DifferenceState, DifferenceStep),
    ) -> Result<i32, Fault> {
        let new = NewStep { by: &self.by, ..new.clone() };
        let written = differences::step(&self.tx, &new, way, self.now).await;
        let position = written.map_err(|error| refused(error, new.id))?.ok_or_else(|| {
            Fault::conflict("difference_conflict", format!("difference {} moved meanwhile", new.id))
        })?;
        let (from, to, step) = way;
        let data = json!({
            "position": position, "from": from, "to": to, "owner": new.owner,
            "remedy": new.action, "amount_fen": new.amount, "refund_id": new.refund_id,
            "other_id": new.other_id, "reason": audit::stands_for(&self.hub.sealer, new.reason),
        });
        let action = format!("difference.{step}");
        self.acts.push(Act::of(&self.by, &action, new.id, data));
        if from != to && (to.is_over() || step == DifferenceStep::Reopened) {
            self.moved.push(new.id.to_owned());
        }
        Ok(position)
    }
}

fn after(found: &Difference, step: DifferenceStep) -> Result<DifferenceState, Fault> {
    found.status.after(step).map_err(|error| {
        Fault::conflict("difference_conflict", format!("difference {}: {error}", found.id))
    })
}

/// What the constraints say where two came at once, or somebody's hand was there before.
fn refused(error: StoreError, id: &str) -> Fault {
    match error.constraint() {
        Some("nobody_approves_what_he_proposed" | "nobody_takes_a_write_off_up_again_alone") => {
            Fault::conflict("same_person", "another must agree to what one proposed")
        }
        Some(
            rule @ ("difference_steps_pkey"
            | "what_is_over_is_taken_up_again_first"
            | "nothing_is_over_before_another_agreed"
            | "a_write_off_is_what_was_agreed_to"
            | "a_difference_is_resolved_as_was_agreed_to"
            | "a_forced_match_is_of_two_sides"
            | "a_forced_match_ends_nothing_that_others_agreed_to"
            | "one_standing_difference_a_fingerprint"),
        ) => Fault::conflict("difference_conflict", format!("difference {id}: {rule}")),
        _ => error.into(),
    }
}
