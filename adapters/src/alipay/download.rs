//! Asks for a day's bill and takes the file. The address lives 30 seconds and carries its
//! own token, so it is fetched at once and without any credential; it is not signed, so only the
//! file's own form (zip, with checksums) shows whether it came whole.

use std::borrow::Cow;
use std::io::{self, Cursor, Read as _};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};
use zip::ZipArchive;

use super::gateway::{Said, done};
use super::order::call;
use crate::json;
use crate::limits::broken;
use crate::provider::{BillAnswer, BillKind, BillTicket, FundAccount, LimitError, SignError};
use crate::settings::is_protected;
use crate::wire::{Answer, Call, Method, Outcome, Reason, Refusal, Request, USER_AGENT};

pub(super) const BILL_URL: &str = "alipay.data.dataservice.bill.downloadurl.query";

/// The most that a bill may unpack to, in bytes (512 MiB): beyond it the file is refused.
const LARGEST_BILL: u64 = 512 * 1024 * 1024;

/// How a zip file begins: with an entry, or with the end of an empty one.
const ZIP_MAGICS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Asks where a bill of a day is. Alipay has one bill of payments and refunds together, and one of
/// the one account that a merchant has there.
pub(super) fn ask(bill: BillKind, day: Date) -> Result<Call, LimitError> {
    let bill_type = match bill {
        BillKind::Trade => "trade",
        BillKind::FundFlow(FundAccount::Basic) => "signcustomer",
        BillKind::Payments | BillKind::Refunds => {
            return Err(broken("bill", "Alipay bills payments and refunds together: use trade"));
        }
        BillKind::FundFlow(FundAccount::Operation | FundAccount::Fees) => {
            return Err(broken("bill", "at Alipay a merchant has one account: use basic"));
        }
    };
    Ok(call(BILL_URL, &json!({ "bill_type": bill_type, "bill_date": day.to_string() })))
}

/// `GET` of the ticket's address: a call whose target is a URL is a download.
pub(super) fn fetch(ticket: &BillTicket) -> Call {
    Call {
        method: Method::Get,
        target: ticket.url.clone(),
        body: String::new(),
        parameters: Vec::new(),
    }
}

/// The request for a download: nothing of the merchant's goes with it, and it goes only to
/// Alipay's own domain or to the gateway's host. Alipay writes these addresses with `http`; the
/// same address is fetched with `https`.
pub(super) fn request(gateway: &Url, call: &Call) -> Result<Request, SignError> {
    let parsed = |text: &str| Url::parse(text).map_err(|source| SignError(source.to_string()));
    let url = parsed(&call.target)?;
    let bare = url.username().is_empty() && url.password().is_none();
    if call.method != Method::Get || !call.body.is_empty() || !call.parameters.is_empty() || !bare {
        return Err(SignError("it is neither a gateway method nor a plain download".to_owned()));
    }
    if !is_alipays(gateway, &url) {
        return Err(SignError("its URL is not on one of Alipay's hosts".to_owned()));
    }
    let target = protected(&call.target, &url);
    if !is_protected(&parsed(&target)?) {
        return Err(SignError("its URL is on Alipay's host, but not https".to_owned()));
    }
    Ok(Request {
        method: Method::Get,
        url: target.into_owned(),
        second_url: None,
        mutual_tls: false,
        headers: vec![
            ("Accept".to_owned(), "*/*".to_owned()),
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
        ],
        body: Vec::new(),
    })
}

/// Alipay's own domains; its trial gateway keeps its files on the second.
const DOMAINS: [&str; 2] = ["alipay.com", "alipaydev.com"];

fn is_alipays(gateway: &Url, url: &Url) -> bool {
    url.host() == gateway.host()
        || DOMAINS.into_iter().any(|domain| is_below(gateway, domain) && is_below(url, domain))
}

/// Whether the host is the domain itself or below it.
fn is_below(url: &Url, domain: &str) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    }
}

/// The address with `https` where Alipay wrote `http` and no port of its own; else as it is.
fn protected<'a>(text: &'a str, url: &Url) -> Cow<'a, str> {
    let is_own = DOMAINS.into_iter().any(|domain| is_below(url, domain));
    match text.strip_prefix("http://") {
        Some(rest) if is_own && !names_port(rest) => Cow::Owned(format!("https://{rest}")),
        _ => Cow::Borrowed(text),
    }
}

/// Whether an address without its scheme names a port.
fn names_port(rest: &str) -> bool {
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains(':'))
}

/// Reads the answer to [`ask`].
pub(super) fn ticket(said: Said<'_>) -> Outcome<BillAnswer> {
    #[derive(Deserialize)]
    struct Ticket {
        bill_download_url: String,
    }
    if let Said::Failed(failure) = &said
        && is_empty_day(&failure.sub_code)
    {
        return Outcome::Accepted(BillAnswer::EmptyDay);
    }
    let node = match done(said, |_| None) {
        Ok(node) => node,
        Err(other) => return other,
    };
    match serde_json::from_str::<Ticket>(&node) {
        Ok(Ticket { bill_download_url: url }) if !url.is_empty() => {
            Outcome::Accepted(BillAnswer::Ready(BillTicket { url, sha1: None }))
        }
        Ok(_) => Outcome::Unknown("bill_download_url is empty".to_owned()),
        Err(source) => Outcome::Unknown(format!("the node {}", json::fault(&source))),
    }
}

/// All three are seen in Alipay's texts for a day without trades.
fn is_empty_day(sub_code: &str) -> bool {
    ["isp.bill_not_exist", "BILL_NOT_EXIST", "NO_BILL_DATA"].contains(&sub_code)
}

/// Reads the file: its bytes as they came, once every entry unpacks to its checksum. A text
/// instead of a zip says that the address has expired: a new one must be asked for.
pub(super) fn file(answer: &Answer) -> Outcome<Vec<u8>> {
    if answer.status != 200 {
        return Outcome::Unknown(format!("answer {}: ask for a new address", answer.status));
    }
    if !ZIP_MAGICS.iter().any(|magic| answer.body.starts_with(magic)) {
        return Outcome::Unknown("no zip file: ask for a new address".to_owned());
    }
    match unpacks(&answer.body, LARGEST_BILL) {
        Ok(()) => Outcome::Accepted(answer.body.clone()),
        Err(why) => {
            Outcome::Refused(Refusal::new(Reason::InvalidRequest, "not_unpacked", &why.to_string()))
        }
    }
}

/// Unpacks every entry without keeping it; an error beyond `largest` bytes in all.
pub(super) fn unpacks(file: &[u8], largest: u64) -> io::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(file))?;
    let mut rest = largest;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let count = io::copy(&mut entry.take(rest.saturating_add(1)), &mut io::sink())?;
        rest = rest
            .checked_sub(count)
            .ok_or_else(|| io::Error::other(format!("it unpacks to more than {largest} bytes")))?;
    }
    Ok(())
}
