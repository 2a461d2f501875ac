//! `payhub key`: backend services that are not in the configuration file.

use domain::ids::ApplicationId;
use domain::time::rfc3339;

use super::{Stop, open};
use crate::cli::{Exit, KeyCommand};
use crate::config::Environment;
use crate::hub::{random_hex, secret_context};
use crate::seal::Purpose;
use crate::store::applications::{self, NewApplication};
use crate::terminal;
use adapters::webhook::WebhookSecret;

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
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_unspecified| Stop::problem("the machine gives no random bytes"))?;
    let secret = WebhookSecret::from_random(&bytes).map_err(Stop::problem)?.to_secret();
    let sealed = hub
        .sealer
        .seal(
            Purpose::WebhookSecret,
            secret.expose().as_bytes(),
            secret_context(name.as_str()).as_bytes(),
        )
        .map_err(Stop::problem)?;
    let client = hub.store.client().await.map_err(Stop::problem)?;
    let new = NewApplication {
        application_id: name,
        key_hash: &hub.sealer.api_key_hash(&key),
        webhook_url,
        webhook_secret: Some(&sealed),
        webhook_events: &[],
        now: hub.clock.now(),
    };
    let done = applications::insert(&client, &new).await.map_err(Stop::problem)?;
    drop(client);
    database.close().await?;
    if !done {
        return Err(Stop::problem(format!("the name {name} is taken; choose another one")));
    }
    terminal::say(format_args!("api key:        {key}"));
    terminal::say(format_args!("webhook secret: {}", secret.expose()));
    terminal::say("both are shown this once; the database holds a hash of the key");
    Ok(Exit::Done)
}
