//! The business calls about refunds, and what WeChat Pay answers to them.

use domain::fact::RefundFact;
use jiff::ToSpan as _;

use super::answer::{Said, decided, decided_of_reading};
use super::order::{payable, post};
use super::statement::{self, StatementError};
use super::xml::Fields;
use super::{Parties, REFUND, REFUND_QUERY};
use crate::limits::{self, Length, broken};
use crate::provider::{LimitError, NewRefund, RefundKey};
use crate::wire::{Call, Outcome, Reason};

/// Marks that WeChat takes in a refund's number.
const REFUND_MARKS: &str = "_-|*@";
/// How many refunds one payment may have.
const MOST_REFUNDS: u32 = 50;

/// `POST /secapi/pay/refund`, for the payment that has the provider's number.
pub(super) fn refund(
    parties: &Parties,
    has_client_identity: bool,
    refund: &NewRefund<'_>,
) -> Result<Call, LimitError> {
    if !has_client_identity {
        return Err(broken("client_identity", "must be configured: refunds are asked for with it"));
    }
    limits::number("out_refund_no", refund.out_refund_no.as_str(), (1, 64), REFUND_MARKS)?;
    limits::text("reason", refund.reason, Length::Bytes(80))?;
    limits::notify_url(refund.notify_url, 256)?;
    payable("amount_fen", refund.amount)?;
    payable("total_fen", refund.total)?;
    if refund.amount > refund.total {
        return Err(broken("amount_fen", "must not be more than the payment"));
    }
    if refund.earlier >= MOST_REFUNDS {
        return Err(broken("out_refund_no", "a payment can be refunded at most 50 times"));
    }
    let last_day = domain::time::beijing(refund.paid_at).checked_add(1.year());
    if last_day.is_ok_and(|last| domain::time::beijing(refund.now) > last) {
        return Err(broken("paid_at", "WeChat Pay refunds for 1 year after the payment only"));
    }
    let mut fields = parties.fields();
    fields.set("transaction_id", refund.provider_trade_no.as_str());
    fields.set("out_refund_no", refund.out_refund_no.as_str());
    fields.set("total_fee", refund.total.get().to_string());
    fields.set("refund_fee", refund.amount.get().to_string());
    fields.set("refund_desc", refund.reason);
    fields.set("notify_url", refund.notify_url);
    Ok(post(REFUND, &fields))
}

/// `POST /pay/refundquery` by the refund's own number, so that its answer has one refund and is
/// never paged, however many the payment has.
pub(super) fn query(parties: &Parties, key: &RefundKey<'_>) -> Call {
    let mut fields = parties.fields();
    fields.set("out_refund_no", key.out_refund_no.as_str());
    post(REFUND_QUERY, &fields)
}

/// The answer to asking for a refund.
pub(super) fn refunded(parties: &Parties, key: &RefundKey<'_>, said: Said) -> Outcome<RefundFact> {
    match decided(said) {
        Ok(fields) => {
            outcome(is_about(key, &fields).and_then(|()| statement::taken_refund(parties, &fields)))
        }
        // The number stands for another amount there: nothing is proved about this refund.
        Err(Outcome::Refused(refusal))
            if matches!(refusal.reason, Reason::NumberReused | Reason::AlreadyPaid) =>
        {
            Outcome::Unknown(format!("the refund was answered {}", refusal.code))
        }
        Err(other) => other,
    }
}

fn is_about(key: &RefundKey<'_>, fields: &Fields) -> Result<(), StatementError> {
    let same = fields.get("out_refund_no") == Some(key.out_refund_no.as_str())
        && fields.get("out_trade_no") == Some(key.out_trade_no.as_str());
    if same { Ok(()) } else { Err(StatementError::Field("the refund that was asked for")) }
}

/// The answer to a query of a refund.
pub(super) fn queried(
    parties: &Parties,
    key: &RefundKey<'_>,
    said: Said,
) -> Outcome<Option<RefundFact>> {
    match decided_of_reading(said) {
        Ok(fields) => outcome(statement::queried_refund(parties, key, &fields).map(Some)),
        Err(Outcome::Refused(refusal)) if refusal.code == "REFUNDNOTEXIST" => {
            Outcome::Accepted(None)
        }
        Err(other) => other,
    }
}

fn outcome<T>(read: Result<T, StatementError>) -> Outcome<T> {
    match read {
        Ok(statement) => Outcome::Accepted(statement),
        Err(why) => Outcome::Unknown(why.to_string()),
    }
}
