//! Asks for a day's trade bill and takes the file. The file's own answer is not signed: the hash
//! in the signed ticket, over the unpacked file, is what proves it.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::civil::Date;
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

use super::answer::{Said, proved};
use super::order::get;
use crate::json;
use crate::provider::{BillAnswer, BillTicket};
use crate::wire::{Answer, Call, Outcome, Reason, Refusal};

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

/// `GET /v3/bill/tradebill` for all rows of a day, packed.
pub(super) fn ask(day: Date) -> Call {
    get(format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP"))
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
