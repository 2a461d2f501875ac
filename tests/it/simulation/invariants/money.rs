//! Every fen that the providers moved is in the books once, or somebody has been told of it; and the
//! books hold nothing that the providers did not move.

use std::collections::{BTreeMap, BTreeSet};

use domain::bill::Direction;
use domain::time::business_day;

use super::super::live::Run;

/// What somebody has been told of: numbers in open incidents and differences of the newest runs.
async fn known_to_finance(run: &Run<'_>) -> Result<BTreeSet<String>, String> {
    let query = "SELECT d.out_trade_no, d.out_refund_no, d.provider_trade_no
                   FROM differences d JOIN runs r USING (run_id)
                  WHERE d.cause <> '' AND d.proposed_action <> '' AND r.version = (
                        SELECT max(version) FROM runs v WHERE (v.merchant_id, v.bill_date) = (r.merchant_id, r.bill_date))";
    let mut known = BTreeSet::new();
    for row in run.scene.rows(query).await? {
        for column in 0..3 {
            known.extend(row.get::<_, Option<String>>(column));
        }
    }
    Ok(known)
}

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let state = run.scene.office.sandbox.engine().state();
    let told = known_to_finance(run).await?;
    let mut breaks = Vec::new();
    let mut booked = payments(run).await?;
    let mut given_back = refunds(run).await?;
    for moved in &state.moves {
        let fen = moved.amount_fen.get();
        match (moved.direction, &moved.out_refund_no) {
            (Direction::Payment, _) => {
                let entry = booked.remove(&moved.provider_trade_no);
                let right = entry == Some((moved.out_trade_no.clone(), fen));
                let is_told = entry.is_none() && told.contains(&moved.provider_trade_no);
                if !(right || is_told) {
                    breaks.push(format!(
                        "payment {} of {fen} fen for order {} moved, booked is {entry:?}",
                        moved.provider_trade_no, moved.out_trade_no
                    ));
                }
            }
            (Direction::Refund, number) => {
                let number = number.clone().unwrap_or_default();
                let entry = given_back.remove(&number);
                let right =
                    entry == Some((moved.out_trade_no.clone(), fen, "succeeded".to_owned()));
                let by_hand = entry.is_none() && run.by_hand.contains(&(number.clone(), fen));
                // A day whose provider says that it was empty hides what only its bill could tell.
                let is_hidden = run.denied(&moved.merchant, business_day(moved.at));
                if !(right || by_hand && (told.contains(&number) || is_hidden)) {
                    breaks.push(format!(
                        "refund {number} of {fen} fen for order {} moved, booked is {entry:?}",
                        moved.out_trade_no
                    ));
                }
            }
        }
    }
    for (number, (order, fen)) in booked {
        breaks.push(format!(
            "payment {number} of {fen} fen for order {order} is booked and never moved"
        ));
    }
    let standing: BTreeMap<&str, &str> =
        state.refunds.iter().map(|it| (it.out_refund_no.as_str(), it.state)).collect();
    for (number, (order, fen, state)) in given_back {
        let at_provider = standing.get(number.as_str()).copied();
        let fits = match state.as_str() {
            "succeeded" => false,
            "abnormal" => at_provider == Some("abnormal"),
            "failed" => matches!(at_provider, None | Some("closed")),
            "declined" | "pending_approval" => at_provider.is_none(),
            _ => false,
        };
        if !fits {
            breaks.push(format!(
                "refund {number} of {fen} fen for order {order} is {state}, at its provider {at_provider:?}"
            ));
        }
    }
    Ok(breaks)
}

/// Booked payments by the provider's number: order number and amount.
async fn payments(run: &Run<'_>) -> Result<BTreeMap<String, (String, i64)>, String> {
    let query = "SELECT provider_trade_no, out_trade_no, p.amount_fen
                   FROM (SELECT payment_id, provider_trade_no, order_id, amount_fen FROM payments) AS p JOIN
                        (SELECT order_id, out_trade_no FROM orders) AS o USING (order_id)";
    let rows = run.scene.rows(query).await?;
    Ok(rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
}

/// Refunds on record by their number: order number, amount, state.
async fn refunds(run: &Run<'_>) -> Result<BTreeMap<String, (String, i64, String)>, String> {
    let query = "SELECT r.out_refund_no, o.out_trade_no, r.amount_fen, r.state FROM refunds r JOIN orders o USING (order_id)";
    let rows = run.scene.rows(query).await?;
    Ok(rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect())
}
