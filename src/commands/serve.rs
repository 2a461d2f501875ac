//! `payhub serve`: HTTP, workers, or both, until it is told to stop. Then it says so at `/readyz`,
//! takes nothing more after a pause, ends what it has begun, gives back what it holds, and is gone
//! within half a minute.

use std::sync::Arc;
use std::time::Duration;

use super::told::Told;
use super::{Stop, load};
use crate::cli::{Exit, ServeArgs};
use crate::clock::SystemClock;
use crate::config::Environment;
use crate::http::{self, HttpOptions};
use crate::hub::{self, Database};
use crate::jobs::Workers;
use crate::terminal;

/// How long requests and workers, side by side, may take to end from the first signal on, the pause
/// in which more are taken among it.
const ENDING: Duration = Duration::from_secs(22);
/// How long the database may take to be let go, a private server to stop among it: from the first
/// signal to the end it is 30 seconds at most.
const LETTING_GO: Duration = Duration::from_secs(8);

pub(super) async fn serve(asked: &ServeArgs, environment: &Environment) -> Result<Exit, Stop> {
    let file = asked.config.config.as_deref();
    let named = |fault: &dyn std::fmt::Display| Stop::configured(file, environment, fault);
    let config = load(file, environment)?;
    // A used port is told before a database is started.
    let socket = http::bind(config.server.listen).map_err(|error| named(&error))?;
    let database = Database::reach(&config.database).await.map_err(|error| named(&error))?;
    if let Some(private) = &database.private {
        terminal::say(private.notice());
    }
    hub::migrate_if_asked(&config, &database.store).await.map_err(|error| named(&error))?;
    let hub = hub::open(&config, database.store.clone(), Arc::new(SystemClock)).await;
    let hub = Arc::new(hub.map_err(|error| named(&error))?);
    hub::take_applications(&hub, &config).await.map_err(|error| named(&error))?;
    let options = HttpOptions { api: asked.role.serves_api(), works: asked.role.works() };
    let mut told = Told::listen();
    let workers = if asked.role.works() { Workers::start(&hub) } else { Workers::start_keys(&hub) };
    let server = http::serve(Arc::clone(&hub), socket, options).map_err(Stop::bad_usage)?;
    terminal::say(format_args!("payhub listens on http://{}", server.address()));
    told.next().await;
    terminal::say("payhub stops: it ends what it has begun; a second signal ends it at once");
    hub.health.stop();
    let requests = async {
        // A balancer learns at /readyz that it must send no more, before nobody listens.
        tokio::time::sleep(config.server.drain).await;
        server.stop().await;
    };
    let ended = tokio::time::timeout(ENDING, async { tokio::join!(requests, workers.stop()) });
    tokio::select! {
        both = ended => if both.is_err() {
            tracing::warn!("requests or workers did not end in time; their leases run out");
        },
        () = told.next() => {
            tracing::warn!("ended at once; what is leased runs out");
            database.abandon();
            return Ok(Exit::Done);
        }
    }
    drop(hub);
    tokio::select! {
        closed = tokio::time::timeout(LETTING_GO, database.close()) => match closed {
            Ok(closed) => closed?,
            Err(_late) => tracing::warn!("the database was not let go in time"),
        },
        () = told.next() => {}
    }
    Ok(Exit::Done)
}
