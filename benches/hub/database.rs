//! The database of a benchmark: the private PostgreSQL of an idle hub, which keeps it running, and a
//! database for each mode, cloned from a template so that all modes find the same rows.

use std::path::{Path, PathBuf};

use tokio_postgres::{Client, Config, NoTls};

use crate::given::{Given, Outcome};
use crate::process::Process;
use crate::serving::{self, HubSettings};

/// The superuser of a private PostgreSQL.
const USER: &str = "payhub";

/// The server. It stops with this value, as the last hub leaves it.
pub struct Server {
    /// Held for as long as the server shall run.
    _keeper: Process,
    socket: PathBuf,
    id: u32,
}

impl Server {
    /// Creates a cluster below `--work` and starts it.
    pub async fn start(given: &Given) -> Outcome<Self> {
        Self::start_with(given, "").await
    }

    /// The same, with further settings, which need a second start.
    pub async fn start_with(given: &Given, settings: &str) -> Outcome<Self> {
        let mut server = open(given).await?;
        if !settings.is_empty() {
            drop(server);
            // The hub keeps its settings beside the cluster, and edits of them.
            let file = home(given).join("postgresql.conf");
            let text = std::fs::read_to_string(&file)?;
            std::fs::write(&file, format!("{text}\n{settings}\n"))?;
            server = open(given).await?;
        }
        Ok(server)
    }

    /// The postmaster's process.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Where its socket is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// As whom it is reached.
    pub const fn user(&self) -> &'static str {
        USER
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(self.socket()).user(self.user()).dbname(database);
        config
    }

    /// Where a database is, as `database.url` names it.
    pub fn url(&self, database: &str) -> String {
        let folder = self.socket().to_string_lossy().replace('/', "%2F");
        format!("postgres://{}@{folder}/{database}", self.user())
    }

    /// A connection to a database.
    pub async fn connect(&self, database: &str) -> Outcome<Client> {
        let (client, connection) = self.config(database).connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Makes an empty database, which the first hub on it migrates.
    pub async fn create(&self, database: &str) -> Outcome<()> {
        // A hub that is started on it migrates it.
        self.execute(&format!("CREATE DATABASE {database}")).await
    }

    /// Clones a database to which nobody is connected, and writes everything out, so that no mode
    /// pays for what came before it.
    pub async fn clone(&self, template: &str, database: &str) -> Outcome<()> {
        self.leave(template).await?;
        self.execute(&format!("CREATE DATABASE {database} TEMPLATE {template}")).await?;
        self.execute("CHECKPOINT").await
    }

    /// Drops a database.
    pub async fn drop(&self, database: &str) -> Outcome<()> {
        self.execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await
    }

    async fn leave(&self, database: &str) -> Outcome<()> {
        self.execute(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'"
        ))
        .await
    }

    async fn execute(&self, statement: &str) -> Outcome<()> {
        Ok(self.connect("postgres").await?.batch_execute(statement).await?)
    }
}

/// Starts a hub that does nothing but keep its private database running.
async fn open(given: &Given) -> Outcome<Server> {
    let data = given.work.join("data");
    std::fs::create_dir_all(&data)?;
    let table = format!("data_dir = \"{}\"", data.display());
    let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let settings =
        HubSettings { database: &table, stub: nobody, role: "api", merchants: 1, more: "" };
    let keeper = serving::named(given, "keeper", &settings).await?.process;
    let (id, socket) = running(given)?;
    Ok(Server { _keeper: keeper, socket, id })
}

/// Where the private PostgreSQL of `--work` lives.
fn home(given: &Given) -> PathBuf {
    given.work.join("data/postgres")
}

/// Process and socket's folder of the private PostgreSQL of `--work`: the first line and the fifth of
/// its `postmaster.pid`.
pub fn running(given: &Given) -> Outcome<(u32, PathBuf)> {
    let text = std::fs::read_to_string(home(given).join("data/postmaster.pid"))?;
    let lines: Vec<&str> = text.lines().collect();
    let (Some(id), Some(socket)) = (lines.first(), lines.get(4)) else {
        return Err("postmaster.pid is not as expected".into());
    };
    Ok((id.trim().parse()?, PathBuf::from(socket.trim())))
}
