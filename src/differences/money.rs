//! The rules of money of a remedy: what is written off is what both sides are apart, a refund is of
//! the difference's own order, and a forced match is of two sides that make nothing together.

use deadpool_postgres::Transaction;
use domain::Fen;
use domain::difference::{DifferenceState, DifferenceStep, Remedy};
use domain::ids::{MerchantId, RefundId};

use super::{Doing, Proposal};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, Side};
use crate::store::differences::{self, Difference, Step};

/// Checks what a remedy needs; the other difference of a forced match.
pub(super) async fn check(
    tx: &Transaction<'_>,
    found: &Difference,
    proposal: &Proposal<'_>,
) -> Result<Option<Difference>, Fault> {
    let wrong = |detail: &str| Err(Fault::invalid("remedy_invalid", detail));
    let Proposal { remedy, amount, refund_id, with } = proposal;
    if amount.is_some() && *remedy != Remedy::WriteOff {
        return wrong("only a write_off has an amount");
    }
    match (remedy, refund_id) {
        (Remedy::Refund, None) => return wrong("a refund must be named: --refund ID"),
        (Remedy::Refund, Some(id)) => refund(tx, found, id).await.map(drop)?,
        (_, Some(_)) => return wrong("only the remedy refund names a refund"),
        (_, None) => {}
    }
    match (remedy, with) {
        (Remedy::ForceMatch, None) => wrong("a forced match names the other difference: --with ID"),
        (Remedy::ForceMatch, Some(id)) => {
            let other = super::one(tx, id).await?;
            two_sides(found, &other)?;
            if other.status.is_over() {
                let detail = format!("difference {} is {} already", other.id, other.status);
                return Err(Fault::conflict("difference_conflict", detail));
            }
            Ok(Some(other))
        }
        (_, Some(_)) => wrong("only force_match names another difference"),
        (_, None) => Ok(None),
    }
}

/// How much a write-off is of: all that both sides are apart, neither more nor less.
pub(super) fn amount(found: &Difference, proposal: &Proposal<'_>) -> Result<Option<Fen>, Fault> {
    if proposal.remedy != Remedy::WriteOff {
        return Ok(None);
    }
    let (_, apart) = side(found)?;
    match proposal.amount {
        Some(amount) if amount != apart => {
            let (asked, apart) = (amount.yuan(), apart.yuan());
            let detail =
                format!("{asked} yuan are to be written off, both sides are {apart} apart");
            Err(Fault::invalid("remedy_invalid", detail))
        }
        Some(_) | None => Ok(Some(apart)),
    }
}

fn side(found: &Difference) -> Result<(Side, Fen), Fault> {
    let apart = found.apart();
    match apart.cmp(&Fen::ZERO) {
        std::cmp::Ordering::Greater => Ok((Side::Long, apart)),
        std::cmp::Ordering::Less => Ok((Side::Short, apart.negated().unwrap_or(apart))),
        std::cmp::Ordering::Equal => {
            let detail = format!("difference {}: both sides have the same money", found.id);
            Err(Fault::invalid("remedy_invalid", detail))
        }
    }
}

/// Two differences that are one payment or refund: of one direction and account, each other's
/// opposite.
pub(super) fn two_sides(one: &Difference, other: &Difference) -> Result<(), Fault> {
    let opposite = other.apart().negated() == Some(one.apart()) && one.apart() != Fen::ZERO;
    if one.id != other.id
        && one.direction == other.direction
        && one.merchant_id == other.merchant_id
        && opposite
    {
        return Ok(());
    }
    let detail = format!(
        "{} and {} are not the two sides of one payment or refund: direction, merchant and amount \
         must be the same, one in the books and one in the bill",
        one.id, other.id
    );
    Err(Fault::invalid("remedy_invalid", detail))
}

/// Whether the other side of a forced match may end by it: not while something else is proposed or
/// agreed to there.
pub(super) fn nothing_else_is_agreed(one: &Difference, other: &Difference) -> Result<(), Fault> {
    let stands = matches!(other.status, DifferenceState::Proposed | DifferenceState::Approved);
    let proposal = other.proposal().filter(|_| stands);
    let Some(remedy) = proposal.and_then(|proposal| proposal.action) else { return Ok(()) };
    if proposal.and_then(|proposal| proposal.other_id.as_deref()) == Some(one.id.as_str()) {
        return Ok(());
    }
    let by = proposal.map(|proposal| proposal.by.as_str()).unwrap_or_default();
    let detail = format!(
        "difference {}: {} by {by} is {} there; propose it anew and decline it first",
        other.id,
        remedy.as_str(),
        other.status
    );
    Err(Fault::conflict("difference_conflict", detail))
}

/// Whether what was agreed to ends as it is said to; the other difference of a forced match.
pub(super) async fn resolution<'a>(
    tx: &Transaction<'_>,
    found: &'a Difference,
    doing: Doing<'_>,
) -> Result<Option<&'a str>, Fault> {
    let no = |why: String| {
        Err(Fault::conflict("difference_conflict", format!("difference {}: {why}", found.id)))
    };
    let Some(proposal) = found.proposal() else { return no("nothing was agreed to".to_owned()) };
    let Some(remedy) = proposal.action else { return no("nothing was agreed to".to_owned()) };
    let other = proposal.other_id.as_deref();
    match (doing, remedy) {
        (Doing::ForceMatch { with }, Remedy::ForceMatch) => {
            let named = super::one(tx, with).await?;
            if other != Some(named.id.as_str()) {
                let agreed = other.unwrap_or_default();
                return no(format!("a match with {agreed} was agreed to, not with {with}"));
            }
            Ok(other)
        }
        (Doing::ForceMatch { .. }, _) => no(format!("{} was agreed to", remedy.as_str())),
        (_, Remedy::ForceMatch) => no("force-match does what was agreed to".to_owned()),
        _ if remedy.ends_with() != Some(DifferenceStep::Resolved) => {
            no(format!("{} was agreed to, which resolve does not do", remedy.as_str()))
        }
        (_, Remedy::Refund) => {
            let id = proposal.refund_id.as_deref().unwrap_or_default();
            let state = refund(tx, found, id).await?;
            if state != "succeeded" {
                return no(format!("refund {id} is {state}"));
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// How a refund of the difference's order stands.
async fn refund(tx: &Transaction<'_>, found: &Difference, id: &str) -> Result<String, Fault> {
    let id: RefundId = id.parse().map_err(|_bad| Fault::not_found("refund"))?;
    match differences::refund(tx, id.as_str(), &found.id).await? {
        Some((state, true)) => Ok(state),
        Some((_, false)) => {
            let detail = format!("refund {id} is not of order {}", found.out_trade_no);
            Err(Fault::invalid("remedy_invalid", detail))
        }
        None => Err(Fault::not_found("refund")),
    }
}

/// What is written off now: what was agreed to, while it is still what both sides are apart.
pub(super) fn written_off(found: &Difference) -> Result<(Side, Fen), Fault> {
    let agreed = found.proposal().filter(|step| step.action == Some(Remedy::WriteOff));
    let agreed = agreed.and_then(|step| step.amount_fen);
    let now = side(found)?;
    if agreed == Some(now.1) {
        return Ok(now);
    }
    let detail = match agreed {
        Some(agreed) => format!(
            "difference {}: {} yuan were agreed to, both sides are {} apart now; propose it anew",
            found.id,
            agreed.yuan(),
            now.1.yuan()
        ),
        None => format!("difference {}: no write-off was agreed to", found.id),
    };
    Err(Fault::conflict("difference_conflict", detail))
}

/// In whose journal the money of a difference stands: that of its order, else of its run.
pub(super) async fn journal(
    hub: &Hub,
    tx: &Transaction<'_>,
    found: &Difference,
) -> Result<MerchantId, Fault> {
    let account: Vec<&str> = match hub.merchant(found.merchant_id.as_str()) {
        Some(merchant) => hub.of_one_account(merchant).iter().map(|one| one.id.as_str()).collect(),
        None => vec![found.merchant_id.as_str()],
    };
    let known = differences::journal(tx, &found.id, &account).await?;
    Ok(known.unwrap_or_else(|| found.merchant_id.clone()))
}

/// Takes the entry of a write-off back.
pub(super) fn take_back(found: &Difference, effects: &mut Effects) -> Result<(), Fault> {
    let written = |it: &&Step| it.event == DifferenceStep::WrittenOff;
    let Some(last) = found.steps.iter().rev().find(written) else { return Ok(()) };
    let side = match last.side.as_deref() {
        Some("long") => Side::Long,
        Some(_) | None => Side::Short,
    };
    let (Some(journal), Some(amount)) = (&last.journal, last.amount_fen) else {
        return Err(Fault::internal(&format!("difference {}: a write-off of nothing", found.id)));
    };
    effects.take_back(journal, &format!("{}/{}", found.id, last.position), side, amount);
    Ok(())
}
