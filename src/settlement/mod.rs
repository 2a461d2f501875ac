//! What providers are expected to settle of each bill day (应到账), and which credits at the bank are
//! that: made from reconciled bills, matched to the fen, and posted where it is clear.

mod arrive;
mod expect;
mod foresee;
pub mod model;
mod remitted;

use domain::Fen;
use domain::ids::{IncidentId, MerchantId};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, commit};
use crate::store::incidents::{self, NewIncident};
use crate::store::settlements::{self, Late};
use crate::store::{StoreError, Transaction, bank};

pub(crate) use arrive::{By, arrived, match_open};
pub(crate) use expect::expect;
pub(crate) use foresee::{Coming, foresee};
pub use model::{Arrival, Changed, Figures, SettlementDay};

/// What the rows of a bill move: the sums, and each row's order number with its signed amount.
#[derive(Debug, Default)]
pub(crate) struct BillMoves<'a> {
    /// The sums.
    pub(crate) figures: Figures,
    /// The order numbers.
    pub(crate) numbers: Vec<&'a str>,
    /// What each adds to the settlement.
    pub(crate) amounts: Vec<i64>,
}

/// Matches whatever is open, in a transaction of its own.
///
/// # Errors
/// When the database does not answer. What was not matched is matched the next time.
pub(crate) async fn match_again(hub: &Hub) -> Result<(), Fault> {
    let now = hub.clock.now();
    let foreseen = foresee(hub, Coming::default()).await?;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    bank::in_turn(&tx).await?;
    let mut effects = Effects::new(now);
    match_open(&tx, hub, &mut effects, foreseen, now).await?;
    commit(hub, tx, effects).await?;
    Ok(())
}

/// Until when money must have been due to be late, or a credit must have come to be unknown, as far
/// as the bank's statements reach; `None` before the first.
///
/// # Errors
/// When the database does not answer.
pub async fn told_until(
    client: &impl deadpool_postgres::GenericClient,
    hub: &Hub,
) -> Result<Option<Date>, StoreError> {
    let reach = bank::reach(client).await?;
    Ok(reach.map(|reach| hub.bank.before(reach, reconciliation::settlement::CARRY)))
}

/// Says of each settlement that has not arrived whether the day on which it is due may still move.
pub(crate) fn provisional(hub: &Hub, days: &mut [SettlementDay]) {
    for day in days.iter_mut().filter(|day| day.arrival.is_none()) {
        day.due_is_provisional = hub.bank.due_is_provisional(day.bill_date);
    }
}

/// What is to be told to finance staff.
struct Told<'a> {
    kind: &'a str,
    merchant: &'a MerchantId,
    /// What makes it one cause, behind the kind.
    cause: String,
    detail: String,
}

async fn tell(tx: &Transaction<'_>, told: &Told<'_>, now: Timestamp) -> Result<(), StoreError> {
    let new = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: told.merchant,
        kind: told.kind,
        detail: &told.detail,
        dedupe_key: &format!("{}:{}", told.kind, told.cause),
        order_id: None,
        refund_id: None,
        now,
    };
    incidents::open(tx, &new).await?;
    Ok(())
}

/// Tells of what was due and has not come, once each.
async fn tell_late(
    tx: &Transaction<'_>,
    due: (Date, Date),
    now: Timestamp,
) -> Result<(), StoreError> {
    for late in settlements::late(tx, due).await? {
        let Late { settlement_id, account, merchant_id, day, due_on, net } = &late;
        let told = Told {
            kind: "settlement_late",
            merchant: merchant_id,
            cause: settlement_id.clone(),
            detail: format!(
                "{account}: {} of {day} was due on {due_on} and is in no bank statement",
                amount(*net)
            ),
        };
        tell(tx, &told, now).await?;
    }
    Ok(())
}

fn amount(fen: Fen) -> String {
    format!("{} yuan", fen.yuan())
}
