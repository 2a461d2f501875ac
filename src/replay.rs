//! What is kept of a callback, sealed, and how a stored one is processed again. A replay starts from
//! the opened text: signature and freshness were judged when it came.

use adapters::wire::Headers;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use callbacks::Claim;
use domain::fact::Source;
use domain::ids::CallbackId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fault::Fault;
use crate::hints;
use crate::hub::Hub;
use crate::record::{Arrival, Evidence, Verdict, record};
use crate::seal::{Purpose, SealError};
use crate::store::callbacks as stored;

/// A callback as it came, and what it turned out to say.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    headers: Vec<(String, String)>,
    body: String,
    plaintext: String,
    /// The length of a body that was cut, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut_from: Option<usize>,
}

impl Kept {
    /// A whole callback with its opened text.
    #[must_use]
    pub fn whole(headers: &Headers, body: &[u8], plaintext: &[u8]) -> Self {
        Self {
            headers: headers.0.clone(),
            body: BASE64_STANDARD.encode(body),
            plaintext: BASE64_STANDARD.encode(plaintext),
            cut_from: None,
        }
    }

    /// A refused callback, of whose body at most `longest` bytes are kept.
    #[must_use]
    pub fn cut(headers: &Headers, body: &[u8], longest: usize) -> Self {
        Self {
            headers: headers.0.clone(),
            body: BASE64_STANDARD.encode(body.get(..longest).unwrap_or(body)),
            plaintext: String::new(),
            cut_from: (body.len() > longest).then_some(body.len()),
        }
    }

    /// Seals it for the row that `context` names.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn seal(&self, hub: &Hub, context: &str) -> Result<Vec<u8>, SealError> {
        // A struct of texts always becomes JSON.
        let text = serde_json::to_vec(self).unwrap_or_default();
        hub.sealer.seal(Purpose::Callback, &text, context.as_bytes())
    }

    fn open(hub: &Hub, sealed: &[u8], context: &str) -> Result<Self, Fault> {
        let text = hub.sealer.open(Purpose::Callback, sealed, context.as_bytes())?;
        serde_json::from_slice(&text).map_err(|error| unreadable(&error))
    }
}

fn unreadable(why: &dyn std::fmt::Display) -> Fault {
    Fault::conflict("callback_unreadable", format!("the stored callback cannot be read: {why}"))
}

/// The place for which a stored callback is sealed.
#[must_use]
pub fn context(callback_id: &CallbackId) -> String {
    format!("callbacks:{callback_id}")
}

/// Processes a stored callback again, and stores that it was. What its facts have done already they
/// do not do twice.
///
/// # Errors
/// When there is no such callback, or it cannot be read or recorded.
pub async fn replay(hub: &Hub, callback_id: &CallbackId) -> Result<Verdict, Fault> {
    let client = hub.store.client().await?;
    let (merchant_id, sealed) =
        stored::get(&client, callback_id).await?.ok_or_else(|| Fault::not_found("callback"))?;
    drop(client);
    let merchant = hub.merchant(merchant_id.as_str()).ok_or_else(|| {
        let detail = format!("merchant {merchant_id} of the callback is not configured any more");
        Fault::conflict("merchant_unknown", detail)
    })?;
    let mut kept = Kept::open(hub, &sealed, &context(callback_id))?;
    let plaintext = BASE64_STANDARD.decode(&kept.plaintext).map_err(|error| unreadable(&error))?;
    let opened = callbacks::reopen(merchant.provider.as_ref(), &plaintext)
        .map_err(|refusal| unreadable(&refusal.detail))?;
    let confirmed =
        hints::confirm(hub, merchant, &opened.notice.hints).await.map_err(|_unanswered| {
            Fault::unavailable("the provider does not answer; replay it later")
        })?;
    let again = CallbackId::new(Uuid::now_v7());
    // The raw bytes stay with the callback that brought them.
    kept.body.clear();
    let arrival = Arrival {
        merchant: confirmed.owner,
        claims: opened
            .notice
            .facts
            .into_iter()
            .map(|fact| Claim { fact, source: Source::Callback })
            .chain(confirmed.claims)
            .collect(),
        evidence: Some(Evidence {
            sealed: kept.seal(hub, &context(&again))?,
            callback_id: again,
            received_at: hub.clock.now(),
            notice_id: opened.notice.notice_id,
            kind: opened.notice.kind,
            replay_of: Some(callback_id.clone()),
            // What cannot be read is not replayed.
            unbooked: None,
        }),
    };
    let verdicts = record(hub, &[arrival]).await?;
    Ok(verdicts.first().copied().unwrap_or(Verdict::Known))
}
