//! A refund that only the bill has (商户平台退款): made in the provider's portal, never asked for here.
//! The provider is asked under the row's refund number; what bill and answer say alike is booked.

use adapters::provider::RefundKey;
use adapters::wire::Outcome;
use domain::fact::{ProviderFact, RefundFact, RefundStanding, Source};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderTradeNo};
use domain::treasury::Route;
use reconciliation::Finding;

use super::answers::{Answers, EXCEEDS, OTHERWISE, Said, TAKEN};
use super::query::{ask_refund, booking, of_standing};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::record::Verdict;
use crate::store::refunds::{self, RefundRecord};

/// Asks for the refund of a row that the bill alone has, of an order of `merchant`; `None`: the row
/// does not say how much was given back.
pub(super) async fn refund(
    hub: &Hub,
    merchant: &Merchant,
    (order, number): (&OutTradeNo, &OutRefundNo),
    found: &Finding,
    answers: &mut Answers,
) -> Result<Option<Said>, Fault> {
    let Some(amount) = found.bill_amount else { return Ok(None) };
    let key = RefundKey { out_trade_no: order, out_refund_no: number, amount };
    let Some(answer) = ask_refund(hub, merchant, &key, &mut answers.turn).await? else {
        return Ok(Some(Said::NotAsked));
    };
    let fact = match answer {
        Outcome::Accepted(Some(fact)) => fact,
        Outcome::Accepted(None) => return Ok(Some(Said::Word("no such refund"))),
        Outcome::Refused(_) | Outcome::Unknown(_) => return Ok(Some(Said::Nothing)),
    };
    let word = of_standing(fact.standing);
    if fact.standing == RefundStanding::Failed {
        return Ok(Some(Said::Word(word)));
    }
    let Some(fact) = agreed(fact, found) else { return Ok(Some(Said::Word(OTHERWISE))) };
    if is_anothers(hub, merchant, order, number).await? {
        return Ok(Some(Said::Word(TAKEN)));
    }
    Ok(Some(match booking(hub, merchant, ProviderFact::Refund(fact), Source::Bill).await? {
        // Booked by somebody else meanwhile is booked.
        Some(Verdict::Applied | Verdict::Known) => {
            answers.repaired = true;
            Said::Word(word)
        }
        Some(Verdict::Incident) | None => Said::Word(EXCEEDS),
    }))
}

/// What the answer states, with what the bill alone says about it; `None` where they contradict each
/// other. The answer must state the amount itself: a question answers nothing.
fn agreed(mut fact: RefundFact, found: &Finding) -> Option<RefundFact> {
    if fact.amount != found.bill_amount {
        return None;
    }
    if !found.provider_trade_no.is_empty() {
        let listed: ProviderTradeNo = found.provider_trade_no.parse().ok()?;
        if *fact.provider_trade_no.get_or_insert_with(|| listed.clone()) != listed {
            return None;
        }
    }
    fact.accepted_at.get_or_insert(found.occurred_at);
    Some(fact)
}

/// Whether another refund has that number here: one of another order, for Alipay counts numbers by
/// payment and the hub by merchant, or one that the treasury pays.
async fn is_anothers(
    hub: &Hub,
    merchant: &Merchant,
    order: &OutTradeNo,
    number: &OutRefundNo,
) -> Result<bool, Fault> {
    let client = hub.store.client().await?;
    let Some((refund_id, ..)) = refunds::by_number(&client, &merchant.id, number).await? else {
        return Ok(false);
    };
    let known = refunds::by_ids(&client, &[refund_id.as_str()]).await?;
    let is_its = |it: &RefundRecord| it.out_trade_no == *order && it.route == Route::Provider;
    Ok(!known.iter().any(is_its))
}
