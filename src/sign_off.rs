//! Sign-off of a day's reconciliation: one person prepares it, another reviews it, and then it is
//! locked with its papers as they are. Two people open it again; that begins a new version.

use domain::ids::RunId;
use domain::sign_off::{SignOff, SignOffStep};
use domain::user::{UserAct, UserRole, folded};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::reconcile;
use crate::report::{self, Report, SignaturePaper};
use crate::store::runs::{self, RunRecord};
use crate::store::sign_offs::{self, Signature, ToSign};
use crate::store::{StoreError, Transaction};
use crate::users;

/// Who does what to the sign-off of a run.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// What is done.
    pub step: SignOffStep,
    /// Who does it.
    pub by: &'a str,
    /// Why, where that must be said.
    pub reason: Option<&'a str>,
}

/// Nobody signs a report whose sums are not what its rows come to.
async fn foots(hub: &Hub, run_id: &str, step: SignOffStep) -> Result<(), Fault> {
    let is_signed = matches!(step, SignOffStep::Prepared | SignOffStep::Reviewed);
    if !is_signed || reconcile::report(hub, &[run_id]).await?.foots() {
        return Ok(());
    }
    let detail = format!("run {run_id}: the sums of its report are not what its rows come to");
    Err(Fault::conflict("report_does_not_foot", detail))
}

/// Takes a step of a run's sign-off; the run as it is then. One that was opened again has a new
/// version, which is begun.
///
/// # Errors
/// 403 a user who may not, 404 no such run, 409 where it cannot be signed so now, 422 a name or reason
/// that is none.
pub async fn sign(hub: &Hub, run_id: &str, signing: &Signing<'_>) -> Result<RunRecord, Fault> {
    check(signing)?;
    let run = reconcile::load(hub, run_id).await?;
    foots(hub, run_id, signing.step).await?;
    let now = hub.clock.now();
    // Written before anything is locked: it takes its time, and what is signed cannot change.
    let papers = match signing.step {
        SignOffStep::Reviewed => Some(papers(hub, run_id, signing, now).await?),
        SignOffStep::Prepared
        | SignOffStep::Returned
        | SignOffStep::ReopenAsked
        | SignOffStep::Reopened => None,
    };
    let merchant = hub.merchant(run.merchant_id.as_str()).ok_or_else(|| {
        // Without it nobody knows whose days are the same account's, nor whose office it is.
        let detail =
            format!("{} is not configured here, so nothing of it is signed", run.merchant_id);
        Fault::invalid("merchant_unknown", detail)
    })?;
    let merchants = hub.of_one_account(merchant);
    let account: Vec<&str> = merchants.iter().map(|one| one.id.as_str()).collect();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let by = users::permit(&tx, signing.by, act(signing.step)).await?;
    let signing = &Signing { by: &by, ..*signing };
    sign_offs::hold_day(&tx, &account, run.date).await?;
    let found = sign_offs::lock(&tx, run_id, &account).await?;
    let found = found.ok_or_else(|| Fault::not_found("reconciliation"))?;
    let before = sign_offs::list(&tx, run_id).await?;
    let (to, report_sha256) = next(run_id, &found, &before, signing)?;
    if papers.as_ref().is_some_and(|papers| papers.signatures != before.len().saturating_add(1)) {
        let detail = format!("run {run_id}: somebody else has signed meanwhile; look at it again");
        return Err(Fault::conflict("sign_off_conflict", detail));
    }
    if to == SignOff::Reopened {
        one_is_a_reviewer(&tx, &before, signing).await?;
    }
    let signature = Signature {
        event: signing.step.as_str().to_owned(),
        by: signing.by.trim().to_owned(),
        reason: signing.reason.map(|reason| reason.trim().to_owned()),
        report_sha256,
        signed_at: now,
    };
    let step = (found.sign_off, to, signing.step);
    let signed = sign_offs::sign(&tx, (run_id, &account), step, &signature).await;
    if !signed.map_err(two_people)? {
        return Err(overtaken(run_id));
    }
    if let Some(papers) = &papers {
        sign_offs::keep(&tx, run_id, &papers.forms).await?;
    }
    if to == SignOff::Reopened {
        let first = merchants.first().map_or(&run.merchant_id, |first| &first.id);
        let new = RunId::new(Uuid::now_v7());
        runs::create(&tx, &new, (first, &account), (run.date, true), hub.clock.now()).await?;
    }
    let data = json!({
        "position": before.len().saturating_add(1), "from": found.sign_off, "to": to,
        "report_sha256": hexadecimal(&signature.report_sha256),
        "reason": audit::stands_for(&hub.sealer, signature.reason.as_deref()),
    });
    let act = Act::of(&signature.by, &format!("run.{}", signing.step), run_id, data);
    audit::write_down(&tx, &hub.sealer, &[act], signature.signed_at).await?;
    tx.commit().await.map_err(StoreError::from)?;
    drop(client);
    hub.signals.wake_reconcile();
    reconcile::load(hub, run_id).await
}

/// What a user must be allowed to do for a step.
const fn act(step: SignOffStep) -> UserAct {
    match step {
        SignOffStep::Prepared => UserAct::PrepareRun,
        SignOffStep::Reviewed => UserAct::ReviewRun,
        SignOffStep::Returned => UserAct::ReturnRun,
        SignOffStep::ReopenAsked | SignOffStep::Reopened => UserAct::ReopenRun,
    }
}

/// Of the two who open a signed run again, one must be a reviewer.
async fn one_is_a_reviewer(
    tx: &Transaction<'_>,
    before: &[Signature],
    signing: &Signing<'_>,
) -> Result<(), Fault> {
    let asked = before.iter().rev().find(|it| it.event == SignOffStep::ReopenAsked.as_str());
    for by in asked.map(|it| it.by.as_str()).into_iter().chain([signing.by]) {
        if users::has_role(tx, by, UserRole::Reviewer).await? {
            return Ok(());
        }
    }
    let detail = "of the two who open a signed run again, one must be a reviewer";
    Err(Fault::forbidden("user_not_allowed", detail))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who signed a run, in order.
///
/// # Errors
/// 404 no such run.
pub async fn signatures(hub: &Hub, run_id: &str) -> Result<Vec<Signature>, Fault> {
    reconcile::load(hub, run_id).await?;
    Ok(sign_offs::list(&hub.store.client().await?, run_id).await?)
}

/// A paper of a run as it was signed; none before it was reviewed.
///
/// # Errors
/// When the database does not answer.
pub async fn signed_paper(hub: &Hub, run_id: &str, form: &str) -> Result<Option<Vec<u8>>, Fault> {
    Ok(sign_offs::paper(&hub.store.client().await?, run_id, form).await?)
}

fn check(signing: &Signing<'_>) -> Result<(), Fault> {
    users::named("by", signing.by)?;
    match signing.reason {
        Some(reason) => users::reasoned(reason).map(drop),
        None if signing.step.needs_reason() => {
            let detail = format!("{} needs a reason", signing.step);
            Err(Fault::invalid("reason_missing", detail))
        }
        None => Ok(()),
    }
}

/// How far a run is signed after a step, and the digest that is signed.
fn next(
    run_id: &str,
    found: &ToSign,
    before: &[Signature],
    signing: &Signing<'_>,
) -> Result<(SignOff, Vec<u8>), Fault> {
    let Some(digest) = &found.report_sha256 else {
        return Err(Fault::conflict("run_not_ended", format!("run {run_id} is {}", found.status)));
    };
    let to = found
        .sign_off
        .after(signing.step)
        .map_err(|error| Fault::conflict("sign_off_conflict", format!("run {run_id}: {error}")))?;
    if found.is_overtaken {
        return Err(overtaken(run_id));
    }
    let built_on = signing.step.builds_on().map(|on| {
        let by = before.iter().rev().find(|known| known.event == on.as_str());
        (on, by)
    });
    match built_on {
        Some((on, None)) => {
            let detail = format!("run {run_id}: nobody has {on} it yet");
            return Err(Fault::conflict("sign_off_conflict", detail));
        }
        Some((on, Some(theirs))) if folded(&theirs.by) == folded(signing.by) => {
            let detail =
                format!("run {run_id}: {} has {on} it; another must be the second", theirs.by);
            return Err(Fault::conflict("same_person", detail));
        }
        Some((SignOffStep::Prepared, Some(theirs))) if theirs.report_sha256 != *digest => {
            let detail = format!("run {run_id} is not what {} prepared", theirs.by);
            return Err(Fault::conflict("report_changed", detail));
        }
        Some(_) | None => {}
    }
    let signs = matches!(signing.step, SignOffStep::Prepared | SignOffStep::Reviewed);
    if signs && !found.has_head {
        let detail = format!(
            "run {run_id}: the journal has not the head that its report names; run payhub verify-ledger"
        );
        return Err(Fault::conflict("journal_differs", detail));
    }
    Ok((to, digest.clone()))
}

fn overtaken(run_id: &str) -> Fault {
    Fault::conflict(
        "run_overtaken",
        format!("run {run_id} is not the newest version of its day; sign that one"),
    )
}

/// What the constraints say when two sign at once.
fn two_people(error: StoreError) -> Fault {
    match error.constraint() {
        Some("nobody_reviews_what_he_prepared" | "nobody_reopens_a_run_alone") => {
            Fault::conflict("same_person", "another must be the second")
        }
        _ => error.into(),
    }
}

/// The papers of a run as they are kept.
struct Kept {
    /// Form and bytes.
    forms: Vec<(&'static str, Vec<u8>)>,
    /// How many signatures they show.
    signatures: usize,
}

/// The papers of a run with all signatures under it, that of its reviewer the last.
async fn papers(
    hub: &Hub,
    run_id: &str,
    signing: &Signing<'_>,
    now: Timestamp,
) -> Result<Kept, Fault> {
    let client = hub.store.client().await?;
    let by = users::permit(&client, signing.by, act(signing.step)).await?;
    drop(client);
    let mut found = reconcile::report(hub, &[run_id]).await?;
    let (run_id, event) = (run_id.to_owned(), signing.step.as_str().to_owned());
    found.signatures.push(SignaturePaper { run_id, event, by, signed_at: now });
    let signatures = found.signatures.len();
    let forms = tokio::task::spawn_blocking(move || {
        let forms = ["xlsx", "html", "csv", "json"].into_iter();
        forms.map(|form| Ok((form, paper(&found, form)?))).collect::<Result<_, Fault>>()
    });
    let forms = forms.await.map_err(|error| Fault::internal(&error))??;
    Ok(Kept { forms, signatures })
}

/// A report in a form: `xlsx`, `html`, `json`, or `csv` for its differences.
///
/// # Errors
/// When it cannot be written.
pub fn paper(found: &Report, form: &str) -> Result<Vec<u8>, Fault> {
    match form {
        "xlsx" => report::workbook(found).map_err(|error| Fault::internal(&error)),
        "html" => {
            report::page(found).map(String::into_bytes).map_err(|error| Fault::internal(&error))
        }
        "json" => report::report_json(found).map_err(|error| Fault::internal(&error)),
        _ => {
            let findings = found.differences().map(|(_, finding)| finding);
            report::findings_csv(findings).map_err(|error| Fault::internal(&error))
        }
    }
}
