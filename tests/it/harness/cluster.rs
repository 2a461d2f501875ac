//! One private PostgreSQL for all tests that run at the same time, and a database a test, cloned
//! from a template that is migrated once. The last test to end stops the server and takes its
//! folder away.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use payhub::config::Environment;
use payhub::postgres::{Binaries, PrivatePostgres};
use payhub::store::{Store, migrate};
use tokio_postgres::{Config, NoTls};

use super::wire::Wire;

static CLUSTER: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static NEXT: AtomicU32 = AtomicU32::new(1);

struct Cluster {
    home: PathBuf,
    server: Option<PrivatePostgres>,
    template: tokio::sync::OnceCell<()>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().expect("the test server stops");
        }
        let _gone = std::fs::remove_dir_all(&self.home);
    }
}

impl Cluster {
    fn lend() -> Arc<Self> {
        let mut known = CLUSTER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(running) = known.upgrade() {
            return running;
        }
        let cluster = Arc::new(Self::start());
        *known = Arc::downgrade(&cluster);
        cluster
    }

    fn start() -> Self {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let home =
            std::env::temp_dir().join(format!("payhub-offices-{}-{number}", std::process::id()));
        let server = start(&home);
        Self { home, server: Some(server), template: tokio::sync::OnceCell::new() }
    }

    fn config(&self, database: &str) -> Config {
        let server = self.server.as_ref().unwrap();
        let mut config = Config::new();
        config.host_path(server.socket_dir()).user(server.user()).dbname(database);
        config
    }

    async fn execute(&self, statement: &str) {
        let client = connect(&self.config("postgres")).await;
        client.batch_execute(statement).await.unwrap();
    }

    async fn template(&self) {
        self.template
            .get_or_init(|| async {
                self.execute("CREATE DATABASE payhub_template").await;
                let store = Store::new(self.config("payhub_template")).unwrap();
                migrate::migrate(&store).await.unwrap();
                store.close();
                // A template cannot be cloned while somebody is connected to it.
                self.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'payhub_template'",
                )
                .await;
            })
            .await;
    }
}

fn start(home: &Path) -> PrivatePostgres {
    let environment = Environment::read();
    let binaries =
        Binaries { explicit: environment.postgres_bin(), also: environment.postgres_search() };
    PrivatePostgres::start(home, &binaries).expect("PostgreSQL starts")
}

/// Whether a process still works: one that is dead and not reaped does not.
fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, state)| !state.trim_start().starts_with(['Z', 'X']))
}

async fn connect(config: &Config) -> tokio_postgres::Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A database lent to one test.
pub(crate) struct Lent {
    cluster: Arc<Cluster>,
    name: String,
}

impl Lent {
    /// Clones the template.
    pub(crate) async fn new() -> Self {
        Self::of(tokio::task::spawn_blocking(Cluster::lend).await.unwrap()).await
    }

    /// On a server of its own, for a test that changes the server.
    pub(crate) async fn alone() -> Self {
        Self::of(tokio::task::spawn_blocking(|| Arc::new(Cluster::start())).await.unwrap()).await
    }

    async fn of(cluster: Arc<Cluster>) -> Self {
        cluster.template().await;
        let name = format!("payhub_test_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        cluster.execute(&format!("CREATE DATABASE {name} TEMPLATE payhub_template")).await;
        Self { cluster, name }
    }

    /// A pool on it.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.cluster.config(&self.name)).unwrap()
    }

    /// Where it is, as `database.url` names it.
    pub(crate) fn url(&self) -> String {
        let server = self.cluster.server.as_ref().unwrap();
        let folder = server.socket_dir().to_str().unwrap().replace('/', "%2F");
        format!("postgres://{}@{folder}/{}", server.user(), self.name)
    }

    /// The folder of its server's socket.
    pub(crate) fn socket_folder(&self) -> PathBuf {
        self.cluster.server.as_ref().unwrap().socket_dir().to_owned()
    }

    /// How it is reached over a wire.
    pub(crate) fn settings_over(&self, wire: &Wire) -> Config {
        wire.settings(self.cluster.server.as_ref().unwrap().user(), &self.name)
    }

    /// Every lease is over: what a dead hub held is anybody's.
    pub(crate) async fn end_leases(&self) {
        let client = self.connect().await;
        let leased = "SELECT table_name FROM information_schema.columns
                       WHERE table_schema = 'public' AND column_name = 'leased_until'";
        for row in client.query(leased, &[]).await.unwrap() {
            let table: String = row.get(0);
            let end = format!(
                "UPDATE {table} SET leased_until = clock_timestamp() - interval '1 second'
                  WHERE leased_until > clock_timestamp()"
            );
            client.batch_execute(&end).await.unwrap();
        }
    }

    /// Kills its server with a signal, and starts it again: it recovers from its log. Only for a
    /// database on a server of its own.
    pub(crate) async fn crash(&self, signal: Signal) {
        let home = self.cluster.home.clone();
        let work = move || {
            let file = std::fs::read_to_string(home.join("data/postmaster.pid")).unwrap();
            let pid = Pid::from_raw(file.lines().next().unwrap().parse().unwrap());
            kill(pid, signal).unwrap();
            while is_alive(pid) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            // The server goes on under the first lease when this one is left.
            start(&home).stop().unwrap();
        };
        tokio::task::spawn_blocking(work).await.unwrap();
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> tokio_postgres::Client {
        connect(&self.cluster.config(&self.name)).await
    }

    /// Drops it.
    pub(crate) async fn give_back(self) {
        self.cluster.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        let cluster = self.cluster;
        // Stopping the server blocks.
        tokio::task::spawn_blocking(move || drop(cluster)).await.unwrap();
    }
}
