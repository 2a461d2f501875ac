//! Reads answers into accepted, refused or unknown.
//!
//! A 2xx counts only when its signature is proved. WeChat does not sign errors, so a 4xx counts
//! by its status and a code that we know; everything else is unknown, and a query decides.

use domain::fact::{OrderStanding, RefundFact};
use jiff::Timestamp;
use serde::Deserialize;

use super::Wechat;
use super::parties::Parties;
use super::statement::{Refund, StatementError, Transaction};
use crate::provider::{Closing, OrderKey, RefundKey};
use crate::wire::{Answer, Outcome, Reason, Refusal};

/// What an answer says before it is known what was asked.
pub(super) enum Said<'a> {
    /// A 2xx whose body is proved.
    Proved(&'a [u8]),
    /// A 4xx with a code that we know.
    Declined {
        /// HTTP status.
        status: u16,
        /// The code, in our words.
        refusal: Refusal,
    },
    /// Anything else, and why.
    Unclear(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    #[serde(default)]
    message: String,
}

impl Wechat {
    /// Sorts an answer; `now` is the time of receipt.
    pub(super) fn said<'a>(&self, answer: &'a Answer, now: Timestamp) -> Said<'a> {
        match answer.status {
            200 | 204 => match self.verify(&answer.headers, &answer.body, now) {
                Ok(()) => Said::Proved(&answer.body),
                Err(why) => Said::Unclear(format!("answer {}: {why}", answer.status)),
            },
            400..=499 => declined(answer),
            status => Said::Unclear(format!("answer {status}")),
        }
    }
}

fn declined<'a>(answer: &Answer) -> Said<'a> {
    let status = answer.status;
    let Ok(error) = serde_json::from_slice::<ErrorBody>(&answer.body) else {
        return Said::Unclear(format!("answer {status} without a code"));
    };
    match reason(&error.code).filter(|_| status != 429) {
        Some(reason) => {
            Said::Declined { status, refusal: Refusal::new(reason, &error.code, &error.message) }
        }
        None => {
            let code: String = error.code.chars().take(64).collect();
            Said::Unclear(format!("answer {status} with the code {code:?}"))
        }
    }
}

/// Codes that decide something (wire.md a12). Those that ask for patience or are not known are
/// not in here.
fn reason(code: &str) -> Option<Reason> {
    match code {
        "PARAM_ERROR" | "INVALID_REQUEST" | "NO_STATEMENT_EXIST" | "STATEMENT_CREATING" => {
            Some(Reason::InvalidRequest)
        }
        "SIGN_ERROR" | "NO_AUTH" | "APPID_MCHID_NOT_MATCH" | "MCH_NOT_EXISTS" => {
            Some(Reason::Configuration)
        }
        "ORDER_NOT_EXIST" | "RESOURCE_NOT_EXISTS" => Some(Reason::NotFound),
        // The HTTP status of ORDER_PAID is not documented; any 4xx is taken.
        "ORDER_PAID" => Some(Reason::AlreadyPaid),
        "ORDER_CLOSED" => Some(Reason::AlreadyClosed),
        "OUT_TRADE_NO_USED" => Some(Reason::NumberReused),
        "NOT_ENOUGH" => Some(Reason::NotEnoughFunds),
        "RULE_LIMIT" | "TRADE_ERROR" | "USER_ACCOUNT_ABNORMAL" => Some(Reason::NotAllowed),
        _ => None,
    }
}

/// The proved body of an answer to placing an order; what an order is then offered as is read by
/// [`offered`](super::pay).
pub(super) fn placed<T>(said: Said<'_>) -> Result<&[u8], Outcome<T>> {
    match proved(said) {
        // WeChat also says INVALID_REQUEST to a number that was used with other parameters.
        Err(Outcome::Refused(refusal))
            if asks_for_a_query(refusal.reason) || refusal.code == "INVALID_REQUEST" =>
        {
            Err(Outcome::Unknown(format!("placing was answered {}", refusal.code)))
        }
        read => read,
    }
}

/// The number is known there already: what stands under it, only a query can say.
fn asks_for_a_query(reason: Reason) -> bool {
    matches!(reason, Reason::AlreadyPaid | Reason::NumberReused)
}

/// The answer to a query of an order.
pub(super) fn order(
    parties: &Parties,
    key: &OrderKey<'_>,
    said: Said<'_>,
) -> Outcome<OrderStanding> {
    if is_absent(&said) {
        return Outcome::Accepted(OrderStanding::Absent);
    }
    let body = match proved(said) {
        Ok(body) => body,
        Err(other) => return other,
    };
    match Transaction::read(body) {
        Ok(transaction) if !transaction.is_about(key) => {
            Outcome::Unknown("the answer is about another order".to_owned())
        }
        Ok(transaction) => outcome(transaction.standing(parties)),
        Err(why) => Outcome::Unknown(why.to_string()),
    }
}

/// The answer to closing an order. A "paid" or "not there" only leads to a query, so it may come
/// unsigned; a "closed" that is not proved stays a refusal.
pub(super) fn closed(said: Said<'_>) -> Outcome<Closing> {
    if is_absent(&said) {
        return Outcome::Accepted(Closing::NotThere);
    }
    match proved(said) {
        Ok(_empty) => Outcome::Accepted(Closing::Closed),
        Err(Outcome::Refused(refusal)) if refusal.reason == Reason::AlreadyPaid => {
            Outcome::Accepted(Closing::Paid)
        }
        Err(other) => other,
    }
}

/// The answer to asking for a refund.
pub(super) fn refunded(
    parties: &Parties,
    key: &RefundKey<'_>,
    said: Said<'_>,
) -> Outcome<RefundFact> {
    match proved(said) {
        Ok(body) => outcome(refund_of(parties, key, body)),
        // These are about other refunds or orders than the one that was asked for: nothing is
        // proved about this one, and money may have moved under its number.
        Err(Outcome::Refused(refusal)) if asks_for_a_query(refusal.reason) => {
            Outcome::Unknown(format!("the refund was answered {}", refusal.code))
        }
        Err(other) => other,
    }
}

/// The answer to a query of a refund.
pub(super) fn refund(
    parties: &Parties,
    key: &RefundKey<'_>,
    said: Said<'_>,
) -> Outcome<Option<RefundFact>> {
    if let Said::Declined { status: 404, refusal } = &said
        && refusal.code == "RESOURCE_NOT_EXISTS"
    {
        return Outcome::Accepted(None);
    }
    match proved(said) {
        Ok(body) => outcome(refund_of(parties, key, body).map(Some)),
        Err(other) => other,
    }
}

fn refund_of(
    parties: &Parties,
    key: &RefundKey<'_>,
    body: &[u8],
) -> Result<RefundFact, StatementError> {
    let refund = Refund::read(body)?;
    if !refund.is_about(key.out_trade_no, key.out_refund_no) {
        return Err(StatementError::Field("the refund that was asked for"));
    }
    refund.answered(parties)
}

/// WeChat has no order under this number.
pub(super) fn is_absent(said: &Said<'_>) -> bool {
    matches!(
        said,
        Said::Declined { status: 404, refusal } if refusal.reason == Reason::NotFound
    )
}

/// The proved body, or the outcome that the answer has whatever was asked.
pub(super) fn proved<'a, T>(said: Said<'a>) -> Result<&'a [u8], Outcome<T>> {
    match said {
        Said::Proved(body) => Ok(body),
        Said::Declined { refusal, .. } => Err(Outcome::Refused(refusal)),
        Said::Unclear(why) => Err(Outcome::Unknown(why)),
    }
}

pub(super) fn outcome<T>(read: Result<T, StatementError>) -> Outcome<T> {
    match read {
        Ok(statement) => Outcome::Accepted(statement),
        Err(why) => Outcome::Unknown(why.to_string()),
    }
}
