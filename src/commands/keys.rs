//! `payhub key`: backend services that are not in the configuration file.

use adapters::webhook::VerifyingKey;
use domain::ids::ApplicationId;
use domain::time::rfc3339;

use super::{Stop, open};
use crate::cli::{Exit, KeyCommand};
use crate::config::{Environment, USUAL_CONCURRENCY};
use crate::hub::random_hex;
use crate::store::applications::{self, NewApplication};
use crate::store::endpoints;
use crate::terminal;
use crate::webhooks::{new_pair, new_secret};

pub(super) async fn key(asked: &KeyCommand, environment: &Environment) -> Result<Exit, Stop> {
    match asked {
        KeyCommand::Add { name, webhook_url, config } => {
            add(
                name,
                webhook_url.as_ref().map(url::Url::as_str),
                config.config.as_deref(),
                environment,
            )
            .await
        }
        KeyCommand::Revoke { name, config } => {
            let (hub, database) = open(config.config.as_deref(), environment).await?;
            let client = hub.store.client().await.map_err(Stop::problem)?;
            let revoked = applications::revoke(&client, name.as_str(), hub.clock.now())
                .await
                .map_err(Stop::problem)?;
            drop(client);
            database.close().await?;
            let Some(from_file) = revoked else {
                return Err(Stop::problem(format!("no key of {name} is in use")));
            };
            terminal::say(format_args!("the key of {name} is revoked"));
            if from_file {
                terminal::say(format_args!(
                    "it stands in the configuration file: take it out there, or name a new api_key"
                ));
            }
            Ok(Exit::Done)
        }
        KeyCommand::List(config) => {
            let (hub, database) = open(config.config.as_deref(), environment).await?;
            let client = hub.store.client().await.map_err(Stop::problem)?;
            for known in applications::list(&client).await.map_err(Stop::problem)? {
                let origin = if known.from_file { "configuration" } else { "key add" };
                let state = known
                    .revoked_at
                    .map_or_else(|| "in use".to_owned(), |at| format!("revoked {}", rfc3339(at)));
                let url = known.webhook_url.unwrap_or_else(|| "no webhook".to_owned());
                terminal::say(format_args!("{}  {origin}  {state}  {url}", known.application_id));
            }
            drop(client);
            database.close().await?;
            Ok(Exit::Done)
        }
    }
}

async fn add(
    name: &ApplicationId,
    webhook_url: Option<&str>,
    config: Option<&std::path::Path>,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let (hub, database) = open(config, environment).await?;
    let key = format!("phk_{}", random_hex::<32>().map_err(Stop::problem)?);
    if let Some(url) = webhook_url {
        hub.webhooks.judge(url).await.map_err(Stop::problem)?;
    }
    let secret = new_secret(&hub.sealer, name.as_str()).map_err(Stop::problem)?;
    let pair = new_pair(&hub.sealer, name.as_str()).map_err(Stop::problem)?;
    let client = hub.store.client().await.map_err(Stop::problem)?;
    let new = NewApplication {
        application_id: name,
        key_hash: &hub.sealer.api_key_hash(&key),
        webhook_url,
        webhook_secret: Some(&secret.sealed),
        webhook_previous: None,
        webhook_events: &[],
        concurrency: USUAL_CONCURRENCY.into(),
        now: hub.clock.now(),
    };
    let done = applications::insert(&client, &new).await.map_err(Stop::problem)?;
    if done {
        endpoints::give_pair(&client, name.as_str(), &pair.sealed, &pair.public)
            .await
            .map_err(Stop::problem)?;
    }
    drop(client);
    database.close().await?;
    if !done {
        return Err(Stop::problem(format!("the name {name} is taken; choose another one")));
    }
    terminal::say(format_args!("api key:        {key}"));
    terminal::say(format_args!("webhook secret: {}", secret.shown.expose()));
    terminal::say(format_args!("public key:     {}", VerifyingKey::from(pair.public)));
    terminal::say("key and secret are shown this once; the database holds a hash of the key");
    Ok(Exit::Done)
}
