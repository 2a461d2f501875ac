//! `payhub sandbox`: the providers' side, alone, on loopback.

pub(crate) mod paste;

use std::path::Path;
use std::sync::Arc;

use sandbox::{Sandbox, SandboxConfig};

use super::Stop;
use super::told::told_to_stop;
use crate::cli::{Exit, SandboxArgs};
use crate::clock::SystemClock;
use crate::config::Environment;
use crate::terminal;

pub(super) async fn sandbox(asked: &SandboxArgs, _environment: &Environment) -> Result<Exit, Stop> {
    let mut config = match &asked.config.config {
        Some(path) => read(path)?,
        None => SandboxConfig::generated().map_err(Stop::bad_usage)?,
    };
    if let Some(listen) = asked.listen {
        config.listen = listen;
    }
    let running = Sandbox::start(&config, Arc::new(SystemClock)).map_err(Stop::bad_usage)?;
    terminal::say(format_args!("the sandbox listens on http://{}", running.address()));
    if let Some(toml) = paste::toml(&running.engine().connection()) {
        terminal::say(format_args!("its page is there too; a hub's payhub.toml reaches it with\n"));
        terminal::say(format_args!("{toml}"));
    }
    told_to_stop().await;
    running.stop().await;
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<SandboxConfig, Stop> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Stop::bad_usage(format!("{file}: {error}; name a sandbox configuration"))
    })?;
    let config: SandboxConfig = toml::from_str(&text).map_err(|error| {
        let line = error.to_string().lines().collect::<Vec<_>>().join(" ");
        Stop::bad_usage(format!("{file}: {line}; see docs/sandbox.md for the keys"))
    })?;
    config.with_keys_read(path.parent().unwrap_or(Path::new("."))).map_err(Stop::bad_usage)
}
