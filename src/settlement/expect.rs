//! What a reconciled bill day is expected to bring: written in the transaction that ends its run, and
//! once, however often the day is run.

use domain::Fen;
use domain::ids::{MerchantId, SettlementId};
use jiff::Timestamp;
use uuid::Uuid;

use super::{BillMoves, Figures, Told, amount, tell};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::runs::RunRecord;
use crate::store::settlements::{self, NewSettlement};
use crate::store::{Transaction, bank, unmatches};

/// Writes what a bill day is expected to bring. Where an earlier version of its run said otherwise,
/// a person is told; where its money has arrived, what is expected now is kept beside it.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn expect(
    tx: &Transaction<'_>,
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    moves: &BillMoves<'_>,
    now: Timestamp,
) -> Result<(), Fault> {
    let payee = merchant.provider.account().payee.as_str();
    let account = format!("{}:{payee}", merchant.provider.provider());
    // Nobody matches what is being changed.
    bank::in_turn(tx).await?;
    let known = settlements::find(tx, &account, run.date).await?;
    if known.as_ref().is_some_and(|known| known.figures == moves.figures) {
        return Ok(());
    }
    let ids: Vec<&str> = hub.of_one_account(merchant).iter().map(|one| one.id.as_str()).collect();
    let found = match ids.as_slice() {
        [_] => vec![(run.merchant_id.clone(), moves.figures.net())],
        several => settlements::by_merchant(tx, (&moves.numbers, &moves.amounts), several).await?,
    };
    let shares = in_order(&run.merchant_id, found);
    let fresh = SettlementId::new(Uuid::now_v7());
    let new = NewSettlement {
        settlement_id: known.as_ref().map_or(&fresh, |known| &known.settlement_id),
        account: &account,
        numbers: &[payee],
        day: run.date,
        due_on: hub.bank.due_on(run.date),
        run_id: &run.id,
        figures: moves.figures,
        shares: &shares,
        now,
    };
    let Some(known) = &known else {
        settlements::insert(tx, &new).await?;
        return Ok(());
    };
    let sums = |of: Figures| {
        let (payments, refunds) = (amount(of.payments), amount(of.refunds));
        format!("payments {payments}, refunds {refunds}, charge {}", amount(of.fee))
    };
    let what = if known.has_arrived {
        "its money has arrived for what was expected before; the difference stands with that day until \
         its match is taken back (payhub bank unmatch) and confirmed anew"
    } else {
        "what is expected is changed"
    };
    let told = Told {
        kind: "settlement_changed",
        merchant: &run.merchant_id,
        cause: format!("{}:{}", known.settlement_id, run.id),
        detail: format!(
            "{account}: version {} of {} says {}, before it was {}; {what}",
            run.version,
            run.date,
            sums(moves.figures),
            sums(known.figures)
        ),
    };
    tell(tx, &told, now).await?;
    if known.has_arrived {
        unmatches::revise(tx, &new).await?;
    } else {
        let of = (new.settlement_id.as_str(), run.id.as_str());
        settlements::rewrite(tx, of, new.figures, new.shares).await?;
    }
    Ok(())
}

/// The shares with that of the run's merchant first, be it nothing.
fn in_order(first: &MerchantId, found: Vec<(MerchantId, Fen)>) -> Vec<(MerchantId, Fen)> {
    let own = found.iter().find(|(merchant, _)| merchant == first);
    let mut shares = vec![(first.clone(), own.map_or(Fen::ZERO, |(_, net)| *net))];
    shares.extend(found.into_iter().filter(|(merchant, _)| merchant != first));
    shares
}
