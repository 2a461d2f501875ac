//! `payhub serve`: HTTP, workers, or both, until it is told to stop.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::{Stop, load};
use crate::cli::{Exit, ServeArgs};
use crate::clock::SystemClock;
use crate::config::Environment;
use crate::http::{self, HttpOptions};
use crate::hub::{self, Database};
use crate::jobs::Workers;
use crate::terminal;

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
    let options = HttpOptions { api: asked.role.serves_api(), works: asked.role.works() };
    let server = http::serve(Arc::clone(&hub), socket, options).map_err(Stop::bad_usage)?;
    let workers = if asked.role.works() { Workers::start(&hub) } else { Workers::start_keys(&hub) };
    terminal::say(format_args!("payhub listens on http://{}", server.address()));
    told_to_stop().await;
    terminal::say("payhub stops: it ends what it has begun");
    server.stop().await;
    workers.stop().await;
    drop(hub);
    database.close().await?;
    Ok(Exit::Done)
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn told_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be heard; stop with Ctrl-C");
            let _interrupted = tokio::signal::ctrl_c().await;
        }
    }
}
