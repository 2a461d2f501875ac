//! Idempotency: a key and a body give one answer, byte for byte, however often and at whichever hub
//! they are sent. The key is taken before the work begins and holds a lease; the answer is stored
//! under it. A fault of ours, or an answer that says when to come again, is not stored, and a crash
//! gives the key back when its lease ends.

use std::convert::Infallible;
use std::future::Future;
use std::time::{Duration, Instant};

use actix_web::http::header::HeaderMap;
use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, OutRefundNo};
use serde_json::Value;

use super::answer::Answer;
use super::body::canonical;
use crate::answering::{self, in_progress};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::seal::{Purpose, Sealer};
use crate::store::idempotency::{self as keys, Held, NewKey};

/// The header.
const HEADER: &str = "idempotency-key";
/// The longest key.
const LONGEST: usize = 255;
/// How long a second request waits for the first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(75);
/// How often the lease of a key that is worked under is renewed: well before its 60 seconds end.
const RENEWAL: Duration = Duration::from_secs(20);
/// What stands before a stored answer that is sealed; no JSON begins with it.
const SEALED: u8 = 0;

/// A key as one request uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Whose key it is.
    pub(super) application: ApplicationId,
    /// The key.
    pub(super) key: String,
    /// Method and path.
    pub(super) call: String,
    /// What the body was.
    pub(super) body_hash: [u8; 32],
    /// The lease under which its work is done; 0 before the key is taken.
    pub(super) lease: i64,
}

impl Ticket {
    /// Stores the answer in the transaction of the work, so that a crash between the two cannot
    /// have the work done again.
    ///
    /// # Errors
    /// When the database does not answer, or another worker took the key over: its work stands
    /// then, and this transaction must not be committed.
    pub(super) async fn settle(
        &self,
        client: &impl GenericClient,
        answer: &Answer,
    ) -> Result<(), Fault> {
        answering::settle(client, self.held(), answer.status, &answer.body).await
    }

    /// As [`settle`](Self::settle), for an answer that may show a secret: it is kept sealed.
    ///
    /// # Errors
    /// As there, or the machine has no random bytes.
    pub(super) async fn settle_sealed(
        &self,
        sealer: &Sealer,
        client: &impl GenericClient,
        answer: &Answer,
    ) -> Result<(), Fault> {
        let sealed = sealer.seal(Purpose::Call, &answer.body, self.place().as_bytes())?;
        let body = [&[SEALED], sealed.as_slice()].concat();
        self.settle(client, &Answer::bytes(answer.status, body)).await
    }

    /// The body of a stored answer.
    fn opened(&self, sealer: &Sealer, stored: Vec<u8>) -> Result<Vec<u8>, Fault> {
        match stored.split_first() {
            Some((&SEALED, sealed)) => {
                Ok(sealer.open(Purpose::Call, sealed, self.place().as_bytes())?)
            }
            _ => Ok(stored),
        }
    }

    /// The place for which an answer is sealed.
    fn place(&self) -> String {
        format!("idempotency_keys.answer:{}:{}", self.application, self.key)
    }

    /// The key as it is worked under.
    pub(super) fn held(&self) -> Held<'_> {
        Held { application: &self.application, key: &self.key, lease: self.lease }
    }

    /// The key for work that takes it in its own first transaction.
    pub(super) fn new_key(&self) -> NewKey<'_> {
        NewKey { key: &self.key, call: &self.call, body_hash: &self.body_hash }
    }

    /// The refund number of a request that names none: the same for every repeat, so that not even
    /// a crash can give money back twice.
    pub(super) fn refund_number(&self, sealer: &Sealer) -> Option<OutRefundNo> {
        let text = format!("refund number\0{}\0{}\0{}", self.application, self.key, self.call);
        let digest = sealer.mac(Purpose::BlindIndex, text.as_bytes());
        let digits = digest.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        format!("R{}", digits.chars().take(31).collect::<String>()).parse().ok()
    }
}

/// The key of a request, if it has one.
///
/// # Errors
/// 400 `invalid_idempotency_key`.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut given = headers.get_all(HEADER);
    let value = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => None,
    };
    value
        .filter(|key| {
            (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| {
            let detail = format!("Idempotency-Key must be one key of 1 to {LONGEST} visible ASCII");
            Fault::unreadable("invalid_idempotency_key", detail)
        })
}

/// What tells two bodies apart: of JSON its meaning, of anything else its bytes. Keyed, because
/// bodies name persons.
pub(super) fn body_hash(sealer: &Sealer, bytes: &[u8], parsed: Option<&Value>) -> [u8; 32] {
    let text = match parsed {
        Some(value) => [b"json body\0", canonical(value).as_bytes()].concat(),
        None => [b"raw bytes\0", bytes].concat(),
    };
    sealer.mac(Purpose::BlindIndex, &text)
}

/// Does the work once for a key; whoever comes again gets the answer. `begun`: the lease, where the
/// key was taken in the first transaction of the work.
///
/// # Errors
/// 422 `idempotency_key_reused`, 409 `idempotency_in_progress`, or the database does not answer.
pub(super) async fn once<F>(
    hub: &Hub,
    mut ticket: Ticket,
    begun: Option<i64>,
    work: impl FnOnce(Ticket) -> F + Send,
) -> Result<Answer, Fault>
where
    F: Future<Output = Answer> + Send,
{
    ticket.lease = match begun {
        Some(lease) => lease,
        None => match take(hub, &ticket).await? {
            Taken::Mine(lease) => lease,
            Taken::Answered(answer) => return Ok(answer),
        },
    };
    // Both go on at the same time: a renewal may wait for the transaction of the work.
    let answer = tokio::select! {
        answer = work(ticket.clone()) => answer,
        never = renew(hub, &ticket) => match never {},
    };
    if !answer.is_kept
        && let Err(fault) = keep(hub, &ticket, &answer).await
    {
        // The work is done: its answer is worth more than the key.
        tracing::error!(detail = fault.detail, "the answer of an idempotency key was not stored");
    }
    Ok(answer)
}

/// What somebody who waits for a key gets.
enum Taken {
    /// The key, under this lease.
    Mine(i64),
    /// The answer of who had it.
    Answered(Answer),
}

/// Takes the key, or waits for whoever has it.
async fn take(hub: &Hub, ticket: &Ticket) -> Result<Taken, Fault> {
    let begun = Instant::now();
    loop {
        match look(hub, ticket).await? {
            Found::Mine(lease) => return Ok(Taken::Mine(lease)),
            Found::Answered(answer) => return Ok(Taken::Answered(answer)),
            Found::OtherUse => {
                return Err(Fault::invalid(
                    "idempotency_key_reused",
                    "this Idempotency-Key was used with another body or for another call",
                ));
            }
            Found::UnderWay if begun.elapsed() >= PATIENCE => return Err(in_progress()),
            Found::UnderWay => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Keeps the key while its work goes on.
async fn renew(hub: &Hub, ticket: &Ticket) -> Infallible {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let renewed = async { keys::renew(&hub.store.client().await?, ticket.held()).await };
        match renewed.await {
            Ok(true) => {}
            // Answered already, or taken over: then the work's end shows which.
            Ok(false) => tracing::debug!("an idempotency key is not leased any more"),
            Err(error) => tracing::warn!(%error, "an idempotency key was not renewed"),
        }
    }
}

/// What a request finds under its key.
enum Found {
    /// Nothing: the key is now its own under this lease, and so is the work.
    Mine(i64),
    /// The answer.
    Answered(Answer),
    /// Another body or another call.
    OtherUse,
    /// A request that works on it.
    UnderWay,
}

async fn look(hub: &Hub, ticket: &Ticket) -> Result<Found, Fault> {
    let client = hub.store.client().await?;
    let Ticket { application, key, call, body_hash, lease: _ } = ticket;
    let now = hub.clock.now();
    match keys::begin(&client, application, key, call, body_hash, now).await {
        Ok(Some(lease)) => return Ok(Found::Mine(lease)),
        // Who takes the key with the first of his work waits for a lock of that.
        Err(error) if error.is_held() => return Ok(Found::UnderWay),
        Ok(None) => {}
        Err(error) => return Err(error.into()),
    }
    // Between the two statements the key may have been given back: then it is tried again.
    let Some(known) = keys::get(&client, application, key).await? else {
        return Ok(Found::UnderWay);
    };
    if known.call != *call || known.body_hash != body_hash {
        return Ok(Found::OtherUse);
    }
    let Some((status, stored)) = known.answer else { return Ok(Found::UnderWay) };
    let body = ticket.opened(&hub.sealer, stored)?;
    Ok(Found::Answered(Answer::bytes(status, body)))
}

async fn keep(hub: &Hub, ticket: &Ticket, answer: &Answer) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    if answer.is_of_the_moment() {
        keys::release(&client, ticket.held()).await?;
    } else if !keys::finish(&client, ticket.held(), answer.status, &answer.body).await? {
        // The work stored its answer itself, or another worker did.
        tracing::debug!("an idempotency key was answered already");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn headers(keys: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for key in keys {
            let value = HeaderValue::from_bytes(key.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(HEADER), value);
        }
        headers
    }

    #[test]
    fn a_key_is_one_visible_word() {
        assert_eq!(key(&headers(&[])).unwrap(), None);
        assert_eq!(key(&headers(&["a-1"])).unwrap().as_deref(), Some("a-1"));
        let longest = "k".repeat(255);
        assert_eq!(key(&headers(&[&longest])).unwrap(), Some(longest));
        for bad in [&["a", "a"][..], &["a b"], &[""], &["中"], &[&"k".repeat(256)]] {
            assert_eq!(key(&headers(bad)).unwrap_err().code, "invalid_idempotency_key", "{bad:?}");
        }
    }

    #[test]
    fn a_repeat_without_a_number_has_the_same_refund_number() {
        let sealer = Sealer::new(&[7; 32]);
        let ticket = |key: &str| Ticket {
            application: "registry".parse().unwrap(),
            key: key.to_owned(),
            call: "POST /v1/orders/ord_1/refunds".to_owned(),
            body_hash: [0; 32],
            lease: 0,
        };
        let number = ticket("a").refund_number(&sealer).unwrap();
        assert_eq!(number.as_str().len(), 32);
        assert_eq!(ticket("a").refund_number(&sealer), Some(number.clone()));
        assert_ne!(ticket("b").refund_number(&sealer), Some(number));
    }

    #[test]
    fn a_body_is_known_by_what_it_means() {
        let sealer = Sealer::new(&[7; 32]);
        let of =
            |text: &str, value: Option<Value>| body_hash(&sealer, text.as_bytes(), value.as_ref());
        assert_eq!(of("1", Some(json!({"a":1,"b":2}))), of("2", Some(json!({"b":2,"a":1}))));
        assert_ne!(of("", Some(json!({"a":1}))), of("", Some(json!({"a":2}))));
        assert_ne!(of("{", None), of("{{", None));
    }
}
