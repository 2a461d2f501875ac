//! Endpoints (通知地址) as their applications and operators see them: set, disabled, enabled, given a
//! new secret, and what was sent to them sent again. Handing events on is `dispatch`'s.

mod health;
mod keys;
mod replay;

use deadpool_postgres::GenericClient;
use domain::personal::Secret;
use jiff::{SignedDuration, Timestamp};

use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::endpoints::{self, DisabledBy, EndpointRecord, LockedEndpoint, NewEndpoint};
use crate::store::webhooks;

pub(crate) use health::{Heard, hear, worth_a_note};
pub(crate) use keys::Keys;
pub use keys::{NewPair, NewSecret, new_pair, new_secret};
pub use replay::{MOST_RESENT, Resent, Selection, resend};

/// How long both secrets sign when nobody says otherwise, in hours.
pub const USUAL_OVERLAP_H: u16 = 24;
/// The longest that they do: a week, in hours.
pub const LONGEST_OVERLAP_H: u16 = 168;

/// What an application wants of its endpoint.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its address; [`Webhooks::judge`](crate::dispatch::Webhooks::judge) has judged it.
    pub url: String,
    /// The office-wide events that it wants; `None`: as before.
    pub events: Option<Vec<String>>,
    /// How many events may be under way to it at once, 1 to 64; `None`: as before.
    pub concurrency: Option<u8>,
}

/// An application's endpoint.
///
/// # Errors
/// 404 when there is no such live application.
pub async fn endpoint(
    client: &impl GenericClient,
    application: &str,
    now: Timestamp,
) -> Result<EndpointRecord, Fault> {
    endpoints::load(client, application, now).await?.ok_or_else(no_application)
}

/// Sets an endpoint, and gives it what signs; the secret, when it had none.
///
/// # Errors
/// 409 when the configuration file names it, 404 when there is no such live application.
pub async fn set(
    hub: &Hub,
    client: &impl GenericClient,
    application: &str,
    wanted: &Wanted,
) -> Result<Option<Secret>, Fault> {
    let known = lock(client, application).await?;
    if known.from_file {
        return Err(Fault::conflict(
            "endpoint_from_file",
            "this application stands in the configuration file, which would overwrite the \
             endpoint at the next start: change webhook_url there",
        ));
    }
    let secret = if known.has_secret { None } else { Some(new_secret(&hub.sealer, application)?) };
    let new = NewEndpoint {
        url: &wanted.url,
        events: wanted.events.as_deref(),
        concurrency: wanted.concurrency.map(i32::from),
        secret: secret.as_ref().map(|secret| secret.sealed.as_slice()),
    };
    endpoints::set(client, application, &new, hub.clock.now()).await?;
    let pair = new_pair(&hub.sealer, application)?;
    endpoints::give_pair(client, application, &pair.sealed, &pair.public).await?;
    Ok(secret.map(|secret| secret.shown))
}

/// Disables an endpoint: what is for it waits from now on. Attempts under way end.
///
/// # Errors
/// 409 without an endpoint, 404 when there is no such live application.
pub async fn disable(
    client: &impl GenericClient,
    application: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    lock_set(client, application).await?;
    endpoints::disable(client, application, DisabledBy::Hand, now).await?;
    Ok(())
}

/// Enables an endpoint that was disabled or gone: what waits goes on at once, in its order, with a
/// whole schedule before it. The caller wakes the dispatch after his commit.
///
/// # Errors
/// 409 without an endpoint, 404 when there is no such live application.
pub async fn enable(
    client: &impl GenericClient,
    application: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    // Deliveries before their endpoint, as whoever writes an outcome locks them.
    webhooks::hasten(client, application, now).await?;
    lock_set(client, application).await?;
    endpoints::enable(client, application).await?;
    Ok(())
}

/// Gives an endpoint a new secret; for `overlap_h` hours the one before signs beside it, and any
/// before that no more.
///
/// # Errors
/// 409 without an endpoint or when the configuration file names it, 404 when there is no such live
/// application.
pub async fn rotate(
    hub: &Hub,
    client: &impl GenericClient,
    application: &str,
    overlap_h: u16,
) -> Result<Secret, Fault> {
    if lock_set(client, application).await?.from_file {
        return Err(Fault::conflict(
            "endpoint_from_file",
            "this application stands in the configuration file: put the new secret into \
             webhook_secret there and the present one into webhook_secret_previous",
        ));
    }
    let secret = new_secret(&hub.sealer, application)?;
    let overlap = SignedDuration::from_hours(i64::from(overlap_h.min(LONGEST_OVERLAP_H)));
    let until = hub.clock.now().saturating_add(overlap).unwrap_or(Timestamp::MAX);
    endpoints::rotate(client, application, &secret.sealed, until).await?;
    Ok(secret.shown)
}

async fn lock(client: &impl GenericClient, application: &str) -> Result<LockedEndpoint, Fault> {
    endpoints::lock(client, application).await?.ok_or_else(no_application)
}

async fn lock_set(client: &impl GenericClient, application: &str) -> Result<LockedEndpoint, Fault> {
    let known = lock(client, application).await?;
    if known.has_url {
        Ok(known)
    } else {
        Err(Fault::conflict("no_endpoint", "this application has no webhook endpoint"))
    }
}

fn no_application() -> Fault {
    Fault::not_found("application with a key in use")
}
