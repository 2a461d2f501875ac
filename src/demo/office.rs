//! A whole office in one process: hub, providers' sandbox and the backend's webhook receiver, each
//! over real HTTP on loopback, on one clock that is moved by hand. The demonstration and the tests
//! live in it; `serve` never does.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use domain::ManualClock;
use jiff::{SignedDuration, Timestamp};
use sandbox::{Running as RunningSandbox, Sandbox, SandboxConfig};
use serde_json::Value;

use super::at_work::{AtWork, Ground};
use super::receiver::Receiver;
use super::settings::{API_KEY, WEBHOOK_SECRET, configuration, filled};
use crate::config::{Config, Environment};
use crate::fault::Fault;
use crate::http;
use crate::hub::Hub;
use crate::store::Store;
use crate::{cases, dispatch, keys, orders, payers, reconcile, refunds};

/// How often workers are asked again before the office counts as restless.
const ROUNDS: usize = 200;

/// The merchant of WeChat Pay.
pub const WECHAT: &str = "registry-wechat";
/// The merchant of Alipay.
pub const ALIPAY: &str = "registry-alipay";

/// A running office.
pub struct Office {
    /// The hub's parts.
    pub hub: Arc<Hub>,
    /// The hands of the clock.
    pub clock: ManualClock,
    /// The providers.
    pub sandbox: RunningSandbox,
    /// Where the backend service is told of events.
    pub receiver: Receiver,
    /// `None` between a kill and the next start.
    at_work: Option<AtWork>,
    /// The socket outlives the hubs that serve on it, so that providers call back where they were
    /// told to.
    socket: TcpListener,
    address: SocketAddr,
    client: reqwest::Client,
    config: Arc<Config>,
}

/// A second hub over the same database, as a second process would be.
pub struct Twin {
    /// Its parts.
    pub hub: Arc<Hub>,
    at_work: AtWork,
}

impl Twin {
    /// Its URL for a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at_work.server.address())
    }

    /// Lets its workers work once; how much they did.
    ///
    /// # Errors
    /// When a worker fails.
    pub async fn work(&self) -> Result<usize, OfficeError> {
        work(&self.at_work).await
    }

    /// Stops it.
    pub async fn close(self) {
        self.at_work.stop().await;
    }

    /// Ends it where it stands.
    pub async fn kill(self) {
        self.at_work.kill().await;
    }
}

/// What an office is opened with.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The time on the clock.
    pub now: Timestamp,
    /// Where the hub listens.
    pub listen: SocketAddr,
    /// What all chance at the providers is drawn from.
    pub seed: u64,
    /// Further tables of `payhub.toml`; `{providers}` in it stands for the providers' address,
    /// `{pasted}` for the tables that `payhub sandbox` prints.
    pub more: &'a str,
    /// What is other at the providers than usual.
    pub arrange: fn(&mut SandboxConfig),
}

/// Why an office does not open, or does not go on: a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OfficeError(pub String);

/// Any error as a sentence.
pub(super) fn told(error: impl std::fmt::Display) -> OfficeError {
    OfficeError(error.to_string())
}

impl From<Fault> for OfficeError {
    fn from(fault: Fault) -> Self {
        Self(fault.detail)
    }
}

impl Office {
    /// Opens an office over an empty database.
    ///
    /// # Errors
    /// The part that did not start.
    pub async fn open(store: Store, opening: &Opening<'_>) -> Result<Self, OfficeError> {
        Self::open_on(Ground::Shared(store), opening).await
    }

    /// Opens an office whose hub works on a runtime of its own, so that it can be
    /// [killed](Self::kill) and [started again](Self::start_again).
    ///
    /// # Errors
    /// The part that did not start.
    pub async fn open_apart(
        database: tokio_postgres::Config,
        opening: &Opening<'_>,
    ) -> Result<Self, OfficeError> {
        Self::open_on(Ground::Own(Box::new(database)), opening).await
    }

    async fn open_on(ground: Ground, opening: &Opening<'_>) -> Result<Self, OfficeError> {
        let clock = ManualClock::at(opening.now);
        let mut providers = SandboxConfig::development();
        providers.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        providers.seed = opening.seed;
        providers.auto_tick = false;
        (opening.arrange)(&mut providers);
        let merchant_key = published(providers.wechat.first().map(|it| &it.published_private_key));
        let app_key = published(providers.alipay.first().map(|it| &it.published_private_key));
        let sandbox = Sandbox::start(&providers, Arc::new(clock.clone())).map_err(told)?;
        let receiver = Receiver::start(WEBHOOK_SECRET).await?;
        // The hub tells providers where to call back, so its address must be known beforehand.
        let socket = http::bind(opening.listen).map_err(told)?;
        let address = socket.local_addr().map_err(told)?;
        let text = configuration(
            address,
            &sandbox.base_url(),
            &receiver.url(),
            [&merchant_key, &app_key],
            &filled(opening.more, &sandbox),
        );
        let config = Config::parse(&text, Path::new("demonstration.toml"), &Environment::of([]))
            .map_err(told)?;
        let config = Arc::new(config);
        let its_end = socket.try_clone().map_err(told)?;
        let at_work = AtWork::start(&config, ground, Arc::new(clock.clone()), its_end).await?;
        let account = providers.sms.first().map(|sms| sms.access_key_id.clone());
        let receipts = format!("http://{address}/callbacks/sms/sms-main/demonstration-receipts");
        sandbox.engine().set_receipt_url(&account.unwrap_or_default(), &receipts).map_err(told)?;
        let client =
            reqwest::Client::builder().tls_certs_only([]).no_proxy().build().map_err(told)?;
        let hub = Arc::clone(&at_work.hub);
        let at_work = Some(at_work);
        Ok(Self { hub, clock, sandbox, receiver, at_work, socket, address, client, config })
    }

    /// Ends the hub where it stands, as a crash would; providers and receiver go on.
    pub async fn kill(&mut self) {
        if let Some(at_work) = self.at_work.take() {
            at_work.kill().await;
        }
    }

    /// Starts another hub at the same address over a database, on a runtime of its own; one that
    /// still works is killed.
    ///
    /// # Errors
    /// The part that did not start.
    pub async fn start_again(
        &mut self,
        database: tokio_postgres::Config,
    ) -> Result<(), OfficeError> {
        self.kill().await;
        let socket = self.socket.try_clone().map_err(told)?;
        let clock = Arc::new(self.clock.clone());
        let ground = Ground::Own(Box::new(database));
        let at_work = AtWork::start(&self.config, ground, clock, socket).await?;
        self.hub = Arc::clone(&at_work.hub);
        self.at_work = Some(at_work);
        Ok(())
    }

    /// Opens a second hub over the same database, with the same configuration and clock.
    ///
    /// # Errors
    /// The part that did not start.
    pub async fn twin(&self, store: Store) -> Result<Twin, OfficeError> {
        self.twin_on(Ground::Shared(store)).await
    }

    /// Opens a second hub as [`twin`](Self::twin) does, on a runtime of its own.
    ///
    /// # Errors
    /// The part that did not start.
    pub async fn twin_apart(&self, database: tokio_postgres::Config) -> Result<Twin, OfficeError> {
        self.twin_on(Ground::Own(Box::new(database))).await
    }

    async fn twin_on(&self, ground: Ground) -> Result<Twin, OfficeError> {
        let clock = Arc::new(self.clock.clone());
        let socket = http::bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(told)?;
        let at_work = AtWork::start(&self.config, ground, clock, socket).await?;
        Ok(Twin { hub: Arc::clone(&at_work.hub), at_work })
    }

    /// Where the hub listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Calls the hub as the backend service does; status and body.
    ///
    /// # Errors
    /// When the hub does not answer with JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), OfficeError> {
        let request = self
            .client
            .post(self.url(path))
            .bearer_auth(API_KEY)
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(request).await
    }

    /// Asks the hub as the backend service does; status and body.
    ///
    /// # Errors
    /// When the hub does not answer with JSON.
    pub async fn get(&self, path: &str) -> Result<(u16, Value), OfficeError> {
        answer(self.client.get(self.url(path)).bearer_auth(API_KEY)).await
    }

    /// The client with which the backend service calls, for requests of their own kind.
    #[must_use]
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The hub's URL for a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The backend service's key.
    #[must_use]
    pub const fn api_key() -> &'static str {
        API_KEY
    }

    /// Lets the providers call back and the workers work until nobody has anything to do at the
    /// present time.
    ///
    /// # Errors
    /// When a worker fails, or they never come to rest.
    pub async fn settle(&self) -> Result<(), OfficeError> {
        for _ in 0..ROUNDS {
            let delivered = self.sandbox.deliver_due().await;
            let done = self.work().await?;
            if delivered.sent == 0 && delivered.dropped == 0 && done == 0 {
                return Ok(());
            }
        }
        Err(OfficeError(
            "the office does not come to rest: something is due again and again".to_owned(),
        ))
    }

    /// Lets every worker of the hub work once; how much they did.
    ///
    /// # Errors
    /// When a worker fails, or the hub is killed meanwhile.
    pub async fn work(&self) -> Result<usize, OfficeError> {
        let killed = || OfficeError("the hub is killed".to_owned());
        work(self.at_work.as_ref().ok_or_else(killed)?).await
    }

    /// Moves the clock and lets everything happen that is due then.
    ///
    /// # Errors
    /// When the office does not settle.
    pub async fn pass(&self, time: SignedDuration) -> Result<(), OfficeError> {
        self.clock.advance(time);
        self.settle().await
    }

    /// Closes the office.
    pub async fn close(self) {
        if let Some(at_work) = self.at_work {
            at_work.stop().await;
        }
        self.receiver.stop().await;
        self.sandbox.stop().await;
    }
}

/// Lets every worker of a hub work once; how much they did.
async fn work(at: &AtWork) -> Result<usize, OfficeError> {
    let renewed = at.work(|hub| async move { keys::run_once(&hub).await }).await?;
    let followed = at.work(|hub| async move { orders::run_once(&hub).await }).await?;
    let refunded = at.work(|hub| async move { refunds::run_once(&hub).await }).await?;
    let lit = at.work(|hub| async move { cases::run_once(&hub).await }).await?;
    let sent = at.work(|hub| async move { dispatch::run_once(&hub).await }).await?;
    let reconciled = at.work(|hub| async move { reconcile::run_once(&hub).await }).await?;
    let closed = at.work(|hub| async move { payers::run_once(&hub).await }).await?;
    Ok([renewed, followed, refunded, lit, sent, reconciled, closed]
        .into_iter()
        .fold(0_usize, usize::saturating_add))
}

fn published(key: Option<&Option<String>>) -> String {
    key.cloned().flatten().unwrap_or_default()
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(u16, Value), OfficeError> {
    let response = request.send().await.map_err(told)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(told)?;
    let value = serde_json::from_slice(&body).map_err(|error| {
        OfficeError(format!("status {status}, and the body is no JSON ({error})"))
    })?;
    Ok((status, value))
}
