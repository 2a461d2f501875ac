//! Proves the journal: each merchant's chain link by link, and the agreement of orders, fees,
//! payments, refunds, remittances and signed runs with it, and the audit trail. What it proves and what it cannot stands
//! in `docs/journal.md`.

use deadpool_postgres::GenericClient;
use domain::ids::MerchantId;
use subtle::ConstantTimeEq as _;

use crate::hub::Hub;
use crate::record::{Linked, link};
use crate::seal::Sealer;
use crate::store::StoreError;
use crate::store::journal::{self, Entry, Head};
use crate::{audit, bank, users};

/// How many entries are read at a time.
const PAGE: i64 = 1000;

/// What the proof found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// How many journals were read.
    pub journals: usize,
    /// How many entries.
    pub entries: u64,
    /// How many entries the audit trail has.
    pub acts: u64,
    /// Each break, as a sentence; none when the books are right.
    pub breaks: Vec<String>,
}

/// Reads every journal from its beginning and holds the books against it, all of one moment: what a
/// running hub writes meanwhile is no break.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(hub: &Hub) -> Result<Proof, StoreError> {
    let mut client = hub.store.client().await?;
    let books = journal::snapshot(&mut client).await?;
    prove(&books, &hub.sealer).await
}

/// The same, of books that the caller holds still.
///
/// # Errors
/// When the database does not answer.
pub async fn prove(books: &impl GenericClient, sealer: &Sealer) -> Result<Proof, StoreError> {
    let mut proof = Proof::default();
    let heads = journal::heads(books).await?;
    for merchant_id in journal::merchants(books).await? {
        proof.journals = proof.journals.saturating_add(1);
        let mut last = Head { merchant_id, seq: 0, mac: Vec::new() };
        loop {
            let page = journal::entries(books, &last.merchant_id, last.seq, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for entry in page {
                proof.entries = proof.entries.saturating_add(1);
                step(sealer, &mut proof, &mut last, entry);
            }
        }
        match heads.iter().find(|head| head.merchant_id == last.merchant_id) {
            Some(head) if *head == last => {}
            Some(head) => proof.breaks.push(format!(
                "journal {}: its head is entry {}, its last entry is {}: entries are missing or \
                 the head was changed",
                head.merchant_id, head.seq, last.seq
            )),
            None => proof.breaks.push(format!(
                "journal {}: its head is missing, its last entry is {}",
                last.merchant_id, last.seq
            )),
        }
    }
    proof.breaks.extend(journal::breaks(books).await?);
    let (acts, broken) = audit::prove(books, sealer).await?;
    proof.acts = acts;
    proof.breaks.extend(broken);
    proof.breaks.extend(users::prove(books, sealer).await?);
    proof.breaks.extend(bank::prove(books, sealer).await?);
    Ok(proof)
}

/// Holds one entry against the one before it.
fn step(sealer: &Sealer, proof: &mut Proof, last: &mut Head, entry: Entry) {
    let merchant_id: MerchantId = last.merchant_id.clone();
    let expected = last.seq.saturating_add(1);
    if entry.seq != expected {
        proof.breaks.push(format!(
            "journal {merchant_id}: entry {expected} is missing, {} follows {}",
            entry.seq, last.seq
        ));
    }
    let links_with = |fact: &[String]| {
        let linked = Linked {
            merchant_id: &merchant_id,
            seq: entry.seq,
            kind: &entry.kind,
            subject_id: &entry.subject_id,
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
            lines: &entry.lines,
            fact,
        };
        bool::from(link(sealer, &last.mac, &linked).as_slice().ct_eq(&entry.mac))
    };
    // Entries of earlier programs are linked without what their payment says. Nobody makes such a
    // link for a new one: it takes the key as well.
    if !links_with(&entry.fact) && (entry.fact.is_empty() || !links_with(&[])) {
        proof.breaks.push(format!(
            "journal {merchant_id}: entry {} ({} {}) was changed, or the one before it was, or what \
             its payment says",
            entry.seq, entry.kind, entry.subject_id
        ));
    }
    *last = Head { merchant_id, seq: entry.seq, mac: entry.mac };
}
