//! A whole office in one process: hub, providers' sandbox and the backend's webhook receiver, each
//! over real HTTP on loopback, on one clock that is moved by hand. The demonstration and the tests
//! live in it; `serve` never does.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use domain::ManualClock;
use jiff::{SignedDuration, Timestamp};
use sandbox::{Running as RunningSandbox, Sandbox, SandboxConfig};
use serde_json::Value;

use super::receiver::Receiver;
use crate::commands::paste;
use crate::config::{Config, Environment};
use crate::fault::Fault;
use crate::http::{self, HttpOptions};
use crate::hub::{self, Hub};
use crate::store::{Store, migrate};
use crate::{cases, dispatch, keys, orders, reconcile, refunds};

const WECHATPAY_PUBLIC: &str = include_str!("../../fixtures/keys/wechatpay_platform_pub.pem");
const ALIPAY_PUBLIC: &str = include_str!("../../fixtures/keys/alipay_platform_pub.pem");
/// The backend service's key: good on loopback, for one process.
const API_KEY: &str = "phk_demonstration_only_0000000000000000";
const WEBHOOK_SECRET: &str = "whsec_cGF5aHViIGRlbW9uc3RyYXRpb24gc2VjcmV0IDAwMDE=";
const MASTER_KEY: &str = "cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=";
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
    server: http::Running,
    client: reqwest::Client,
    config: Config,
}

/// A second hub over the same database, as a second process would be.
pub struct Twin {
    /// Its parts.
    pub hub: Arc<Hub>,
    server: http::Running,
}

impl Twin {
    /// Its URL for a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Stops it.
    pub async fn close(self) {
        self.server.stop().await;
        self.hub.store.close();
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
        migrate::migrate(&store).await.map_err(told)?;
        let hub = hub::open(&config, store, Arc::new(clock.clone())).await.map_err(told)?;
        let hub = Arc::new(hub);
        let options = HttpOptions { api: true, works: true };
        let server = http::serve(Arc::clone(&hub), socket, options).map_err(told)?;
        let account = providers.sms.first().map(|sms| sms.access_key_id.clone());
        let receipts = format!("http://{address}/callbacks/sms/sms-main/demonstration-receipts");
        sandbox.engine().set_receipt_url(&account.unwrap_or_default(), &receipts).map_err(told)?;
        let client =
            reqwest::Client::builder().tls_certs_only([]).no_proxy().build().map_err(told)?;
        Ok(Self { hub, clock, sandbox, receiver, server, client, config })
    }

    /// Opens a second hub over the same database, with the same configuration and clock.
    ///
    /// # Errors
    /// The part that did not start.
    pub async fn twin(&self, store: Store) -> Result<Twin, OfficeError> {
        let clock = Arc::new(self.clock.clone());
        let hub = Arc::new(hub::open(&self.config, store, clock).await.map_err(told)?);
        let socket = http::bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(told)?;
        let options = HttpOptions { api: true, works: true };
        let server = http::serve(Arc::clone(&hub), socket, options).map_err(told)?;
        Ok(Twin { hub, server })
    }

    /// Where the hub listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
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
        format!("http://{}{path}", self.server.address())
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
            let renewed = keys::run_once(&self.hub).await?;
            let delivered = self.sandbox.deliver_due().await;
            let followed = orders::run_once(&self.hub).await?;
            let refunded = refunds::run_once(&self.hub).await?;
            let lit = cases::run_once(&self.hub).await?;
            let sent = dispatch::run_once(&self.hub).await?;
            let reconciled = reconcile::run_once(&self.hub).await?;
            let work = [renewed, followed, refunded, lit, sent, reconciled];
            if delivered.sent == 0 && delivered.dropped == 0 && work.iter().all(|done| *done == 0) {
                return Ok(());
            }
        }
        Err(OfficeError(
            "the office does not come to rest: something is due again and again".to_owned(),
        ))
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
        self.server.stop().await;
        self.receiver.stop().await;
        self.sandbox.stop().await;
        self.hub.store.close();
    }
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

/// The further tables with what is known of the providers only once they run.
fn filled(more: &str, sandbox: &RunningSandbox) -> String {
    let more = more.replace("{providers}", &sandbox.base_url());
    if !more.contains("{pasted}") {
        return more;
    }
    let pasted = paste::toml(&sandbox.engine().connection());
    more.replace("{pasted}", &pasted.unwrap_or_default())
}

/// The office's `payhub.toml`.
fn configuration(
    address: SocketAddr,
    providers: &str,
    webhook_url: &str,
    [merchant_key, app_key]: [&str; 2],
    more: &str,
) -> String {
    format!(
        r#"
[server]
listen = "{address}"
public_url = "http://{address}"
[database]
url = "postgres://unused@127.0.0.1/unused"
[security]
master_key = "{MASTER_KEY}"
[[merchants]]
id = "{WECHAT}"
provider = "wechat"
mchid = "1900000001"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{merchant_key}"""
apiv3_key = "{apiv3_key}"
wechatpay_public_key_id = "PUB_KEY_ID_0114232134912410000000000000"
wechatpay_public_key = """{WECHATPAY_PUBLIC}"""
base_url = "{providers}"
[[merchants]]
id = "{ALIPAY}"
provider = "alipay"
app_id = "2021000000000000"
seller_id = "2088000000000000"
app_private_key = """{app_key}"""
alipay_public_key = """{ALIPAY_PUBLIC}"""
gateway_url = "{providers}/gateway.do"
[[channels]]
id = "sms-main"
kind = "aliyun-sms"
access_key_id = "sandboxAccessKeyId"
access_key_secret = "sandboxAccessKeySecret"
sign_name = "园区不动产"
endpoint = "{providers}"
receipt_token = "demonstration-receipts"
[[templates]]
event = "FEE.ISSUED"
channel = "sms-main"
code = "SMS_100001"
locale = "zh-CN"
[[templates]]
event = "PAY.SUCCEEDED"
channel = "sms-main"
code = "SMS_100002"
locale = "zh-CN"
[[applications]]
id = "registry"
api_key = "{API_KEY}"
webhook_url = "{webhook_url}"
webhook_secret = "{WEBHOOK_SECRET}"
webhook_events = ["reconciliation.completed", "difference.opened"]
[office]
name = "园区不动产登记中心（演示）"
{more}
"#,
        apiv3_key = include_str!("../../fixtures/keys/wechat_v3_key.txt").trim(),
    )
}
