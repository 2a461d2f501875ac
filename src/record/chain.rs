//! The journal's chain: each entry's link is an HMAC over the entry and the link before it, so
//! that a row that was changed, dropped or added shows.

use domain::ids::MerchantId;
use jiff::Timestamp;

use crate::seal::{Purpose, Sealer};
use crate::store::journal::Line;

/// An entry as the chain sees it.
#[derive(Debug)]
pub struct Linked<'a> {
    /// Whose journal.
    pub merchant_id: &'a MerchantId,
    /// Its number.
    pub seq: i64,
    /// What it is about.
    pub kind: &'a str,
    /// The payment or refund.
    pub subject_id: &'a str,
    /// When that happened.
    pub occurred_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// Its lines, in order.
    pub lines: &'a [Line],
    /// What the payment that it is about says and no line does: provider, its number, order, coupons.
    /// Empty for other entries, and for those of programs that did not link it yet.
    pub fact: &'a [String],
}

/// The link of an entry behind `previous`. Every part carries its length, so that no two entries
/// can read the same.
#[must_use]
pub fn link(sealer: &Sealer, previous: &[u8], entry: &Linked<'_>) -> [u8; 32] {
    let mut message = Vec::with_capacity(256);
    let mut part = |bytes: &[u8]| {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(bytes);
    };
    part(previous);
    part(entry.merchant_id.as_str().as_bytes());
    part(&entry.seq.to_be_bytes());
    part(entry.kind.as_bytes());
    part(entry.subject_id.as_bytes());
    part(&entry.occurred_at.as_microsecond().to_be_bytes());
    part(&entry.recorded_at.as_microsecond().to_be_bytes());
    for line in entry.lines {
        part(line.debit.as_bytes());
        part(line.credit.as_bytes());
        part(&line.amount_fen.to_be_bytes());
        part(line.fee_id.as_deref().unwrap_or_default().as_bytes());
    }
    // A line has four parts, so the mark before a fact begins no line.
    if !entry.fact.is_empty() {
        part(b"fact");
        entry.fact.iter().for_each(|said| part(said.as_bytes()));
    }
    sealer.mac(Purpose::Journal, &message)
}
