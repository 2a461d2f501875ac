//! Asks a provider for a bill of a day and fetches it at once; books and stores nothing.

use std::sync::{Mutex, PoisonError};

use adapters::provider::{BillAnswer, BillKind};
use adapters::wire::Outcome;
use jiff::civil::Date;

use super::ask;
use crate::hub::{Hub, Merchant};
use crate::outbound::Kind;

/// What came of asking for a bill.
pub(super) enum Got {
    /// The file, whole and true to its hash.
    File(Vec<u8>),
    /// Nothing happened on that day.
    EmptyDay,
    /// The provider is still making it, or refuses to give it, in words.
    NotYet(String),
    /// No answer came, in words.
    Silence(String),
    /// The provider has no such bill for this merchant, in words; nobody was asked.
    NotGiven(String),
    /// What came is not the file that the provider named: why, and the file.
    Damaged(String, Option<Vec<u8>>),
}

/// A bill, and under which names the calls for it are kept as evidence.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) bill: BillKind,
    pub(super) day: Date,
    /// What it is for: a run, or a day.
    pub(super) subject: &'a str,
    pub(super) asking: &'static str,
    pub(super) fetching: &'static str,
}

/// Asks for the bill and fetches it.
pub(super) async fn get(hub: &Hub, merchant: &Merchant, wanted: Wanted<'_>) -> Got {
    let Wanted { bill, day, subject, asking, fetching } = wanted;
    let call = match merchant.provider.ask_bill(bill, day) {
        Ok(call) => call,
        Err(limit) => return Got::NotGiven(limit.to_string()),
    };
    let kind = Kind::BillOrTicket;
    let asked = ask(hub, merchant, asking, subject, kind, &call, |answer, stamp| {
        merchant.provider.read_bill_ticket(answer, stamp.now)
    })
    .await;
    let ticket = match asked {
        Outcome::Accepted(BillAnswer::Ready(ticket)) => ticket,
        Outcome::Accepted(BillAnswer::Here(file)) => return Got::File(file),
        Outcome::Accepted(BillAnswer::EmptyDay) => return Got::EmptyDay,
        Outcome::Accepted(BillAnswer::NotYet) => {
            return Got::NotYet("the provider is still making the bill".to_owned());
        }
        Outcome::Refused(refusal) => {
            let why = format!("the provider refused: {} {}", refusal.code, refusal.message);
            return Got::NotYet(why);
        }
        Outcome::Unknown(why) => {
            return Got::Silence(format!("the provider did not answer: {why}"));
        }
    };
    // Some providers let a link live for 30 seconds only: the file is fetched at once.
    let call = merchant.provider.fetch_bill(&ticket);
    let refused = Mutex::new(None);
    let fetched = ask(hub, merchant, fetching, subject, Kind::Bill, &call, |answer, _stamp| {
        let read = merchant.provider.read_bill_file(&ticket, answer);
        if matches!(read, Outcome::Refused(_)) {
            *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.body.clone());
        }
        read
    })
    .await;
    match fetched {
        Outcome::Accepted(file) => Got::File(file),
        Outcome::Refused(refusal) => {
            let file = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
            Got::Damaged(refusal.message, file)
        }
        Outcome::Unknown(why) => Got::Silence(format!("the bill could not be fetched: {why}")),
    }
}
