//! Remittances to the treasury (缴库): the office tells which fees it paid over, and from then on
//! their money comes back only through the treasury. A remittance is a fact and is never undone: one
//! that was told of wrong fees is taken back by another fact, its reversal.

use std::collections::{BTreeMap, BTreeSet};

use domain::Fen;
use domain::ids::{ApplicationId, FeeId, MerchantId, RemittanceId};
use domain::journal::Share;
use domain::time::{business_day, day_start};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use crate::answering::Answering;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, RecordError, commit};
use crate::store::remittances::{self, NewRemittance, OpenShare, RemittanceRecord};
use crate::store::{StoreError, Transaction, fees};

/// The most fees of one remittance.
const MOST_FEES: usize = 1000;
/// The longest reference, in characters.
const LONGEST_REFERENCE: usize = 64;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// `POST /v1/remittances`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemittanceRequest {
    /// On which day the money left for the treasury.
    #[serde(deserialize_with = "domain::time::read_day")]
    pub remitted_on: Date,
    /// The number of the paper that it left with.
    pub reference: String,
    /// Which fees, each with all that was collected and is not being refunded.
    pub fee_ids: Vec<FeeId>,
}

/// `POST /v1/remittances/{id}/reverse`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversalRequest {
    /// What was told wrongly.
    pub reason: String,
}

/// What telling of a remittance gave.
#[derive(Clone, Debug)]
pub enum Remitted {
    /// A new one.
    New(Box<RemittanceRecord>),
    /// The one with that reference, day and fees.
    Same(Box<RemittanceRecord>),
}

/// Writes a remittance down.
///
/// # Errors
/// 409 the reference is used for something else; 422 with `fee_id` for a fee that is not there or
/// has nothing to remit.
pub async fn remit(
    hub: &Hub,
    application: &ApplicationId,
    request: &RemittanceRequest,
    answering: Option<&Answering<'_, RemittanceRecord>>,
) -> Result<Remitted, Fault> {
    let now = hub.clock.now();
    check(request, now)?;
    if let Some(same) = known(hub, application, request).await? {
        return Ok(Remitted::Same(Box::new(same)));
    }
    match write(hub, application, request, answering).await {
        // The same told twice at once: the first one wrote it, and left nothing to the second.
        Err(unwritten) => match (known(hub, application, request).await?, unwritten) {
            (Some(same), _) => Ok(Remitted::Same(Box::new(same))),
            (None, Unwritten::Raced) => {
                Err(Fault::unavailable("the remittance is being written; ask again"))
            }
            (None, Unwritten::Fault(fault)) => Err(*fault),
        },
        Ok(remittance) => Ok(Remitted::New(Box::new(remittance))),
    }
}

/// A remittance of an application.
///
/// # Errors
/// 404 when there is none.
pub async fn get(
    hub: &Hub,
    application: &ApplicationId,
    id: &str,
) -> Result<RemittanceRecord, Fault> {
    let client = hub.store.client().await?;
    remittances::by_ids(&client, &[id])
        .await?
        .pop()
        .filter(|remittance| remittance.application_id == *application)
        .ok_or_else(|| Fault::not_found("remittance"))
}

/// Takes a remittance back that was told of wrong fees: their money is at the office again, in the
/// books, as it always was.
///
/// # Errors
/// 404 no such remittance, 409 it was taken back before, or refunds by the treasury rest on it.
pub async fn reverse(
    hub: &Hub,
    application: &ApplicationId,
    id: &str,
    request: &ReversalRequest,
    answering: Option<&Answering<'_, RemittanceRecord>>,
) -> Result<RemittanceRecord, Fault> {
    let reason = request.reason.trim();
    let length = reason.chars().count();
    if length == 0 || length > LONGEST_REASON || reason.chars().any(char::is_control) {
        let detail =
            format!("reason must have 1 to {LONGEST_REASON} characters and no control characters");
        return Err(Fault::invalid("reason_needed", detail));
    }
    let remittance = get(hub, application, id).await?;
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let of: Vec<&str> = remittance.fees.iter().map(|share| share.fee_id.as_str()).collect();
    fees::lock(&tx, application, &of).await?;
    if !remittances::reverse(&tx, &remittance.id, reason, now).await? {
        let detail = format!("remittance {id} was taken back before");
        return Err(Fault::conflict("remittance_reversed", detail));
    }
    let mut effects = Effects::new(now);
    for (merchant, shares) in by_merchant(&remittances::taken(&tx, &remittance.id).await?) {
        effects.reverse_remittance(merchant, &remittance.id, &shares)?;
    }
    let then = written(&tx, &remittance.id, answering).await?;
    match commit(hub, tx, effects).await {
        Err(RecordError::Store(error))
            if error.constraint() == Some("the_treasury_gives_back_only_what_was_remitted") =>
        {
            let detail = "refunds by the treasury rest on it: reject them first";
            return Err(Fault::conflict("remittance_in_use", detail));
        }
        done => done?,
    }
    Ok(then)
}

/// A remittance as a transaction has written it; who asked is answered in the same.
async fn written(
    tx: &Transaction<'_>,
    id: &RemittanceId,
    answering: Option<&Answering<'_, RemittanceRecord>>,
) -> Result<RemittanceRecord, Fault> {
    let found = remittances::by_ids(tx, &[id.as_str()]).await?.pop();
    let found = found.ok_or_else(|| Fault::not_found("remittance"))?;
    if let Some(answering) = answering {
        answering.settle(tx, &found).await?;
    }
    Ok(found)
}

fn check(request: &RemittanceRequest, now: Timestamp) -> Result<(), Fault> {
    if request.remitted_on > business_day(now) {
        return Err(Fault::invalid("remitted_on_invalid", "remitted_on is in the future"));
    }
    let length = request.reference.trim().chars().count();
    let odd = request.reference.chars().any(char::is_control);
    if length == 0 || length > LONGEST_REFERENCE || odd {
        return Err(Fault::invalid(
            "reference_invalid",
            format!(
                "reference must have 1 to {LONGEST_REFERENCE} characters and no control characters"
            ),
        ));
    }
    if request.fee_ids.is_empty() || request.fee_ids.len() > MOST_FEES {
        let detail = format!("fee_ids must name 1 to {MOST_FEES} fees");
        return Err(Fault::invalid("fee_ids_invalid", detail));
    }
    let mut seen = BTreeSet::new();
    match request.fee_ids.iter().find(|fee| !seen.insert(*fee)) {
        Some(twice) => Err(of_fee("fee_ids_invalid", twice, "stands twice")),
        None => Ok(()),
    }
}

/// A refusal that names its fee.
fn of_fee(code: &'static str, fee_id: &FeeId, what: &str) -> Fault {
    Fault::invalid(code, format!("fee {fee_id} {what}")).with("fee_id", fee_id.as_str())
}

async fn known(
    hub: &Hub,
    application: &ApplicationId,
    request: &RemittanceRequest,
) -> Result<Option<RemittanceRecord>, Fault> {
    let client = hub.store.client().await?;
    let reference = request.reference.trim();
    let Some(there) = remittances::by_reference(&client, application, reference).await? else {
        return Ok(None);
    };
    let of: BTreeSet<&FeeId> = there.fees.iter().map(|share| &share.fee_id).collect();
    if there.remitted_on != request.remitted_on || of != request.fee_ids.iter().collect() {
        return Err(Fault::conflict(
            "reference_reused",
            format!("reference {reference} was used for another day or other fees"),
        ));
    }
    Ok(Some(there))
}

/// Why a remittance was not written.
enum Unwritten {
    /// The same reference came first.
    Raced,
    /// It may not be.
    Fault(Box<Fault>),
}

impl<F: Into<Fault>> From<F> for Unwritten {
    fn from(fault: F) -> Self {
        Self::Fault(Box::new(fault.into()))
    }
}

async fn write(
    hub: &Hub,
    application: &ApplicationId,
    request: &RemittanceRequest,
    answering: Option<&Answering<'_, RemittanceRecord>>,
) -> Result<RemittanceRecord, Unwritten> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let wanted: Vec<&str> = request.fee_ids.iter().map(FeeId::as_str).collect();
    let locked = fees::lock(&tx, application, &wanted).await?;
    let there = |fee: &FeeId| locked.iter().any(|balance| balance.fee_id == *fee);
    if let Some(missing) = request.fee_ids.iter().find(|fee| !there(fee)) {
        return Err(of_fee("fee_unknown", missing, "is not there").into());
    }
    // Read after locking: refunds and payments of these fees wait until this is written.
    let open = remittances::open(&tx, &wanted).await?;
    let shares: Vec<OpenShare> = open.into_iter().filter(|share| share.open > Fen::ZERO).collect();
    for fee in &request.fee_ids {
        let mut of_it = shares.iter().filter(|share| share.fee_id == *fee).peekable();
        if of_it.peek().is_none() {
            let what = "has nothing to remit: nothing is collected that is not being refunded or \
                        was not remitted before";
            return Err(of_fee("nothing_to_remit", fee, what).into());
        }
        if of_it.any(|share| business_day(share.paid_at) > request.remitted_on) {
            return Err(of_fee("remitted_on_invalid", fee, "was paid after remitted_on").into());
        }
    }
    let amount = Fen::sum(shares.iter().map(|share| share.open))
        .ok_or_else(|| Fault::invalid("amount_invalid", "the fees are too much for one sum"))?;
    let id = RemittanceId::new(Uuid::now_v7());
    let now = hub.clock.now();
    let new = NewRemittance {
        remittance_id: &id,
        application_id: application,
        reference: request.reference.trim(),
        remitted_on: request.remitted_on,
        amount,
        now,
        shares: &shares,
    };
    match remittances::insert(&tx, &new).await {
        Err(error) if error.constraint() == Some("a_remittance_reference_is_used_once") => {
            return Err(Unwritten::Raced);
        }
        done => done?,
    }
    let mut effects = Effects::new(now);
    for (merchant, shares) in by_merchant(&shares) {
        effects.remit(merchant, &id, &shares, day_start(request.remitted_on))?;
    }
    let remittance = written(&tx, &id, answering).await?;
    commit(hub, tx, effects).await?;
    Ok(remittance)
}

/// What of which fee came through which merchant; a fee that several payments paid is one line.
fn by_merchant(shares: &[OpenShare]) -> BTreeMap<&MerchantId, Vec<Share>> {
    let mut lines = BTreeMap::<&MerchantId, BTreeMap<&FeeId, Fen>>::new();
    for share in shares {
        let sum = lines.entry(&share.merchant_id).or_default().entry(&share.fee_id).or_default();
        *sum = sum.plus(share.open).unwrap_or(*sum);
    }
    let share =
        |(fee, amount): (&FeeId, Fen)| Share { fee_id: Some(fee.clone()), amount_fen: amount };
    lines.into_iter().map(|(of, fees)| (of, fees.into_iter().map(share).collect())).collect()
}
