//! Asks for a day's bills and takes the file. The file's own answer is not signed: the hash
//! in the signed ticket, over the unpacked file, is what proves it.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::civil::Date;
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

use super::answer::{Said, proved};
use super::order::get;
use super::parties::Parties;
use crate::limits::broken;
use crate::provider::{BillAnswer, BillKind, BillTicket, FundAccount, LimitError};
use crate::wire::{Answer, Call, Outcome, Reason, Refusal};
use crate::{json, percent};

/// The most that a bill may unpack to, in bytes (512 MiB): beyond it the file is refused.
const LARGEST_BILL: u64 = 512 * 1024 * 1024;

/// How the two bytes of a gzip file begin.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

#[derive(Deserialize)]
struct Ticket {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

/// `GET /v3/bill/tradebill` or `/v3/bill/fundflowbill` of a day, packed. A service provider asks
/// for one merchant's rows; that merchant's fund flow is sealed for itself and cannot be asked for.
pub(super) fn ask(parties: &Parties, bill: BillKind, day: Date) -> Result<Call, LimitError> {
    let trade = |variant| {
        let whose = parties.sub_mchid().map(|sub| format!("&sub_mchid={}", percent::encode(sub)));
        let whose = whose.unwrap_or_default();
        let rest = format!("bill_date={day}&bill_type={variant}&tar_type=GZIP{whose}");
        get(format!("/v3/bill/tradebill?{rest}"))
    };
    match bill {
        BillKind::Trade => Ok(trade("ALL")),
        BillKind::Payments => Ok(trade("SUCCESS")),
        BillKind::Refunds => Ok(trade("REFUND")),
        BillKind::FundFlow(_) if parties.sub_mchid().is_some() => Err(broken(
            "bill",
            "a service provider has no fund flow bill of the merchant; ask as the merchant itself",
        )),
        BillKind::FundFlow(account) => {
            let account = match account {
                FundAccount::Basic => "BASIC",
                FundAccount::Operation => "OPERATION",
                FundAccount::Fees => "FEES",
            };
            let rest = format!("bill_date={day}&account_type={account}&tar_type=GZIP");
            Ok(get(format!("/v3/bill/fundflowbill?{rest}")))
        }
    }
}

/// `GET` of the ticket's address, verbatim: a call whose target is a URL is a download.
pub(super) fn fetch(ticket: &BillTicket) -> Call {
    get(ticket.url.clone())
}

/// Reads the answer to [`ask`].
pub(super) fn ticket(said: Said<'_>) -> Outcome<BillAnswer> {
    if let Said::Declined { refusal, .. } = &said {
        match refusal.code.as_str() {
            "NO_STATEMENT_EXIST" => return Outcome::Accepted(BillAnswer::EmptyDay),
            "STATEMENT_CREATING" => return Outcome::Accepted(BillAnswer::NotYet),
            _ => {}
        }
    }
    let body = match proved(said) {
        Ok(body) => body,
        Err(other) => return other,
    };
    let ticket: Ticket = match serde_json::from_slice(body) {
        Ok(ticket) => ticket,
        Err(source) => {
            return Outcome::Unknown(format!("the answer {}", json::fault(&source)));
        }
    };
    let sha1 = ticket.hash_value.to_ascii_lowercase();
    let is_sha1 = sha1.len() == 40 && sha1.bytes().all(|b| b.is_ascii_hexdigit());
    if !ticket.hash_type.eq_ignore_ascii_case("SHA1") || !is_sha1 {
        return Outcome::Unknown("the bill's hash is not a SHA1".to_owned());
    }
    Outcome::Accepted(BillAnswer::Ready(BillTicket { url: ticket.download_url, sha1: Some(sha1) }))
}

/// Reads the file. An expired address is unknown: a new ticket must be asked for.
pub(super) fn file(ticket: &BillTicket, answer: &Answer) -> Outcome<Vec<u8>> {
    if answer.status != 200 {
        return Outcome::Unknown(format!("answer {}: ask for a new address", answer.status));
    }
    let Some(expected) = &ticket.sha1 else {
        return damaged("hash_missing", "the ticket names no hash");
    };
    match sha1_unpacked(&answer.body, LARGEST_BILL) {
        Ok(actual) if actual.eq_ignore_ascii_case(expected) => {
            Outcome::Accepted(answer.body.clone())
        }
        Ok(_) => damaged("hash_differs", "the unpacked file does not have the stated SHA1"),
        Err(why) => damaged("not_unpacked", &why.to_string()),
    }
}

fn damaged(code: &str, message: &str) -> Outcome<Vec<u8>> {
    Outcome::Refused(Refusal::new(Reason::InvalidRequest, code, message))
}

/// The SHA1 of the unpacked bytes, in one pass without holding them; an error beyond `largest`.
pub(super) fn sha1_unpacked(file: &[u8], largest: u64) -> std::io::Result<String> {
    let mut unpacked: Box<dyn Read + '_> = if file.starts_with(GZIP_MAGIC) {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut hash = Sha1::new();
    let mut rest = largest;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = unpacked.read(&mut buffer)?;
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else {
            let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(hex);
        };
        rest = u64::try_from(count).ok().and_then(|count| rest.checked_sub(count)).ok_or_else(
            || std::io::Error::other(format!("it unpacks to more than {largest} bytes")),
        )?;
        hash.update(piece);
    }
}
