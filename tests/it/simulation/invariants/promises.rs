//! What somebody was told is true: every success that the backend was given stands in the books,
//! nothing stands there that nobody asked for, and every callback that its provider saw acknowledged
//! is stored.

use std::collections::BTreeSet;

use sandbox::{DeliveryState, Operation};
use serde_json::Value;

use super::super::backend::{Known, Memory};
use super::super::live::Run;
use super::super::scene::told;
use super::sentences;

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut breaks = Vec::new();
    for memory in run.memory.values() {
        breaks.extend(of_case(run, memory).await?);
    }
    breaks.extend(unasked(run).await?);
    breaks.extend(acknowledged(run).await?);
    Ok(breaks)
}

/// Fees and refunds of which the backend was never told: a request was done twice. What was
/// given back in the portal nobody asked for here, and has no requester.
async fn unasked(run: &Run<'_>) -> Result<Vec<String>, String> {
    let known = |list: fn(&Memory) -> &Vec<Known>| -> BTreeSet<String> {
        run.memory.values().flat_map(list).map(|known| known.id.clone()).collect()
    };
    let fees = sentences(run, "SELECT fee_id FROM fees").await?;
    let refunds = "SELECT refund_id FROM refunds WHERE requested_by <> 'payhub'";
    let refunds = sentences(run, refunds).await?;
    let (known_fees, known_refunds) = (known(|it| &it.fees), known(|it| &it.refunds));
    let fees = fees.into_iter().filter(|id| !known_fees.contains(id));
    let refunds = refunds.into_iter().filter(|id| !known_refunds.contains(id));
    Ok(fees
        .chain(refunds)
        .map(|id| format!("{id} stands in the books and nobody was told of it"))
        .collect())
}

async fn of_case(run: &Run<'_>, memory: &Memory) -> Result<Vec<String>, String> {
    let mut breaks = Vec::new();
    let resources = [
        ("fees", "total_fen", &memory.fees),
        ("orders", "amount_fen", &memory.orders),
        ("refunds", "amount_fen", &memory.refunds),
    ];
    for (what, amount, list) in resources {
        for known in list {
            let path = format!("/v1/{what}/{}", known.id);
            let (status, now) = run.scene.office.get(&path).await.map_err(told)?;
            let is_same =
                status == 200 && now[amount] == known.amount_fen && has_number(&now, known);
            if !is_same {
                breaks.push(format!("{path} was promised as {known:?}, and is {status} {now}"));
            }
        }
    }
    for order in &memory.closed {
        let (_, now) = run.scene.office.get(&format!("/v1/orders/{order}")).await.map_err(told)?;
        let late = now["status"] == "paid" && now["paid_late"] == true;
        if now["status"] != "closed" && !late {
            breaks.push(format!("order {order} was promised to be closed, and is {now}"));
        }
    }
    for fee in &memory.voided {
        let (_, now) = run.scene.office.get(&format!("/v1/fees/{fee}")).await.map_err(told)?;
        if now["status"] != "void" {
            breaks.push(format!("fee {fee} was promised to be void, and is {now}"));
        }
    }
    Ok(breaks)
}

fn has_number(now: &Value, known: &Known) -> bool {
    known.number.is_empty()
        || now["out_refund_no"] == known.number.as_str()
        || now["out_trade_no"] == known.number.as_str()
}

/// Notices of money that were answered with success and are not stored.
async fn acknowledged(run: &Run<'_>) -> Result<Vec<String>, String> {
    let query = "SELECT notice_id FROM callbacks WHERE notice_id IS NOT NULL";
    let stored: BTreeSet<String> = sentences(run, query).await?.into_iter().collect();
    let callbacks = run.scene.office.sandbox.engine().state().callbacks;
    let lost = callbacks.iter().filter(|callback| {
        callback.state == DeliveryState::Acknowledged
            && matches!(callback.operation, Operation::Payment | Operation::Refund)
            && !stored.contains(&callback.event_id)
    });
    Ok(lost
        .map(|callback| {
            format!(
                "notice {} of {:?} was acknowledged and is not stored",
                callback.event_id, callback.out_trade_no
            )
        })
        .collect())
}
