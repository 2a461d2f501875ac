//! What proves that a statement is Alipay's: one configured key, or the certificates of the ring by
//! their numbers. A certificate that Alipay begins to sign with is fetched, and taken only when it
//! was issued under the configured roots to the same holder.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use super::certificate::{Roots, number};
use crate::keys::{Link, SigningKey, VerifyingKey};
use crate::settings::SettingError;

/// How statements are proved.
pub(super) enum Trust {
    /// Key mode.
    Key(VerifyingKey),
    /// Certificate mode.
    Certificates(Box<Ring>),
}

/// What a signature turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proved {
    /// Alipay's.
    Yes,
    /// Not Alipay's.
    No,
    /// Of a certificate that is not in the ring, or no longer good.
    UnknownKey,
}

/// Who names a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// An answer, on a connexion to Alipay itself.
    Answer,
    /// A notice, which anybody may send.
    Notice,
}

/// The certificates of certificate mode.
pub(super) struct Ring {
    /// The number of the application's certificate (`app_cert_sn`).
    pub(super) app_number: String,
    roots: Roots,
    /// Alipay's certificate as configured: it signs where no number is named.
    configured: Link,
    /// What came behind it: certificates between it and the roots.
    between: Vec<Link>,
    known: RwLock<Known>,
}

struct Known {
    /// By number.
    held: BTreeMap<String, Held>,
    /// What an answer named that is not held, and what a notice did: a forged notice must not
    /// take the place of an answer.
    missing: Missing,
}

#[derive(Default)]
struct Missing {
    answer: Option<String>,
    notice: Option<String>,
}

struct Held {
    key: VerifyingKey,
    not_after: Timestamp,
}

impl Trust {
    /// Whether `signature` over `message` is Alipay's, by the certificate that is named where one
    /// is.
    pub(super) fn proves(
        &self,
        by: By,
        named: Option<&str>,
        now: Timestamp,
        message: &[u8],
        signature: &str,
    ) -> Proved {
        let ring = match self {
            Self::Key(key) => return yes_or_no(key.verifies(message, signature)),
            Self::Certificates(ring) => ring,
        };
        match named {
            Some(named) => ring.proves_by(by, named, now, message, signature),
            None => ring.proves_unnamed(by, now, message, signature),
        }
    }

    /// The ring, in certificate mode.
    pub(super) fn ring(&self) -> Option<&Ring> {
        match self {
            Self::Key(_) => None,
            Self::Certificates(ring) => Some(ring),
        }
    }
}

impl Ring {
    /// Reads the three files of certificate mode.
    pub(super) fn read(
        app: &str,
        alipay: &str,
        root: &str,
        own: &SigningKey,
    ) -> Result<Self, SettingError> {
        let roots = Roots::read(root).ok_or_else(|| {
            let mend = "holds no RSA root certificate; give alipayRootCert.crt";
            SettingError::new("alipay_root_cert", mend)
        })?;
        let (app, _) = first("app_cert", app)?;
        let (configured, between) = first("alipay_cert", alipay)?;
        let key = |setting: &'static str, link: &Link| {
            link.key().map_err(|source| SettingError::new(setting, source.to_string()))
        };
        let app_key = key("app_cert", &app)?;
        let probe = b"app_cert";
        if !own.sign(probe).is_ok_and(|signature| app_key.verifies(probe, &signature)) {
            let mend = "is not the certificate of app_private_key";
            return Err(SettingError::new("app_cert", mend));
        }
        let held = Held { key: key("alipay_cert", &configured)?, not_after: configured.not_after };
        // Alipay's file may hold its own certificate alone: whoever configured it vouches for it. A
        // renewed one must be proved up to the roots.
        let stands_alone = between.is_empty() && roots.knows_no_issuer_of(&configured);
        if !roots.prove(&configured, &between) && !stands_alone {
            let mend = "is not issued under alipay_root_cert";
            return Err(SettingError::new("alipay_cert", mend));
        }
        let held = BTreeMap::from([(number(&configured), held)]);
        Ok(Self {
            app_number: number(&app),
            roots,
            configured,
            between,
            known: RwLock::new(Known { held, missing: Missing::default() }),
        })
    }

    /// The number of the bundle of roots (`alipay_root_cert_sn`).
    pub(super) fn root_number(&self) -> &str {
        &self.roots.number
    }

    fn proves_by(
        &self,
        by: By,
        named: &str,
        now: Timestamp,
        message: &[u8],
        signature: &str,
    ) -> Proved {
        let found = self
            .read_known()
            .held
            .get(named)
            .filter(|held| held.not_after >= now)
            .map(|held| yes_or_no(held.key.verifies(message, signature)));
        if found.is_none() && is_number(named) {
            let missing = &mut self.write_known().missing;
            match by {
                By::Answer => missing.answer = Some(named.to_owned()),
                By::Notice => missing.notice = Some(named.to_owned()),
            }
        }
        found.unwrap_or(Proved::UnknownKey)
    }

    /// An answer without a number is proved by the configured certificate; a notice, of which it is
    /// not known whether it names any, by whichever of the ring.
    fn proves_unnamed(&self, by: By, now: Timestamp, message: &[u8], signature: &str) -> Proved {
        let configured = number(&self.configured);
        let known = self.read_known();
        let mut good = known
            .held
            .iter()
            .filter(|(name, held)| {
                held.not_after >= now && (by == By::Notice || **name == configured)
            })
            .peekable();
        if good.peek().is_none() {
            return Proved::UnknownKey;
        }
        yes_or_no(good.any(|(_, held)| held.key.verifies(message, signature)))
    }

    /// The number of the certificate to fetch next.
    pub(super) fn wanted(&self) -> Option<String> {
        let known = self.read_known();
        known.missing.answer.clone().or_else(|| known.missing.notice.clone())
    }

    /// Alipay has no such certificate: it is asked for again only when it is named again.
    pub(super) fn not_there(&self) {
        let missing = &mut self.write_known().missing;
        if missing.answer.take().is_none() {
            missing.notice = None;
        }
    }

    /// The certificate in a fetched file that was asked for, proved.
    pub(super) fn prove(&self, pem: &str, now: Timestamp) -> Result<Link, &'static str> {
        let links: Vec<Link> = Link::read_all(pem).into_iter().flatten().collect();
        let is_missing = |link: &Link| {
            let (known, number) = (self.read_known(), Some(number(link)));
            known.missing.answer == number || known.missing.notice == number
        };
        let (mut asked, mut between): (Vec<Link>, Vec<Link>) =
            links.into_iter().partition(is_missing);
        let Some(new) = asked.pop() else { return Err("it is not the one that was asked for") };
        if !new.is_about_the_same_as(&self.configured) {
            return Err("its holder is not that of alipay_cert");
        }
        if new.not_after < now {
            return Err("its time is over");
        }
        if self.roots.prove(&new, &self.between) {
            return Ok(new);
        }
        between.retain(|link| link.not_after >= now);
        match self.roots.prove(&new, &between) {
            true => Ok(new),
            false => Err("it is not issued under alipay_root_cert"),
        }
    }

    /// Takes a proved certificate into the ring, lets go of those that are over, and says how many
    /// are new.
    pub(super) fn take(&self, proved: &Link, key: VerifyingKey, now: Timestamp) -> usize {
        let name = number(proved);
        let mut known = self.write_known();
        let Missing { answer, notice } = &mut known.missing;
        for missing in [answer, notice] {
            missing.take_if(|missing| *missing == name);
        }
        known.held.retain(|_, held| held.not_after >= now);
        let before = known.held.insert(name, Held { key, not_after: proved.not_after });
        usize::from(before.is_none())
    }

    /// The latest end of a certificate of the ring.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.read_known().held.values().map(|held| held.not_after).max()
    }

    fn read_known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_known(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn yes_or_no(good: bool) -> Proved {
    if good { Proved::Yes } else { Proved::No }
}

/// Whether a name can be a certificate's: 32 hexadecimal letters.
fn is_number(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// The first certificate of a file, and those behind it.
fn first(setting: &'static str, pem: &str) -> Result<(Link, Vec<Link>), SettingError> {
    let mut links = Link::read_all(pem).into_iter();
    let first = match links.next() {
        Some(first) => first.map_err(|source| SettingError::new(setting, source.to_string()))?,
        None => return Err(SettingError::new(setting, "holds no certificate in PEM")),
    };
    Ok((first, links.flatten().collect()))
}
