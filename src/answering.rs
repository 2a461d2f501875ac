//! An answer that is kept under an idempotency key in the transaction of what it tells, so that a
//! crash cannot leave one without the other.

use deadpool_postgres::GenericClient;

use crate::fault::Fault;
use crate::store::idempotency::{self, Held};

/// When a request that waited for a key in vain may come again, in seconds.
const COME_AGAIN_S: u32 = 5;

/// Who asked under a key, and what he is answered when what he asked for stands as given.
pub struct Answering<'a, T> {
    /// His key.
    pub key: Held<'a>,
    /// Status and body of his answer.
    pub answer: &'a (dyn Fn(&T) -> (u16, Vec<u8>) + Send + Sync),
}

impl<T> Answering<'_, T> {
    /// Keeps what he is told in the transaction of the work.
    ///
    /// # Errors
    /// As [`settle`].
    pub(crate) async fn settle(&self, client: &impl GenericClient, told: &T) -> Result<(), Fault> {
        let (status, body) = (self.answer)(told);
        settle(client, self.key, status, &body).await
    }
}

/// Keeps an answer under a key that is worked under.
///
/// # Errors
/// When the database does not answer, or another worker took the key over: its work stands then, and
/// this transaction must not be committed.
pub(crate) async fn settle(
    client: &impl GenericClient,
    key: Held<'_>,
    status: u16,
    body: &[u8],
) -> Result<(), Fault> {
    match idempotency::finish(client, key, status, body).await? {
        true => Ok(()),
        false => Err(in_progress()),
    }
}

/// Somebody else works under the key.
pub(crate) fn in_progress() -> Fault {
    Fault::conflict(
        "idempotency_in_progress",
        "another request with this Idempotency-Key has not ended; ask again",
    )
    .retry_after(COME_AGAIN_S)
}
