//! `payhub doctor`: one line a check, OK or FAIL, and what to do.

mod certificates;

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use domain::Clock as _;
use domain::schedule::Schedule;
use domain::time::business_day;
use url::Url;

use super::Stop;
use crate::cli::{ConfigArgs, Exit};
use crate::clock::SystemClock;
use crate::config::{Config, Environment};
use crate::hub::{self, Database, Hub};
use crate::store::{migrate, users as stored};
use crate::{ledger, terminal};

/// How long a provider's port may take to open.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a check found.
enum Finding {
    Ok(String),
    Warn(String),
    Fail { what: String, mend: String },
}

pub(super) async fn doctor(asked: &ConfigArgs, environment: &Environment) -> Result<Exit, Stop> {
    let mut findings = Vec::new();
    match Config::load(asked.config.as_deref(), environment) {
        Ok(config) => {
            findings.push(Finding::Ok(format!(
                "configuration: {} merchants, {} channels, {} applications; every key can be read",
                config.merchants.len(),
                config.channels.len(),
                config.applications.len()
            )));
            public_url(&config, &mut findings);
            clock(&mut findings);
            certificates::configured(&config, SystemClock.now(), &mut findings);
            database(&config, &mut findings).await;
            reach(&config, &mut findings).await;
        }
        Err(error) => {
            let mend = "mend it and run payhub doctor again".to_owned();
            findings.push(Finding::Fail { what: error.to_string(), mend });
        }
    }
    schedule(&mut findings);
    let mut failed = false;
    for finding in &findings {
        match finding {
            Finding::Ok(what) => terminal::say(format_args!("OK    {what}")),
            Finding::Warn(what) => terminal::say(format_args!("WARN  {what}")),
            Finding::Fail { what, mend } => {
                failed = true;
                terminal::say(format_args!("FAIL  {what}; {mend}"));
            }
        }
    }
    Ok(if failed { Exit::FoundProblem } else { Exit::Done })
}

/// Real providers call back over the open internet.
fn public_url(config: &Config, findings: &mut Vec<Finding>) {
    let url = &config.server.public_url;
    match config.merchants.iter().find(|merchant| !merchant.is_sandbox()) {
        Some(merchant) if !config.server.is_public() => findings.push(Finding::Fail {
            what: format!("server.public_url is {url}, where {} cannot call back", merchant.id),
            mend: "give the hub's public https:// address".to_owned(),
        }),
        _ => findings.push(Finding::Ok(format!("server.public_url: {url}"))),
    }
}

/// A machine whose clock was never set is refused by every provider.
fn clock(findings: &mut Vec<Finding>) {
    let now = SystemClock.now();
    let day = business_day(now);
    if day.year() < 2026 {
        findings.push(Finding::Fail {
            what: format!("clock: this machine believes that it is {day}"),
            mend: "set the clock (NTP); providers refuse calls that are 5 minutes off".to_owned(),
        });
    } else {
        findings.push(Finding::Ok(format!("clock: {}", domain::time::rfc3339(now))));
    }
}

async fn database(config: &Config, findings: &mut Vec<Finding>) {
    let database = match Database::reach(&config.database).await {
        Ok(database) => database,
        Err(error) => {
            let mend = "see docs/operations.md".to_owned();
            return findings.push(Finding::Fail { what: format!("database: {error}"), mend });
        }
    };
    match migrate::version(&database.store).await {
        Ok(version) if version.fit() == migrate::Fit::Fits => {
            findings.push(Finding::Ok(format!("database: schema {}", version.found)));
            books(config, &database, findings).await;
        }
        Ok(version) => findings.push(Finding::Fail {
            what: format!("database: schema {}, wanted {}", version.found, version.wanted),
            mend: version.fault().unwrap_or_default(),
        }),
        Err(error) => findings.push(Finding::Fail {
            what: format!("database: {error}"),
            mend: "run payhub migrate".to_owned(),
        }),
    }
    if let Err(error) = database.close().await {
        findings.push(Finding::Warn(format!("database: {error}")));
    }
}

async fn books(config: &Config, database: &Database, findings: &mut Vec<Finding>) {
    let hub = hub::open(config, database.store.clone(), std::sync::Arc::new(SystemClock)).await;
    let proof = match hub {
        Ok(hub) => {
            certificates::fetched(&hub, findings).await;
            users(&hub, findings).await;
            ledger::verify(&hub).await.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match proof {
        Ok(proof) if proof.breaks.is_empty() => {
            findings
                .push(Finding::Ok(format!("ledger: {} entries prove each other", proof.entries)));
        }
        Ok(proof) => findings.push(Finding::Fail {
            what: format!("ledger: {} breaks", proof.breaks.len()),
            mend: "run payhub verify-ledger".to_owned(),
        }),
        Err(error) => findings.push(Finding::Fail {
            what: format!("ledger: {error}"),
            mend: "run payhub verify-ledger".to_owned(),
        }),
    }
}

/// As long as nobody is a user, everybody may act in any name.
async fn users(hub: &Hub, findings: &mut Vec<Finding>) {
    let known = async { stored::list(&hub.store.client().await?).await };
    findings.push(match known.await {
        Ok(known) if known.is_empty() => Finding::Warn(
            "users: none, so every name that is given by --user is believed; make them by payhub \
             user add"
                .to_owned(),
        ),
        Ok(known) => {
            let enabled = known.iter().filter(|user| user.disabled_at.is_none()).count();
            Finding::Ok(format!("users: {enabled} enabled"))
        }
        Err(error) => Finding::Warn(format!("users: {error}")),
    });
}

async fn reach(config: &Config, findings: &mut Vec<Finding>) {
    let merchants = config
        .merchants
        .iter()
        .map(|merchant| (format!("merchant {}", merchant.id), merchant.base_url.clone()));
    let channels = config
        .channels
        .iter()
        .map(|channel| (format!("channel {}", channel.id), channel.endpoint.clone()));
    for (name, url) in merchants.chain(channels) {
        match connect(&url).await {
            Ok(()) => findings.push(Finding::Ok(format!("{name}: {url} is reached"))),
            Err(why) => findings.push(Finding::Fail {
                what: format!("{name}: {url} is not reached ({why})"),
                mend: "check the address, the name server and the firewall".to_owned(),
            }),
        }
    }
}

async fn connect(url: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let host = url.host_str().ok_or("no host")?.to_owned();
    let port = url.port_or_known_default().ok_or("no port")?;
    let addresses = tokio::task::spawn_blocking(move || {
        (host.as_str(), port).to_socket_addrs().map(Vec::from_iter)
    })
    .await
    .map_err(|error| error.to_string())?
    .map_err(|error| error.to_string())?;
    let opened = tokio::net::TcpStream::connect(addresses.as_slice());
    match tokio::time::timeout(PATIENCE, opened).await {
        Ok(Ok(_stream)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err("no answer in 5 seconds".to_owned()),
    }
}

/// Rules whose wording no person has checked against the circular yet.
fn schedule(findings: &mut Vec<Finding>) {
    match Schedule::built_in() {
        Ok(schedule) => {
            let unverified = schedule.unverified_on(business_day(SystemClock.now()));
            if unverified.is_empty() {
                findings.push(Finding::Ok("fee schedule: every rule is checked".to_owned()));
            } else {
                findings.push(Finding::Warn(format!(
                    "fee schedule: not yet checked against the circulars by a person: {}",
                    unverified.join(", ")
                )));
            }
        }
        Err(error) => findings.push(Finding::Fail {
            what: format!("fee schedule: {error}"),
            mend: "this build is broken; report it".to_owned(),
        }),
    }
}
