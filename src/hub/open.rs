//! Puts a hub together from its configuration: database first, then keys, merchants, channels and
//! the backend services of the file.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

use domain::Clock;
use domain::bank_calendar::BankCalendar;
use domain::calendar::{Calendar, CalendarError};
use domain::event::EventType;
use domain::personal::Secret;
use jiff::{SignedDuration, Timestamp};

use super::{Channel, Health, Hub, Merchant, Signals, Templates};
use crate::config::{self, Config, Place, USUAL_CONCURRENCY};
use crate::dispatch::Webhooks;
use crate::keys::Renewals;
use crate::outbound::{NoClient, Outbound, Trust};
use crate::postgres::{Binaries, PostgresError, PrivatePostgres};
use crate::seal::{Purpose, SealError};
use crate::store::applications::NewApplication;
use crate::store::{Store, StoreError, applications, callbacks, endpoints, events, migrate};
use crate::webhooks;

/// The database's name in a private PostgreSQL.
const DATABASE: &str = "postgres";
/// How far ahead the next month's evidence partitions are made.
const NEXT_MONTH: SignedDuration = SignedDuration::from_hours(24 * 15);

/// Why the hub cannot be put together. Each is one line with its mend.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The private PostgreSQL did not start.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The database's URL is none.
    #[error("database.url: {0}; give postgres://user:password@host/database")]
    Url(String),
    /// The database does not answer.
    #[error(
        "database.url: cannot reach the database: {0}; is it running, and is the address right?"
    )]
    Unreachable(String),
    /// The database refused.
    #[error("{0}; check [database]: is it running, and may this user reach it?")]
    Store(#[from] StoreError),
    /// The schema is for newer programs.
    #[error("{0}")]
    Schema(String),
    /// No calls can be made.
    #[error(transparent)]
    Client(#[from] NoClient),
    /// The hub has no calendar.
    #[error("the calendar that the hub brings along cannot be read: {0}")]
    Calendar(&'static CalendarError),
    /// A secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A task of the start did not end.
    #[error("the start was interrupted: {0}")]
    Interrupted(String),
}

/// The database and, where it is a private one, its server, which stops with the last hub.
pub struct Database {
    /// The pool.
    pub store: Store,
    /// The server that this hub keeps running.
    pub private: Option<PrivatePostgres>,
}

impl Database {
    /// Reaches the configured database, starting a private one.
    ///
    /// # Errors
    /// When it cannot be started or reached.
    pub async fn reach(configured: &config::Database) -> Result<Self, OpenError> {
        let (settings, private) = match &configured.place {
            Place::Url(url) => {
                let settings = tokio_postgres::Config::from_str(url.expose())
                    .map_err(|error| OpenError::Url(error.to_string()))?;
                (settings, None)
            }
            Place::Private(home) => {
                let home = home.clone();
                let binaries = Binaries {
                    explicit: configured.postgres_bin.clone(),
                    also: configured.postgres_search.clone(),
                };
                let started = tokio::task::spawn_blocking(move || {
                    PrivatePostgres::start(&home.join("postgres"), &binaries)
                })
                .await
                .map_err(|error| OpenError::Interrupted(error.to_string()))??;
                let mut settings = tokio_postgres::Config::new();
                settings.host_path(started.socket_dir()).user(started.user()).dbname(DATABASE);
                (settings, Some(started))
            }
        };
        let store = Store::new(settings)?;
        let reached = store.client().await;
        drop(reached.map_err(|error| OpenError::Unreachable(causes(&error)))?);
        Ok(Self { store, private })
    }

    /// Leaves everything as it is, as a killed hub does: a private server runs on, and the next hub
    /// adopts it.
    pub fn abandon(self) {
        std::mem::forget(self.private);
    }

    /// Lets go of the database; a private server stops when no other hub uses it.
    ///
    /// # Errors
    /// When the private server does not stop.
    pub async fn close(self) -> Result<(), OpenError> {
        self.store.close();
        if let Some(private) = self.private {
            tokio::task::spawn_blocking(move || private.stop())
                .await
                .map_err(|error| OpenError::Interrupted(error.to_string()))??;
        }
        Ok(())
    }
}

/// The innermost cause of an error, which says what a person can do something about.
fn causes(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Puts a hub together over a database whose schema is current. What the file says of backend
/// services is not written: [`take_applications`] does that, when a hub begins to serve.
///
/// # Errors
/// When a part cannot be made.
pub async fn open(config: &Config, store: Store, clock: Arc<dyn Clock>) -> Result<Hub, OpenError> {
    let sealer = config.master_key.sealer();
    let mut ranked: Vec<&config::Merchant> = config.merchants.iter().collect();
    // Only newer interfaces combine payments; the sort keeps the order of the file.
    ranked.sort_by_key(|merchant| merchant.provider.combined().is_none());
    let merchants = ranked.into_iter().enumerate().map(|(rank, merchant)| {
        let notify_url = config.server.callback_url(&merchant.id);
        let provider = Arc::clone(&merchant.provider);
        let (id, queries, fund_flow) = (merchant.id.clone(), merchant.queries, merchant.fund_flow);
        (id.clone(), Merchant { id, provider, notify_url, rank, queries, fund_flow })
    });
    let channels = config.channels.iter().map(|channel| {
        let vendor = Arc::clone(&channel.vendor);
        let receipt_token = channel.receipt_token.clone();
        (channel.id.clone(), Channel { vendor, receipt_token })
    });
    let working = Calendar::built_in().map_err(OpenError::Calendar)?;
    let days = config.bank.clone();
    let hub = Hub {
        sealer,
        merchants: merchants.collect(),
        channels: channels.collect::<BTreeMap<_, _>>(),
        outbound: outbound(config)?,
        renewals: Renewals::of(config.merchants.iter().map(|merchant| &merchant.id)),
        policy: config.policy,
        pay_gates: config.pay_gates.clone(),
        intake: config.callbacks,
        templates: Templates(config.templates.clone()),
        webhook_networks: config.webhook_networks.clone(),
        webhooks: Webhooks::new(&config.webhook_networks),
        signals: Signals::default(),
        health: Health::default(),
        office: config.office_name.clone(),
        fiscal_items: config.fiscal_items.clone(),
        payers: config.payer_accounts.clone(),
        bank: BankCalendar::new(working, days.closed, days.open),
        store,
        clock,
    };
    prepare_months(&hub).await?;
    go_on_with_the_feed(&hub).await?;
    Ok(hub)
}

/// The way out. Where every provider and vendor is on loopback, no certificates are needed.
fn outbound(config: &Config) -> Result<Outbound, NoClient> {
    let trust = if is_loopback_only(config) { Trust::Nobody } else { Trust::Machine };
    let identities = config.merchants.iter().filter_map(|merchant| {
        merchant.client_identity.as_ref().map(|identity| (&merchant.id, identity))
    });
    Outbound::new(&trust, identities)
}

fn is_loopback_only(config: &Config) -> bool {
    config.merchants.iter().all(crate::config::Merchant::is_sandbox)
        && config.channels.iter().all(|channel| channel.endpoint.starts_with("http://"))
}

/// Brings the schema up to date, as `database.migrate` says; without that it may be behind, and
/// `/readyz` tells. A newer program's schema with which this one cannot work is not touched.
///
/// # Errors
/// When a migration fails, or the schema needs a newer program.
pub async fn migrate_if_asked(config: &Config, store: &Store) -> Result<(), OpenError> {
    if config.database.migrate {
        migrate::migrate(store).await?;
    }
    let version = migrate::version(store).await?;
    match version.fault() {
        Some(fault) if version.fit() == migrate::Fit::Beyond => Err(OpenError::Schema(fault)),
        _ => Ok(()),
    }
}

/// Makes the evidence partitions of this month and the next.
///
/// # Errors
/// When the database refuses.
pub async fn prepare_months(hub: &Hub) -> Result<(), StoreError> {
    let now = hub.clock.now();
    let next = now.saturating_add(NEXT_MONTH).unwrap_or(Timestamp::MAX);
    let client = hub.store.client().await?;
    callbacks::prepare_month(&client, now).await?;
    callbacks::prepare_month(&client, next).await
}

/// Has the feed of events go on behind what it holds, also where the database was moved to another
/// cluster meanwhile.
async fn go_on_with_the_feed(hub: &Hub) -> Result<(), StoreError> {
    let client = hub.store.client().await?;
    if let Some(epoch) = events::begin_epoch(&client, hub.clock.now()).await? {
        tracing::info!(epoch, "the database came from another cluster; the feed goes on behind it");
    }
    Ok(())
}

/// Writes the backend services of the configuration file into the database, when a hub begins to
/// serve: their endpoints that said that they are gone are tried anew. No other command does so,
/// whose file may be older than that of the hubs at work.
///
/// # Errors
/// When the database refuses.
pub async fn take_applications(hub: &Hub, config: &Config) -> Result<(), OpenError> {
    let client = hub.store.client().await?;
    for application in &config.applications {
        let key_hash = hub.sealer.api_key_hash(application.api_key.expose());
        let context = secret_context(application.id.as_str());
        let seal = |secret: &Secret| {
            let text = secret.expose().as_bytes();
            hub.sealer.seal(Purpose::WebhookSecret, text, context.as_bytes())
        };
        let webhook = application.webhook.as_ref();
        let secret = webhook.map(|webhook| seal(&webhook.secret)).transpose()?;
        let previous = webhook.and_then(|webhook| webhook.previous.as_ref()).map(seal);
        let previous = previous.transpose()?;
        let events: Vec<String> = application
            .webhook_events
            .iter()
            .map(|event: &EventType| event.as_str().to_owned())
            .collect();
        let new = NewApplication {
            application_id: &application.id,
            key_hash: &key_hash,
            webhook_url: webhook.map(|webhook| webhook.url.as_str()),
            webhook_secret: secret.as_deref(),
            webhook_previous: previous.as_deref(),
            webhook_events: &events,
            concurrency: webhook.map_or(USUAL_CONCURRENCY, |webhook| webhook.concurrency).into(),
            now: hub.clock.now(),
        };
        applications::upsert(&client, &new).await?;
    }
    for application in endpoints::without_pair(&client).await? {
        let pair = webhooks::new_pair(&hub.sealer, application.as_str())?;
        endpoints::give_pair(&client, application.as_str(), &pair.sealed, &pair.public).await?;
    }
    Ok(())
}

/// The place for which an application's webhook secret is sealed.
#[must_use]
pub fn secret_context(application: &str) -> String {
    format!("applications.webhook_secret:{application}")
}
