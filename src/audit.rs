//! The audit trail (操作日志): what people did, in the transaction in which they did it, each entry
//! linked to the one before it. It never holds anybody's personal data in clear: reasons and notes
//! stand where they belong, and here only what proves that they are the same.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::seal::{Purpose, Sealer};
use crate::store::StoreError;
use crate::store::audit::{self, AuditEntry, AuditHead};

/// By whom the operator of the machine acts where no user is named.
pub const OPERATOR: &str = "command line";

/// How many entries are read at a time.
const PAGE: i64 = 1000;

/// What a person did.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who.
    pub by: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// With which particulars: words, numbers and ids only.
    pub data: Value,
}

impl Act {
    /// An act.
    #[must_use]
    pub fn of(by: &str, action: &str, subject: &str, data: Value) -> Self {
        let [by, action, subject] = [by, action, subject].map(str::to_owned);
        Self { by, action, subject, data }
    }
}

/// What stands for a text on the trail: it tells nothing about the text to whoever has no key, and
/// shows a text that was changed.
#[must_use]
pub fn stands_for(sealer: &Sealer, text: Option<&str>) -> Option<String> {
    let mac = sealer.mac(Purpose::Audit, &[b"text\0", text?.as_bytes()].concat());
    Some(mac.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// Writes down what people did, behind the head of the trail, which is locked until the transaction
/// ends: after every other lock.
///
/// # Errors
/// When the database refuses; then nothing of the transaction may be committed.
pub async fn write_down(
    client: &impl GenericClient,
    sealer: &Sealer,
    acts: &[Act],
    now: Timestamp,
) -> Result<(), StoreError> {
    if acts.is_empty() {
        return Ok(());
    }
    // The database keeps microseconds; what is linked must be what is read back.
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let mut head = audit::lock_head(client).await?;
    let (mut rows, mut links) = (Vec::new(), Vec::new());
    for act in acts {
        let Act { by, action, subject, data } = act;
        let seq = head.seq.saturating_add(1);
        let mac = link(sealer, &head.mac, (seq, now), [by, action, subject], data).to_vec();
        links.push(mac.clone());
        rows.push(json!({
            "seq": seq, "at": now, "by": by, "action": action, "subject": subject, "data": data,
            "link": links.len(),
        }));
        head = AuditHead { seq, mac, seal: Vec::new() };
    }
    head.seal = seal(sealer, &head);
    audit::append(client, &rows, &links, &head).await
}

/// Proves the trail from its first entry to its head: how many entries there are, and the first that
/// is not what it was.
///
/// # Errors
/// When the database does not answer.
pub async fn prove(
    client: &impl GenericClient,
    sealer: &Sealer,
) -> Result<(u64, Option<String>), StoreError> {
    let mut last = AuditHead { seq: 0, mac: Vec::new(), seal: Vec::new() };
    let mut count: u64 = 0;
    loop {
        let page = audit::list(client, last.seq, None, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            count = count.saturating_add(1);
            if let Some(found) = broken(sealer, &last, &entry) {
                return Ok((count, Some(found)));
            }
            last = AuditHead { seq: entry.seq, mac: entry.mac, seal: Vec::new() };
        }
    }
    let Some(head) = audit::read_head(client).await? else {
        return Ok((count, Some("audit trail: its head is missing".to_owned())));
    };
    if (head.seq, &head.mac) != (last.seq, &last.mac) {
        let found = format!(
            "audit trail: its head is entry {}, its last entry is {}: entries are missing or the \
             head was changed",
            head.seq, last.seq
        );
        return Ok((count, Some(found)));
    }
    let is_sealed = head.seq == 0 && head.seal.is_empty()
        || bool::from(seal(sealer, &head).as_slice().ct_eq(&head.seal));
    let found = (!is_sealed).then(|| {
        format!(
            "audit trail: somebody else set its head to entry {}: entries are missing",
            head.seq
        )
    });
    Ok((count, found))
}

fn broken(sealer: &Sealer, last: &AuditHead, entry: &AuditEntry) -> Option<String> {
    let expected = last.seq.saturating_add(1);
    if entry.seq != expected {
        return Some(format!("audit trail: entry {expected} is missing"));
    }
    let AuditEntry { seq, at, by, action, subject, data, mac } = entry;
    let linked = link(sealer, &last.mac, (*seq, *at), [by, action, subject], data);
    let is_whole = bool::from(linked.as_slice().ct_eq(mac));
    (!is_whole).then(|| {
        format!("audit trail: entry {seq} ({action} {subject}) was changed, or one before it was")
    })
}

/// The link of an entry behind `previous`. Every part carries its length, so that no two entries can
/// read the same.
fn link(
    sealer: &Sealer,
    previous: &[u8],
    (seq, at): (i64, Timestamp),
    words: [&String; 3],
    data: &Value,
) -> [u8; 32] {
    let mut message = Vec::with_capacity(256);
    part(&mut message, previous);
    part(&mut message, &seq.to_be_bytes());
    part(&mut message, &at.as_microsecond().to_be_bytes());
    for word in words {
        part(&mut message, word.as_bytes());
    }
    data_parts(&mut message, data);
    sealer.mac(Purpose::Audit, &message)
}

fn seal(sealer: &Sealer, head: &AuditHead) -> Vec<u8> {
    let mut message = b"head".to_vec();
    part(&mut message, &head.seq.to_be_bytes());
    part(&mut message, &head.mac);
    sealer.mac(Purpose::Audit, &message).to_vec()
}

fn part(message: &mut Vec<u8>, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(bytes);
}

/// The particulars, whatever order the database gives their names in.
fn data_parts(message: &mut Vec<u8>, data: &Value) {
    match data {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            part(message, b"object");
            part(message, &names.len().to_be_bytes());
            for name in names {
                part(message, name.as_bytes());
                data_parts(message, members.get(name).unwrap_or(&Value::Null));
            }
        }
        Value::Array(values) => {
            part(message, b"array");
            part(message, &values.len().to_be_bytes());
            values.iter().for_each(|value| data_parts(message, value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            part(message, data.to_string().as_bytes());
        }
    }
}
