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
const CONCURRENCY: &str = "give a whole number from 1 to 64, or leave it out for 4";

/// How many events are under way to one endpoint at once, when nobody says otherwise.
pub const USUAL_CONCURRENCY: u8 = 4;
/// The most that may be.
pub const MOST_CONCURRENCY: u8 = 64;

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
    /// The secret before it: as long as it stands in the file, both sign.
    pub previous: Option<Secret>,
    /// How many events may be under way at once, 1 to 64.
    pub concurrency: u8,
}

pub(super) fn read(section: &Section<'_>) -> Result<Application, ConfigError> {
    section.only(&[
        "id",
        "api_key",
        "webhook_url",
        "webhook_secret",
        "webhook_secret_previous",
        "webhook_concurrency",
        "webhook_events",
    ])?;
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
        let beside = ["webhook_secret", "webhook_secret_previous", "webhook_concurrency"];
        return match beside.into_iter().find(|key| section.has(key)) {
            Some(key) => {
                Err(section.fault("webhook_url", "missing", format!("give it beside {key}")))
            }
            None => Ok(None),
        };
    };
    let text = section.needed("webhook_secret", WEBHOOK_SECRET)?;
    let secret = secret(section, "webhook_secret", text)?;
    let previous = section.text("webhook_secret_previous")?;
    let previous = previous.map(|text| self::secret(section, "webhook_secret_previous", text));
    let concurrency = match section.text_or_number("webhook_concurrency")? {
        None => USUAL_CONCURRENCY,
        Some(number) => number
            .parse()
            .ok()
            .filter(|number| (1..=MOST_CONCURRENCY).contains(number))
            .ok_or_else(|| section.fault("webhook_concurrency", "out of range", CONCURRENCY))?,
    };
    Ok(Some(Webhook { url, secret, previous: previous.transpose()?, concurrency }))
}

fn secret(section: &Section<'_>, key: &str, text: String) -> Result<Secret, ConfigError> {
    text.parse::<WebhookSecret>()
        .map_err(|fault| section.fault(key, fault.to_string(), WEBHOOK_SECRET))?;
    Ok(Secret::new(text))
}

fn event(section: &Section<'_>, word: String) -> Result<EventType, ConfigError> {
    let mend = "give office-wide ones, reconciliation.completed, difference.opened or \
                difference.resolved; an application's own come anyway";
    let known = serde_json::from_value::<EventType>(serde_json::Value::String(word.clone()));
    known.ok().filter(|event| event.is_office_wide()).ok_or_else(|| {
        section.fault("webhook_events", format!("`{word}` is no office-wide event"), mend)
    })
}
