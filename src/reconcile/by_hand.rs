//! A refund that only the bill has, of an order that the hub knows: somebody made it by hand in the
//! provider's portal. It is asked for by its number, and booked only where bill and answer say the
//! same.

use adapters::provider::RefundKey;
use adapters::wire::Outcome;
use domain::fact::{ProviderFact, RefundFact, RefundStanding, Source};
use domain::ids::{OrderId, OutRefundNo, OutTradeNo, ProviderTradeNo};
use reconciliation::Finding;

use super::answers::{Answers, Said};
use super::ask;
use super::query::book;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::outbound::Kind as Urgency;
use crate::refunds::{Adopted, ByHand, adopt};

/// The row of the bill, with the hub's order.
pub(super) struct Row<'a> {
    pub(super) order_id: &'a OrderId,
    pub(super) out_trade_no: &'a OutTradeNo,
    pub(super) provider_trade_no: &'a ProviderTradeNo,
    pub(super) out_refund_no: &'a OutRefundNo,
}

/// Asks for the refund of a row, and takes it into the books where the answer proves it.
pub(super) async fn refund(
    hub: &Hub,
    merchant: &Merchant,
    row: &Row<'_>,
    found: &Finding,
    answers: &mut Answers,
) -> Result<Said, Fault> {
    let Some(amount) = found.bill_amount else { return Ok(Said::Nothing) };
    if !answers.turn.may_ask(hub, merchant).await? {
        return Ok(Said::NotAsked);
    }
    let (out_trade_no, out_refund_no) = (row.out_trade_no, row.out_refund_no);
    let key = RefundKey { out_trade_no, out_refund_no, amount };
    let call = merchant.provider.query_refund(&key);
    let subject = out_refund_no.as_str();
    let read =
        ask(hub, merchant, "query_refund", subject, Urgency::Call, &call, |answer, stamp| {
            merchant.provider.read_refund(&key, answer, stamp.now)
        });
    let fact = match read.await {
        Outcome::Accepted(Some(fact)) => fact,
        Outcome::Accepted(None) => return Ok(Said::Word("no such refund")),
        Outcome::Refused(_) | Outcome::Unknown(_) => return Ok(Said::Nothing),
    };
    match fact.standing {
        RefundStanding::Failed => return Ok(Said::Word("failed")),
        RefundStanding::Abnormal | RefundStanding::Processing | RefundStanding::Succeeded => {}
    }
    // Only a part of the refunds of its payment can be one of them.
    let agrees = match (fact.amount, fact.given_back) {
        (Some(stated), _) => stated == amount,
        (None, Some(sum)) => sum >= amount,
        (None, None) => false,
    };
    if !agrees {
        return Ok(Said::Word("given back, but not as the bill says"));
    }
    let by_hand = ByHand {
        order_id: row.order_id,
        provider_trade_no: row.provider_trade_no,
        out_refund_no,
        amount,
    };
    Ok(match adopt(hub, &by_hand).await? {
        Adopted::Written => {
            let said = word(&fact);
            book(hub, merchant, ProviderFact::Refund(fact), Source::Bill).await?;
            answers.repaired = true;
            Said::Word(said)
        }
        Adopted::NoPayment => Said::Word("given back, of a payment that is not in the books"),
        Adopted::TooMuch => Said::Word("given back, more than its payment has left"),
        Adopted::Remitted => Said::Word("given back, of money that is at the treasury"),
    })
}

const fn word(fact: &RefundFact) -> &'static str {
    match fact.standing {
        RefundStanding::Processing => "processing",
        RefundStanding::Succeeded => "succeeded",
        RefundStanding::Failed => "failed",
        RefundStanding::Abnormal => "abnormal",
    }
}
