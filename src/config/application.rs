//! `[[applications]]`: the backend services that use the hub, as far as the file names them.

use adapters::webhook::WebhookSecret;
use domain::event::EventType;
use domain::ids::ApplicationId;
use domain::personal::Secret;
use url::Url;

use super::error::ConfigError;
use super::section::Section;

const ID: &str = "give the backend service's name: 1 to 64 of 0-9 a-z A-Z _ -";
const KEY: &str = "make one with `openssl rand -hex 32`";
const WEBHOOK_SECRET: &str =
    "make one with `echo whsec_$(openssl rand -base64 32)` and give it to the backend too";

/// A backend service.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its name.
    pub id: ApplicationId,
    /// What it shows to be let in; the database holds a hash only.
    pub api_key: Secret,
    /// Where it is told of events, and the secret that signs them.
    pub webhook: Option<Webhook>,
    /// The office-wide events that it wants as well (`reconciliation.*`, `difference.*`).
    pub webhook_events: Vec<EventType>,
}

/// Where a backend service is told of events. A URL of the file is trusted, private or not.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address.
    pub url: Url,
    /// The Standard Webhooks secret, `whsec_…`.
    pub secret: Secret,
}

pub(super) fn read(section: &Section<'_>) -> Result<Application, ConfigError> {
    section.only(&["id", "api_key", "webhook_url", "webhook_secret", "webhook_events"])?;
    let api_key = section.needed("api_key", KEY)?;
    if !api_key.bytes().all(|b| b.is_ascii_graphic()) || api_key.len() > 256 {
        let what = "has blanks, letters beyond ASCII, or over 256 characters";
        return Err(section.fault("api_key", what, KEY));
    }
    let webhook_events = section
        .texts("webhook_events")?
        .into_iter()
        .map(|word| event(section, word))
        .collect::<Result<_, _>>()?;
    Ok(Application {
        id: section.id(ID)?,
        api_key: Secret::new(api_key),
        webhook: webhook(section)?,
        webhook_events,
    })
}

fn webhook(section: &Section<'_>) -> Result<Option<Webhook>, ConfigError> {
    let Some(url) = section.url("webhook_url", false)? else {
        return if section.has("webhook_secret") {
            Err(section.fault("webhook_url", "missing", "give it beside webhook_secret"))
        } else {
            Ok(None)
        };
    };
    let secret = section.needed("webhook_secret", WEBHOOK_SECRET)?;
    secret
        .parse::<WebhookSecret>()
        .map_err(|fault| section.fault("webhook_secret", fault.to_string(), WEBHOOK_SECRET))?;
    Ok(Some(Webhook { url, secret: Secret::new(secret) }))
}

fn event(section: &Section<'_>, word: String) -> Result<EventType, ConfigError> {
    let mend = "give event types, such as reconciliation.completed or difference.opened";
    let what = format!("`{word}` is no event type");
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|_fault| section.fault("webhook_events", what, mend))
}
