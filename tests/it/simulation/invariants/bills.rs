//! Every day of each merchant is reconciled, once a version; and the last word on it names exactly
//! what was spoiled in its bill or done past the hub, and nothing else.

use std::collections::BTreeSet;

use domain::bill::Direction;
use domain::time::business_day;
use jiff::civil::Date;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::Snapshot;

use super::super::faults::MCHID;
use super::super::live::Run;
use super::super::spoil::Planted;
use super::sentences;

/// A difference: its kind, and the number of the order or refund that it is about.
type Found = BTreeSet<(String, String)>;

/// Each gives a sentence a row for what may not be.
const RULES: [&str; 3] = [
    "SELECT merchant_id || ' ' || bill_date || ' has ' || count(*) || ' runs, the newest is version ' || max(version) FROM runs
      GROUP BY merchant_id, bill_date HAVING count(*) <> max(version)",
    "SELECT 'run ' || run_id || ' of ' || merchant_id || ' ' || bill_date || ' is ' || status || ' with ' || found || ' differences' FROM (
        SELECT r.*, (SELECT count(*) FROM differences d WHERE d.run_id = r.run_id) AS found FROM runs r) AS runs
      WHERE (status = 'balanced' AND found > 0) OR (status = 'unbalanced' AND found = 0)",
    "SELECT 'difference ' || difference_id || ' has no cause or no proposed action' FROM differences
      WHERE cause = '' OR proposed_action = ''",
];

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut breaks = Vec::new();
    for rule in RULES {
        breaks.extend(sentences(run, rule).await?);
    }
    let state = run.scene.office.sandbox.engine().state();
    let mut unbooked = unbooked(run, &state).await?;
    unbooked.extend(left_to_people(run).await?);
    for day in &run.plan.days {
        for merchant in [WECHAT, ALIPAY] {
            breaks.extend(of_day(run, &state, &unbooked, merchant, *day).await?);
        }
    }
    Ok(breaks)
}

/// The second payments of an order of which nobody ever told and no query can: only a bill has them.
async fn unbooked(run: &Run<'_>, state: &Snapshot) -> Result<BTreeSet<String>, String> {
    let booked = sentences(run, "SELECT provider_trade_no FROM payments").await?;
    let booked: BTreeSet<String> = booked.into_iter().collect();
    let payments = state.moves.iter().filter(|moved| moved.direction == Direction::Payment);
    let numbers = payments.map(|moved| moved.provider_trade_no.clone());
    Ok(numbers.filter(|number| !booked.contains(number)).collect())
}

/// The refunds made in the portal that no bill could book: their numbers.
async fn left_to_people(run: &Run<'_>) -> Result<Vec<String>, String> {
    let booked =
        sentences(run, "SELECT out_refund_no FROM refunds WHERE origin = 'portal'").await?;
    let numbers = run.by_hand.iter().map(|(number, _)| number.clone());
    Ok(numbers.filter(|number| !booked.contains(number)).collect())
}

async fn of_day(
    run: &Run<'_>,
    state: &Snapshot,
    unbooked: &BTreeSet<String>,
    merchant: &str,
    day: Date,
) -> Result<Vec<String>, String> {
    let newest = format!(
        "SELECT run_id FROM runs WHERE merchant_id = '{merchant}' AND bill_date = '{day}' ORDER BY version DESC LIMIT 1"
    );
    let Some(newest) = sentences(run, &newest).await?.pop() else {
        return Ok(vec![format!("{merchant} {day} was never reconciled")]);
    };
    let found = found(run, &newest).await?;
    let wanted = wanted(run, state, unbooked, merchant, day);
    let missed =
        wanted.difference(&found).map(|it| format!("{merchant} {day}: {it:?} was not found"));
    let false_alarms =
        found.difference(&wanted).map(|it| format!("{merchant} {day}: {it:?} has no cause here"));
    Ok(missed.chain(false_alarms).collect())
}

/// The differences and doubts of a run.
async fn found(run: &Run<'_>, newest: &str) -> Result<Found, String> {
    let query = format!(
        "SELECT kind, COALESCE(out_refund_no, out_trade_no) FROM differences WHERE run_id = '{newest}' UNION ALL
         SELECT kind, COALESCE(out_refund_no, out_trade_no) FROM doubts WHERE run_id = '{newest}'"
    );
    Ok(run.scene.rows(&query).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// What must be found on a day.
fn wanted(
    run: &Run<'_>,
    state: &Snapshot,
    unbooked: &BTreeSet<String>,
    merchant: &str,
    day: Date,
) -> Found {
    let account = |of: &str| if of == MCHID { WECHAT } else { ALIPAY };
    let planted: Vec<&Planted> =
        run.planted.iter().filter(|it| it.merchant == merchant && it.day == day).collect();
    let is_empty = planted.iter().any(|it| it.kind == "empty");
    let mut wanted = Found::new();
    if is_empty {
        // Everything of the day is missing in the bill, also what was refunded.
        let payments = state.moves.iter().filter(|moved| {
            moved.direction == Direction::Payment
                && account(&moved.merchant) == merchant
                && business_day(moved.at) == day
                && !unbooked.contains(&moved.provider_trade_no)
        });
        wanted.extend(payments.map(|moved| ("only_in_hub".to_owned(), moved.out_trade_no.clone())));
        let refunds = state.refunds.iter().filter(|refund| {
            account(&refund.merchant) == merchant
                && business_day(refund.accepted_at) == day
                && !unbooked.contains(&refund.out_refund_no)
                && matches!(refund.state, "succeeded" | "abnormal")
        });
        wanted.extend(refunds.map(|it| ("only_in_hub".to_owned(), it.out_refund_no.clone())));
        return wanted;
    }
    wanted.extend(planted.iter().map(|it| (it.kind.to_owned(), it.out_trade_no.clone())));
    let by_hand = state.refunds.iter().filter(|refund| {
        account(&refund.merchant) == merchant
            && business_day(refund.accepted_at) == day
            && unbooked.contains(&refund.out_refund_no)
    });
    wanted.extend(by_hand.map(|it| ("only_in_bill".to_owned(), it.out_refund_no.clone())));
    // The payer's account refused it: the bill says so, and a person has it to do.
    let stuck = state.refunds.iter().filter(|refund| {
        account(&refund.merchant) == merchant
            && business_day(refund.accepted_at) == day
            && refund.state == "abnormal"
    });
    wanted.extend(stuck.map(|it| ("state_differs".to_owned(), it.out_refund_no.clone())));
    let unheard = state.moves.iter().filter(|moved| {
        unbooked.contains(&moved.provider_trade_no)
            && account(&moved.merchant) == merchant
            && business_day(moved.at) == day
    });
    wanted.extend(unheard.map(|moved| ("only_in_bill".to_owned(), moved.out_trade_no.clone())));
    wanted
}
