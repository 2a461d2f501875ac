//! A second payment of an order (重复支付) that only the bill has: two people paid one code. It is asked
//! for by the provider's number, and booked only where bill and answer say the same.

use adapters::provider::OrderKey;
use adapters::wire::Outcome;
use domain::fact::{OrderStanding, ProviderFact, Source};
use reconciliation::Finding;

use super::answers::{Answers, Said};
use super::query::{book, standing};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::combined::of_part;

/// Asks for the payment of a row that the bill alone has, of an order that the hub knows; `None`: a
/// part of a combined order, which is asked for with its whole and not by the provider's number.
pub(super) async fn payment(
    hub: &Hub,
    merchant: &Merchant,
    key: &OrderKey<'_>,
    found: &Finding,
    answers: &mut Answers,
) -> Result<Option<Said>, Fault> {
    let client = hub.store.client().await?;
    let whole = of_part(&client, &merchant.id, key.out_trade_no).await?;
    drop(client);
    if whole.is_some() {
        return Ok(None);
    }
    Ok(Some(match standing(hub, merchant, key, &mut answers.turn).await? {
        None => Said::NotAsked,
        // The answer names both numbers, or it would have been refused as another order's.
        Some(Outcome::Accepted(OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact)))
            if Some(fact.amount) == found.bill_amount
                && Some(&fact.provider_trade_no) == key.provider_trade_no =>
        {
            let fact = ProviderFact::Payment(fact);
            answers.repaired |= book(hub, merchant, fact, Source::Bill).await?;
            Said::Word("paid")
        }
        Some(Outcome::Accepted(OrderStanding::Paid(_) | OrderStanding::GivenBack(_))) => {
            Said::Word("paid, but not as the bill says")
        }
        Some(Outcome::Accepted(OrderStanding::Unpaid)) => Said::Word("unpaid"),
        Some(Outcome::Accepted(OrderStanding::Closed)) => Said::Word("closed"),
        Some(Outcome::Accepted(OrderStanding::Absent)) => Said::Word("no such payment"),
        Some(Outcome::Refused(_) | Outcome::Unknown(_)) => Said::Nothing,
    }))
}
