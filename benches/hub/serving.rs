//! A hub or a peer as a process, ready to be loaded.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::given::{Given, Outcome};
use crate::load::{ask, request};
use crate::office::{self, Places};
use crate::process::Process;

/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that answers.
pub struct Serving {
    /// Where.
    pub address: SocketAddr,
    /// Its process, with those that it starts below it.
    pub process: Process,
    /// From its start to its first answer that it is ready.
    pub started_in: Duration,
}

/// What a hub is started with.
pub struct HubSettings<'a> {
    /// The table `[database]`.
    pub database: &'a str,
    /// Where providers and webhook receiver are.
    pub stub: SocketAddr,
    /// Its role.
    pub role: &'a str,
    /// How many merchants each provider has.
    pub merchants: usize,
    /// Further tables.
    pub more: &'a str,
}

/// Writes a hub's configuration below `--work` and gives its path.
fn configure(
    given: &Given,
    name: &str,
    address: SocketAddr,
    hub: &HubSettings<'_>,
) -> Outcome<PathBuf> {
    let file = given.work.join(format!("{name}.toml"));
    let places = Places {
        hub: address,
        providers: hub.stub,
        webhooks: hub.stub,
        database: hub.database,
        merchants: hub.merchants,
        more: hub.more,
    };
    std::fs::write(&file, office::configuration(&places))?;
    Ok(file)
}

/// Starts `payhub serve` of the given binary, as an operator would.
pub async fn hub(given: &Given, settings: &HubSettings<'_>) -> Outcome<Serving> {
    named(given, "payhub", settings).await
}

/// The same under a name, which its files have.
pub async fn named(given: &Given, name: &str, settings: &HubSettings<'_>) -> Outcome<Serving> {
    let address = free()?;
    let file = configure(given, name, address, settings)?;
    let mut command = Command::new(&given.payhub);
    command.arg("serve").arg("--config").arg(file).args(["--role", settings.role]);
    ready(name, given, &mut command, address).await
}

/// Starts a peer: a script of `--peers`, run by Node with the packages of `--work`.
pub async fn peer(given: &Given, script: &str, variables: &[(&str, String)]) -> Outcome<Serving> {
    let address = free()?;
    let mut command = Command::new("node");
    command.arg(given.peers.join(script)).current_dir(&given.work);
    command.env("NODE_ENV", "production").env("PORT", address.port().to_string());
    command.envs(variables.iter().map(|(name, value)| (*name, value)));
    ready("peer", given, &mut command, address).await
}

/// Starts the hub's engine by itself over a database.
pub async fn engine(given: &Given, url: &str) -> Outcome<Serving> {
    let address = free()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("engine").arg("--work").arg(&given.work).arg("--payhub").arg(&given.payhub);
    command.arg("--peers").arg(&given.peers);
    command.arg(format!("listen={address}")).arg(format!("url={url}"));
    ready("engine", given, &mut command, address).await
}

/// Runs another command of the hub over the configuration that [`hub`] wrote; whether it ended well.
pub fn payhub(given: &Given, command: &str) -> Outcome<bool> {
    let file = given.work.join("payhub.toml");
    let done = Command::new(&given.payhub).arg(command).arg("--config").arg(file).output()?;
    if !done.status.success() {
        eprintln!("payhub {command}: {}", String::from_utf8_lossy(&done.stdout));
    }
    Ok(done.status.success())
}

async fn ready(
    name: &str,
    given: &Given,
    command: &mut Command,
    address: SocketAddr,
) -> Outcome<Serving> {
    let log = given.work.join(format!("{name}.log"));
    let question = request("GET", "/readyz", &[], b"");
    let begun = Instant::now();
    let mut process = Process::start(name, command, &log)?;
    loop {
        if let Ok((200, _)) = ask(address, &question).await {
            return Ok(Serving { address, process, started_in: begun.elapsed() });
        }
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        process.must_run().map_err(|error| format!("{error}\n{}", said()))?;
        if begun.elapsed() > PATIENCE {
            return Err(format!("{name} is not ready after a minute\n{}", said()).into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// An address of loopback that nobody has just now.
fn free() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
