//! What the operator has decided: `payhub.toml`, then `PAYHUB_*` variables above it, parsed once
//! into typed values with keys read and providers ready.
//!
//! Whatever is unknown, missing or unreadable stops the start with one line that names file, key
//! and mend. Nothing in here shows a secret, and nobody else reads the environment.

mod application;
mod bank;
mod callbacks;
mod channel;
mod database;
mod environment;
mod error;
mod fiscal;
mod merchant;
mod payer;
mod policy;
mod section;
mod security;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use adapters::webhook::AllowList;
use domain::ids::MerchantId;
use toml::Table;

use crate::intake::Limits;

pub use application::{Application, MOST_CONCURRENCY, USUAL_CONCURRENCY, Webhook};
pub use bank::BankDays;
pub use channel::{Channel, Template};
pub use database::{Database, Place};
pub use environment::Environment;
pub use error::ConfigError;
pub use fiscal::FiscalItem;
pub use merchant::{ClientIdentity, Dated, Merchant};
pub use payer::{PayerAccount, plain as plain_account};
pub use policy::{PayGates, Policy, RefundApproval};
pub use security::MasterKey;
pub use server::Server;

pub(crate) use section::is_loopback;
use section::{Origin, Section, in_words};

/// The configuration when neither the command line nor PAYHUB_CONFIG names one.
const USUAL_FILE: &str = "payhub.toml";
/// The office's name on pages, messages and reports when the configuration has none.
const USUAL_OFFICE: &str = "不动产登记中心";

/// Everything that the operator has decided.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the hub listens, and where the world finds it.
    pub server: Server,
    /// Which database it uses.
    pub database: Database,
    /// The key that seals secrets and personal data.
    pub master_key: MasterKey,
    /// The accounts through which the office collects.
    pub merchants: Vec<Merchant>,
    /// Who carries messages to people.
    pub channels: Vec<Channel>,
    /// The backend services that the file names.
    pub applications: Vec<Application>,
    /// The office's name on pages, messages and reports.
    pub office_name: String,
    /// What the office has decided about money and people's rest.
    pub policy: Policy,
    /// By when a fee must be settled, of business types with a gate of their own.
    pub pay_gates: PayGates,
    /// How many callbacks are taken at once.
    pub callbacks: Limits,
    /// The private networks that webhooks may go to.
    pub webhook_networks: AllowList,
    /// Which text tells a person of which event.
    pub templates: Vec<Template>,
    /// On which days the office's bank settles otherwise than on working days.
    pub bank: BankDays,
    /// Which item of the treasury each fee item is.
    pub fiscal_items: Vec<FiscalItem>,
    /// Who pays by the month.
    pub payer_accounts: Vec<PayerAccount>,
}

impl Config {
    /// A configuration made in code: no merchants, channels, applications or templates yet, and
    /// the contract's defaults for the rest.
    #[must_use]
    pub fn new(server: Server, database: Database, master_key: MasterKey) -> Self {
        Self {
            server,
            database,
            master_key,
            merchants: Vec::new(),
            channels: Vec::new(),
            applications: Vec::new(),
            office_name: USUAL_OFFICE.to_owned(),
            policy: Policy::default(),
            pay_gates: PayGates::new(),
            callbacks: Limits::default(),
            webhook_networks: AllowList::default(),
            templates: Vec::new(),
            bank: BankDays::default(),
            fiscal_items: Vec::new(),
            payer_accounts: Vec::new(),
        }
    }

    /// The file of the configuration: what `asked` names, else PAYHUB_CONFIG, else `./payhub.toml`.
    #[must_use]
    pub fn file(asked: Option<&Path>, environment: &Environment) -> PathBuf {
        asked
            .map(Path::to_owned)
            .or_else(|| environment.config_file())
            .unwrap_or_else(|| PathBuf::from(USUAL_FILE))
    }

    /// Reads the configuration that `asked` names, else PAYHUB_CONFIG, else `./payhub.toml`. That
    /// last one may be absent when the environment has settings.
    ///
    /// # Errors
    /// One line: file, key, what is wrong, the mend.
    pub fn load(asked: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let named = asked.map(Path::to_owned).or_else(|| environment.config_file());
        let path = Self::file(asked, environment);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(fault)
                if fault.kind() == std::io::ErrorKind::NotFound
                    && named.is_none()
                    && environment.has_settings() =>
            {
                String::new()
            }
            Err(fault) => {
                let mend = "name the configuration with --config FILE or PAYHUB_CONFIG, or put it here as payhub.toml";
                return Err(ConfigError::new(path.display().to_string(), in_words(&fault), mend));
            }
        };
        Self::parse(&text, &path, environment)
    }

    /// Reads the configuration from its text. `path` is the file that it stands in: messages name
    /// it, and relative paths begin in its folder.
    ///
    /// # Errors
    /// One line: file, key, what is wrong, the mend.
    pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let mut table: Table =
            toml::from_str(text).map_err(|fault| not_toml(&file, text, &fault))?;
        let overrides = environment.lay_over(&mut table)?;
        let origin = Origin {
            file,
            folder: path.parent().map(Path::to_owned).unwrap_or_default(),
            variables: overrides.into_iter().map(|found| (found.key, found.variable)).collect(),
        };
        read(&Section::root(&origin, table), environment)
    }

    /// The merchant of that id.
    #[must_use]
    pub fn merchant(&self, id: &MerchantId) -> Option<&Merchant> {
        self.merchants.iter().find(|merchant| merchant.id == *id)
    }

    /// The channel of that id.
    #[must_use]
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }
}

fn read(root: &Section<'_>, environment: &Environment) -> Result<Config, ConfigError> {
    root.only(&environment::TABLES)?;
    let server = server::read(&root.below("server")?)?;
    let database = database::read(&root.below("database")?, environment)?;
    let master_key = security::read(&root.below("security")?)?;
    let mut config = Config::new(server, database, master_key);
    let merchants = root.entries("merchants")?;
    config.merchants = each(&merchants, merchant::read, |merchant| merchant.id.as_str())?;
    let channels = root.entries("channels")?;
    config.channels = each(&channels, channel::read, |channel| &channel.id)?;
    let applications = root.entries("applications")?;
    config.applications =
        each(&applications, application::read, |application| application.id.as_str())?;
    refuse_shared_keys(&applications, &config.applications)?;
    let office = root.below("office")?;
    office.only(&["name"])?;
    if let Some(name) = office.text("name")? {
        config.office_name = name;
    }
    config.policy = policy::read(&root.below("policy")?)?;
    config.pay_gates = policy::read_gates(&root.entries("pay_gates")?)?;
    config.callbacks = callbacks::read(&root.below("callbacks")?)?;
    config.webhook_networks = webhook_networks(&root.below("webhooks")?)?;
    config.templates = templates(root, &config.channels)?;
    config.bank = bank::read(&root.below("bank")?)?;
    config.fiscal_items = fiscal_items(root)?;
    let payers = root.entries("payer_accounts")?;
    config.payer_accounts = each(&payers, payer::read, |payer| payer.id.as_str())?;
    payer::refuse_shared(&payers, &config)?;
    Ok(config)
}

/// Reads the tables of an array, whose ids must differ.
fn each<T>(
    sections: &[Section<'_>],
    read: impl Fn(&Section<'_>) -> Result<T, ConfigError>,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, ConfigError> {
    let mut found: Vec<T> = Vec::new();
    for section in sections {
        let entry = read(section)?;
        if found.iter().any(|other| id(other) == id(&entry)) {
            let what = format!("`{}` stands twice", id(&entry));
            return Err(section.fault("id", what, "give each entry an id of its own"));
        }
        found.push(entry);
    }
    Ok(found)
}

/// A key says who asks: two services with one key could not be told apart.
fn refuse_shared_keys(
    sections: &[Section<'_>],
    applications: &[Application],
) -> Result<(), ConfigError> {
    let mut owners: BTreeMap<&str, &Application> = BTreeMap::new();
    for (section, application) in sections.iter().zip(applications) {
        if let Some(other) = owners.insert(application.api_key.expose(), application) {
            let what = format!("is the key of `{}` too", other.id);
            return Err(section.fault("api_key", what, "give each application a key of its own"));
        }
    }
    Ok(())
}

fn webhook_networks(section: &Section<'_>) -> Result<AllowList, ConfigError> {
    section.only(&["allow"])?;
    let texts = section.texts("allow")?;
    AllowList::parse(texts.iter().map(String::as_str)).map_err(|fault| {
        section.fault("allow", fault.to_string(), "give networks as in 10.0.0.0/8")
    })
}

fn templates(root: &Section<'_>, channels: &[Channel]) -> Result<Vec<Template>, ConfigError> {
    let mut found: Vec<Template> = Vec::new();
    for section in root.entries("templates")? {
        let template = channel::read_template(&section, channels)?;
        let twice = found.iter().any(|other| {
            (&other.event, &other.channel, &other.locale)
                == (&template.event, &template.channel, &template.locale)
        });
        if twice {
            let what = format!("`{}` has this channel and locale twice", template.event);
            return Err(section.fault("event", what, "keep one of the two"));
        }
        found.push(template);
    }
    Ok(found)
}

/// A fee item is one item of the treasury, however many fee items that is.
fn fiscal_items(root: &Section<'_>) -> Result<Vec<FiscalItem>, ConfigError> {
    let mut found: Vec<FiscalItem> = Vec::new();
    for section in root.entries("fiscal_items")? {
        let entry = fiscal::read(&section)?;
        if found.iter().any(|other| other.item == entry.item) {
            let what = format!("`{}` stands twice", entry.item);
            return Err(section.fault("item", what, "keep one of the two"));
        }
        found.push(entry);
    }
    Ok(found)
}

/// The line of the fault; the parser's message does not repeat the line, which may hold a secret.
fn not_toml(file: &str, text: &str, fault: &toml::de::Error) -> ConfigError {
    let line = fault
        .span()
        .and_then(|span| text.get(..span.start))
        .map_or(1, |before| before.matches('\n').count().saturating_add(1));
    ConfigError::new(format!("{file}: line {line}"), fault.message(), "mend that line (TOML)")
}
