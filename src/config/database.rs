//! `[database]`: a PostgreSQL of the operator's, or a private one that the hub runs for itself.

use std::path::PathBuf;
use std::str::FromStr as _;

use domain::personal::Secret;

use super::environment::Environment;
use super::error::ConfigError;
use super::section::Section;

/// Which database the hub uses.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where it is.
    pub place: Place,
    /// Whether `serve` brings an older schema up to date by itself.
    pub migrate: bool,
    /// `PAYHUB_PG_BIN`: the one folder of server programs to use for a private PostgreSQL.
    pub postgres_bin: Option<PathBuf>,
    /// Folders of server programs to try after the usual ones.
    pub postgres_search: Vec<PathBuf>,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Place {
    /// At a URL, run by somebody else. It may hold a password.
    Url(Secret),
    /// In a folder, run by the hub.
    Private(PathBuf),
}

impl Database {
    /// A private PostgreSQL in `data_dir`.
    #[must_use]
    pub fn private(data_dir: PathBuf, environment: &Environment) -> Self {
        Self::of(Place::Private(data_dir), environment)
    }

    /// A PostgreSQL at a URL.
    #[must_use]
    pub fn at(url: impl Into<String>, environment: &Environment) -> Self {
        Self::of(Place::Url(Secret::new(url)), environment)
    }

    fn of(place: Place, environment: &Environment) -> Self {
        Self {
            place,
            migrate: true,
            postgres_bin: environment.postgres_bin(),
            postgres_search: environment.postgres_search(),
        }
    }
}

pub(super) fn read(
    section: &Section<'_>,
    environment: &Environment,
) -> Result<Database, ConfigError> {
    section.only(&["url", "data_dir", "migrate"])?;
    let place = match (section.text("url")?, section.text("data_dir")?) {
        (Some(_), Some(_)) => {
            let mend = "keep `url` for your own PostgreSQL, or `data_dir` for a private one";
            return Err(section.fault("data_dir", "stands beside database.url", mend));
        }
        (Some(url), None) => Place::Url(checked_url(section, url)?),
        (None, Some(folder)) => Place::Private(section.origin.path(&folder)),
        (None, None) => Place::Private(environment.data_dir().ok_or_else(|| {
            let what = "missing, and the environment names neither HOME nor XDG_DATA_HOME";
            section.fault("data_dir", what, "give a folder for the private PostgreSQL, or `url`")
        })?),
    };
    let mut database = Database::of(place, environment);
    database.migrate = section.flag("migrate")?.unwrap_or(true);
    Ok(database)
}

/// The message of the parser would repeat a password, so only its kind is told.
fn checked_url(section: &Section<'_>, url: String) -> Result<Secret, ConfigError> {
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if is_url && tokio_postgres::Config::from_str(&url).is_ok() {
        return Ok(Secret::new(url));
    }
    Err(section.fault(
        "url",
        "is no PostgreSQL URL",
        "give one as in postgres://payhub:password@db.example.cn/payhub",
    ))
}
