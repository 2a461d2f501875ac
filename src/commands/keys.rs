//! `payhub key`: backend services that are not in the configuration file.

use adapters::webhook::VerifyingKey;
use domain::ids::ApplicationId;
use domain::time::rfc3339;
use serde_json::json;

use super::{Stop, open};
use crate::audit::{self, Act, OPERATOR};
use crate::cli::{Exit, KeyCommand};
use crate::config::{Environment, USUAL_CONCURRENCY};
use crate::hub::{Hub, random_hex};
use crate::store::applications::{self, NewApplication};
use crate::store::{StoreError, endpoints};
use crate::terminal;
use crate::webhooks::{NewPair, new_pair, new_secret};

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
            let revoked = revoke(&hub, name).await;
            database.close().await?;
            let revoked = revoked.map_err(Stop::problem)?;
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
    let done = insert(&hub, &new, &pair).await;
    database.close().await?;
    let done = done.map_err(Stop::problem)?;
    if !done {
        return Err(Stop::problem(format!("the name {name} is taken; choose another one")));
    }
    terminal::say(format_args!("api key:        {key}"));
    terminal::say(format_args!("webhook secret: {}", secret.shown.expose()));
    terminal::say(format_args!("public key:     {}", VerifyingKey::from(pair.public)));
    terminal::say("key and secret are shown this once; the database holds a hash of the key");
    Ok(Exit::Done)
}

/// Writes a key down with its line on the audit trail; false when the name is taken.
async fn insert(hub: &Hub, new: &NewApplication<'_>, pair: &NewPair) -> Result<bool, StoreError> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await?;
    if !applications::insert(&tx, new).await? {
        return Ok(false);
    }
    let name = new.application_id.as_str();
    endpoints::give_pair(&tx, name, &pair.sealed, &pair.public).await?;
    let act = Act::of(OPERATOR, "key.added", name, json!({"webhook": new.webhook_url.is_some()}));
    audit::write_down(&tx, &hub.sealer, &[act], new.now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Takes a key back, with its line on the audit trail: whether it stands in the configuration file.
async fn revoke(hub: &Hub, name: &ApplicationId) -> Result<Option<bool>, StoreError> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await?;
    let revoked = applications::revoke(&tx, name.as_str(), now).await?;
    if revoked.is_some() {
        let act = Act::of(OPERATOR, "key.revoked", name.as_str(), json!({}));
        audit::write_down(&tx, &hub.sealer, &[act], now).await?;
    }
    tx.commit().await?;
    Ok(revoked)
}
