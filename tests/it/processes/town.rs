//! Hubs as real processes over one database: each is `payhub serve` with a `payhub.toml` of its own,
//! killed or told to stop like any process. The providers and the backend's receiver live in the
//! test. All of them go by the machine's clock: here alone tests wait, by asking again, and each
//! wait has a generous end.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use payhub::clock::SystemClock;
use payhub::config::{Config, Environment};
use payhub::demo::{ALIPAY, Receiver, WECHAT};
use payhub::hub::{self, Hub};
use sandbox::{Running as RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::cluster::Lent;
use crate::harness::word;

/// The backend service's key.
pub(crate) const API_KEY: &str = "phk_several_processes_00000000000000000000";
const WEBHOOK_SECRET: &str = "whsec_cGF5aHViIGRlbW9uc3RyYXRpb24gc2VjcmV0IDAwMDE=";
/// How long a hub may take to be ready, on a machine that does much else.
const READY: Duration = Duration::from_secs(60);
/// How long a wait lasts before it is asked again.
const PAUSE: Duration = Duration::from_millis(10);

/// Everything around the hubs: database, providers, the backend's receiver, and a caller.
pub(crate) struct Town {
    /// The providers, on the machine's clock, with a hundredth of a provider's gaps.
    pub(crate) sandbox: RunningSandbox,
    /// Where webhooks go.
    pub(crate) receiver: Receiver,
    /// Who calls the hubs; its answers are waited for half a minute.
    pub(crate) client: reqwest::Client,
    database: Lent,
    folder: PathBuf,
    more: String,
    /// How long a hub that stops still takes requests.
    pub(crate) drain_s: u32,
}

impl Town {
    /// A town without a hub.
    pub(crate) async fn open() -> Self {
        Self::open_with("", |_as_usual| {}).await
    }

    /// A town with further tables for every hub, whose providers are other than usual.
    pub(crate) async fn open_with(more: &str, arrange: fn(&mut SandboxConfig)) -> Self {
        let database = Lent::new().await;
        let mut providers = SandboxConfig::development();
        providers.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        providers.callback_compression = 100;
        arrange(&mut providers);
        let sandbox = Sandbox::start(&providers, Arc::new(SystemClock)).unwrap();
        let receiver = Receiver::start(WEBHOOK_SECRET).await.unwrap();
        let name = database.url().rsplit('/').next().unwrap().to_owned();
        let folder = std::env::temp_dir().join(format!("payhub-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Self { sandbox, receiver, client, database, folder, more: more.to_owned(), drain_s: 0 }
    }

    /// Starts a hub in a role (`all`, `api`, `worker`) on a port of its own; ready when it is given.
    pub(crate) async fn hub(&self, role: &str) -> Process {
        let mut process = self.unready_hub(role);
        process.start();
        process.ready(&self.client).await;
        process
    }

    /// A hub that has not been started yet.
    pub(crate) fn unready_hub(&self, role: &str) -> Process {
        // Free now, and nobody else's in a moment.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = self.folder.join(format!("{}.toml", address.port()));
        std::fs::write(&config, self.configuration(address)).unwrap();
        Process { address, role: role.to_owned(), config, child: None }
    }

    /// A direct connection to the database.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        self.database.connect().await
    }

    /// The ids of the events of the application's own things, in the order in which they were
    /// written. What the hubs find of yesterday, at some hours, is nobody's.
    pub(crate) async fn events(&self) -> Vec<String> {
        let own = "SELECT event_id FROM events WHERE application_id IS NOT NULL ORDER BY position";
        let rows = self.database().await.query(own, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How many rows a query counts.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        self.database().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Posts to a hub as the backend service does; status and body.
    pub(crate) async fn post(&self, hub: &Process, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(hub.url(path)).bearer_auth(API_KEY).body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// What a hub answers to a GET; status and body.
    pub(crate) async fn get(&self, hub: &Process, path: &str) -> (u16, Value) {
        let request = self.client.get(hub.url(path)).bearer_auth(API_KEY);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// Every lease is over: what a dead hub held is anybody's.
    pub(crate) async fn let_leases_end(&self) {
        self.database.end_leases().await;
    }

    /// Runs a command with a configuration of its own, which says `instead` of the hubs' where
    /// theirs says `of`.
    pub(crate) fn command(&self, arguments: &[&str], (of, instead): (&str, &str)) -> Output {
        let config = self.folder.join("command.toml");
        let text = self.configuration(SocketAddr::from(([127, 0, 0, 1], 1)));
        assert!(text.contains(of), "{of}");
        std::fs::write(&config, text.replace(of, instead)).unwrap();
        Command::new(env!("CARGO_BIN_EXE_payhub"))
            .args(arguments)
            .arg("--config")
            .arg(&config)
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// A fee of 80 yuan; its id.
    pub(crate) async fn fee(&self, hub: &Process, case_no: &str) -> String {
        let (status, fee) = self.post(hub, "/v1/fees", &fee_body(case_no)).await;
        assert_eq!(status, 201, "{fee}");
        word(&fee, "id")
    }

    /// A pending order of a merchant for one fresh fee.
    pub(crate) async fn order(&self, hub: &Process, merchant: &str, case_no: &str) -> Value {
        let fee = self.fee(hub, case_no).await;
        let (status, order) = self.post(hub, "/v1/orders", &order_body(merchant, &fee)).await;
        assert_eq!(status, 201, "{order}");
        order
    }

    /// A hub in the test's own process, without HTTP and workers, on the same database and clock.
    pub(crate) async fn insider(&self) -> Hub {
        let text = self.configuration(SocketAddr::from(([127, 0, 0, 1], 1)));
        let file = self.folder.join("insider.toml");
        let config = Config::parse(&text, &file, &Environment::of([])).unwrap();
        hub::open(&config, self.database.store(), Arc::new(SystemClock)).await.unwrap()
    }

    /// Ends the test, after its hubs have ended: the journal proves itself, and every fen that the
    /// providers moved is booked once.
    pub(crate) async fn finish(self) {
        let hub = self.insider().await;
        let proof = payhub::ledger::verify(&hub).await.unwrap();
        assert_eq!(proof.breaks, Vec::<String>::new());
        hub.store.close();
        let client = self.database().await;
        for order in self.sandbox.engine().state().orders {
            let booked: i64 = client
                .query_one(
                    "SELECT COALESCE(sum(p.amount_fen), 0)::bigint FROM payments p JOIN orders o USING (order_id)
                      WHERE o.out_trade_no = $1",
                    &[&order.out_trade_no],
                )
                .await
                .unwrap()
                .get(0);
            assert_eq!(booked, order.paid_fen.get(), "order {}", order.out_trade_no);
        }
        drop(client);
        self.receiver.stop().await;
        self.sandbox.stop().await;
        self.database.give_back().await;
        let _gone = std::fs::remove_dir_all(&self.folder);
    }

    fn configuration(&self, address: SocketAddr) -> String {
        let published = |key: &Option<String>| key.clone().unwrap();
        let keys = SandboxConfig::development();
        format!(
            r#"
[server]
listen = "{address}"
public_url = "http://{address}"
drain_s = {drain_s}
[database]
url = "{database}"
[security]
master_key = "cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE="
[[merchants]]
id = "{WECHAT}"
provider = "wechat"
mchid = "1900000001"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{merchant_key}"""
apiv3_key = "{apiv3_key}"
wechatpay_public_key_id = "PUB_KEY_ID_0114232134912410000000000000"
wechatpay_public_key = """{wechatpay_public}"""
base_url = "{providers}"
[[merchants]]
id = "{ALIPAY}"
provider = "alipay"
app_id = "2021000000000000"
seller_id = "2088000000000000"
app_private_key = """{app_key}"""
alipay_public_key = """{alipay_public}"""
gateway_url = "{providers}/gateway.do"
[[applications]]
id = "registry"
api_key = "{API_KEY}"
webhook_url = "{webhooks}"
webhook_secret = "{WEBHOOK_SECRET}"
webhook_events = ["difference.resolved", "difference.opened"]
{more}
"#,
            database = self.database.url(),
            merchant_key = published(&keys.wechat[0].published_private_key),
            app_key = published(&keys.alipay[0].published_private_key),
            apiv3_key = include_str!("../../../fixtures/keys/wechat_v3_key.txt").trim(),
            wechatpay_public = include_str!("../../../fixtures/keys/wechatpay_platform_pub.pem"),
            alipay_public = include_str!("../../../fixtures/keys/alipay_platform_pub.pem"),
            providers = self.sandbox.base_url(),
            webhooks = self.receiver.url(),
            more = self.more,
            drain_s = self.drain_s,
        )
    }
}

/// A hub's process, or its place when it does not run. Dropped, it is killed.
pub(crate) struct Process {
    /// Where it listens, each time that it runs.
    pub(crate) address: SocketAddr,
    role: String,
    config: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Its URL for a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Starts it; its log goes behind what it has said before.
    pub(crate) fn start(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_payhub"))
            .args(["serve", "--role", &self.role, "--config"])
            .arg(&self.config)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self, client: &reqwest::Client) {
        let end = Instant::now() + READY;
        loop {
            let answer = client.get(self.url("/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "{ended:?}: {}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Kills it (`kill -9`) and starts it again at the same address.
    pub(crate) async fn restart(&mut self, client: &reqwest::Client) {
        self.kill();
        self.start();
        self.ready(client).await;
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.as_ref().unwrap().id().try_into().unwrap())
    }

    /// Waits until it has ended by itself, and how; it fails when that takes longer than `patience`.
    pub(crate) async fn ended(&mut self, patience: Duration) -> ExitStatus {
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                self.child = None;
                return status;
            }
            assert!(Instant::now() < end, "it does not end: {}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Stops it as an operator does, and holds that it ends well.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.ended(Duration::from_secs(30)).await;
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.config.with_extension("log")
    }
}

impl Drop for Process {
    #[allow(clippy::print_stderr, reason = "a test that fails shows what its hub had said")]
    fn drop(&mut self) {
        if self.child.is_some() && std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            for line in tail.iter().rev() {
                eprintln!("{}: {line}", self.address);
            }
        }
        self.kill();
    }
}

/// What asks for a fee of 80 yuan.
pub(crate) fn fee_body(case_no: &str) -> Value {
    json!({
        "case_no": case_no,
        "items": [{"code": "REG.RES", "quantity": 1, "registration_type": "transfer"}],
        "payer": {"name": "张三"},
    })
}

/// What asks for an order for one fee.
pub(crate) fn order_body(merchant: &str, fee: &str) -> Value {
    let product = if merchant == WECHAT { "native" } else { "precreate" };
    json!({"merchant_id": merchant, "product": product, "fee_ids": [fee]})
}

/// Asks again until it is so; how long that took. It fails after `patience`, and says `what`.
pub(crate) async fn until<F>(
    what: &str,
    patience: Duration,
    mut is_so: impl FnMut() -> F,
) -> Duration
where
    F: Future<Output = bool>,
{
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < patience, "{what}: not after {patience:?}");
        tokio::time::sleep(PAUSE).await;
    }
    begun.elapsed()
}
